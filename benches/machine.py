"""What the benchmarks say of the machine that they ran on: processor, GPU, driver, commit."""

import os
import pathlib
import re
import subprocess


def said(*words, folder=None):
    """What a command prints; empty where it is missing or fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def nvidia():
    """(name, driver version) of the first NVIDIA GPU, or None."""
    line = said("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").splitlines()[:1]
    return tuple(part.strip() for part in line[0].split(",")) if line else None


def cores():
    return len(os.sched_getaffinity(0))


def slug(engine):
    """For the name of a folder: `cpu-2core`, or the GPU's name."""
    gpu = nvidia() if engine == "gpu" else None
    if gpu:
        return re.sub(r"[^a-z0-9]+", "-", gpu[0].lower()).strip("-")
    return f"cpu-{cores()}core"


def processor():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return found.group(1) if found else "unknown"


def commit(repository):
    """COMMIT where it is set (a copy without .git), else git's; `-dirty` where what is built has changes."""
    if os.environ.get("COMMIT"):
        return os.environ["COMMIT"]
    found = said("git", "rev-parse", "HEAD", folder=repository)
    if not found:
        return "unknown"
    return found + ("-dirty" if said("git", "status", "--porcelain", "src", "shaders", "Cargo.toml", "Cargo.lock", folder=repository) else "")


def facts(repository):
    gpu = nvidia()
    return {"commit": commit(repository), "processor": processor(), "cores": cores(), "system": " ".join(os.uname()[:3:2]),
            "gpu": gpu[0] if gpu else None, "driver": gpu[1] if gpu else None}
