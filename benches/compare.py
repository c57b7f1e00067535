#!/usr/bin/env python3
"""Runs manytune and its peers on the same work, round by round in turn, and writes raw results and a table.

    benches/compare.py [--engine cpu|gpu] [--workloads W1,W2,W3,W4,W7] [--rounds 5] …

For each workload: `manytune bench --export` writes the work; each peer (benches/peers/, one process each) trains
the first epochs of it, refuses to be timed where a loss differs from ours, and tries its settings; then rounds
are taken in turn, ours and each peer's. A peer that is missing or refuses is named with the reason. Needs only
Python's standard library here; PYTHON (or --python) is the one with jax, safetensors and scikit-learn, and
PYTHON_TORCH the one with torch, where that is another.

Writes benches/results/<date>-<machine>/peers_<workload>.json and peers.md.
"""

import argparse
import datetime
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time

import compare_table
import machine

HERE = pathlib.Path(__file__).resolve().parent
SOON = 10.0  # seconds for a process to end

# Script, what it imports, which workloads it knows, where it runs, and in which precisions on a GPU.
PEERS = [
    ("sklearn_loop", "sklearn", {"W1", "W2", "W3", "W4"}, {"cpu"}, ["fp32"]),
    ("sklearn_job", "sklearn", {"W7"}, {"cpu"}, ["fp32"]),
    ("jax_vmap", "jax", {"W1", "W2", "W3", "W4"}, {"cpu", "cuda"}, ["fp32", "tf32"]),
    ("torch_eager", "torch", {"W1", "W2", "W3", "W4"}, {"cpu", "cuda"}, ["fp32"]),
    ("torch_vmap", "torch", {"W1", "W2", "W3"}, {"cpu", "cuda"}, ["fp32", "tf32"]),
    ("torch_stacked", "torch", {"W1", "W2", "W3", "W4"}, {"cpu", "cuda"}, ["fp32", "tf32"]),
    ("torch_job", "torch", {"W7"}, {"cpu", "cuda"}, ["fp32"]),
]


class Failed(Exception):
    """A peer, or ours, that gave no result, and why."""


class Stopped(BaseException):
    """The driver was told to end (a time limit): what was measured so far is written."""


def stop(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--device", help="of ours: as `manytune --device`")
    parser.add_argument("--peer-device", choices=["cpu", "cuda"], help="default: cuda where --engine gpu and nvidia-smi finds one")
    parser.add_argument("--workloads", default="W1,W2,W3,W4,W7")
    parser.add_argument("--members", type=int, help="default: what `manytune bench` takes for the engine")
    parser.add_argument("--peers", help="only these, by script name, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round at least (W7 is as long as it takes)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--epochs", type=int, default=5, help="of the stated job of W4")
    parser.add_argument("--trials", type=int, help="W7: peers run so many of the configurations, evenly spaced by work; the time is scaled")
    parser.add_argument("--setup-limit", type=float, default=600.0, help="seconds for a peer to compare, compile and try settings")
    parser.add_argument("--round-limit", type=float, default=600.0)
    parser.add_argument("--machine", help="name of the machine in the results; default: its GPU or its cores")
    parser.add_argument("--out", type=pathlib.Path, help="default: benches/results/<date>-<machine>")
    parser.add_argument("--binary", default=os.environ.get("MANYTUNE", str(HERE.parent / "target/release/manytune")))
    parser.add_argument("--python", default=os.environ.get("PYTHON", "python3"))
    parser.add_argument("--python-torch", default=os.environ.get("PYTHON_TORCH", os.environ.get("PYTHON", "python3")))
    found = parser.parse_args()
    unknown = set(found.workloads.split(",")) - {"W1", "W2", "W3", "W4", "W7"}
    unknown |= set(found.peers.split(",") if found.peers else []) - {peer[0] for peer in PEERS}
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; known are W1, W2, W3, W4, W7 and {', '.join(p[0] for p in PEERS)}")
    found.peer_device = found.peer_device or ("cuda" if found.engine == "gpu" and machine.nvidia() else "cpu")
    found.out = found.out or HERE / "results" / f"{datetime.date.today()}-{found.machine or machine.slug(found.engine)}"
    return found


def note(text):
    print(text, file=sys.stderr, flush=True)


def reason(text):
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:400] if lines else "it said nothing"


class Ours:
    """manytune on one workload."""

    name = "manytune"

    def __init__(self, arguments, workload, folder):
        self.arguments, self.workload, self.folder, self.round_count = arguments, workload, folder, 0
        self.facts, self.rounds, self.failure = {}, [], None
        self.steps_per_epoch = None
        self.on = ["--engine", arguments.engine, *(["--device", arguments.device] if arguments.device else [])]

    def run(self, *words):
        """Its standard output, and the seconds from the command to its end."""
        environment = os.environ | {"RAYON_NUM_THREADS": str(self.arguments.threads)}
        start = time.perf_counter()
        try:
            done = subprocess.run([self.arguments.binary, *words], capture_output=True, text=True, env=environment,
                                  timeout=self.arguments.setup_limit)
        except OSError as error:
            raise Failed(f"{self.arguments.binary}: {error.strerror}; build it (cargo build --release) or name it by --binary") from error
        except subprocess.TimeoutExpired as error:
            raise Failed(f"manytune {words[0]}: not done after {error.timeout:.0f} s") from error
        if done.returncode != 0:
            raise Failed(f"manytune {' '.join(words)}: exit code {done.returncode}: {reason(done.stderr)}")
        return done.stdout, time.perf_counter() - start

    def export(self):
        members = ["--members", str(self.arguments.members)] if self.arguments.members else []
        self.run("bench", "--workload", self.workload, *members, *self.on, "--export", str(self.folder), "--quiet")
        if self.workload == "W7":
            self.job_round()  # its accuracies are what the peers compare theirs with
            self.rounds.clear()
            return
        members = json.loads((self.folder / f"{self.workload}.json").read_text())["members"]
        self.member_count, self.steps_per_epoch = len(members), sum(m["steps_per_epoch"] for m in members)

    def round(self):
        if self.workload == "W7":
            return self.job_round()
        text, wall = self.run("bench", "--workload", self.workload, "--members", str(self.member_count), *self.on, "--rounds", "1",
                              "--seconds", str(self.arguments.seconds), "--format", "json", "--quiet")
        _, start = self.run("--version")
        (record,) = json.loads(text)
        self.facts = {key: record[key] for key in ["engine", "device", "members", "version"]} | {"worst_difference": record.get("worst_difference")}
        self.rounds.append(record | {"process_wall_seconds": wall, "process_start_seconds": start})

    def job_round(self):
        run = self.folder / f"run-{self.round_count}"
        self.round_count += 1
        _, wall = self.run("tune", str(self.folder / "W7.toml"), *self.on, "--out", str(run), "--quiet")
        text, _ = self.run("show", str(run), "--format", "json")
        (self.folder / "W7.ours.json").write_text(text)
        shown = json.loads(text)
        self.facts = {key: shown[key] for key in ["engine", "device"]} | {"members": len(shown["trials"]) * len(shown["best"]["fold_values"])}
        values = [trial["value"] for trial in shown["trials"]]
        self.rounds.append({"job_seconds": wall, "configurations": len(values), "mean_accuracy": sum(values) / len(values)})

    def close(self):
        pass


class Peer:
    """One peer process: facts first, then a timed round for every line it is given."""

    def __init__(self, arguments, script, imports, device, precision, workload, folder):
        self.arguments, self.name = arguments, f"{script}{'' if device == 'cpu' else ' ' + precision}"
        self.facts, self.rounds, self.failure = {}, [], None
        python = arguments.python_torch if imports == "torch" else arguments.python
        self.probe = [python, "-c", f"import numpy, safetensors, {imports}"]
        self.command = [python, str(HERE / "peers" / f"{script}.py"), str(folder), workload, "--threads", str(arguments.threads),
                        "--seconds", str(arguments.seconds), "--device", device, "--precision", precision, "--epochs", str(arguments.epochs)]
        if workload == "W7" and arguments.trials:
            self.command += ["--trials", str(arguments.trials)]
        self.errors = folder / f"{script}-{precision}.stderr"
        self.process = None

    def start(self):
        try:
            probed = subprocess.run(self.probe, capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"missing: {error}") from error
        if probed.returncode != 0:
            raise Failed(f"missing: {reason(probed.stderr)}")
        start, self.lines = time.perf_counter(), queue.Queue()
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        self.facts = self.answer(self.arguments.setup_limit, "set-up") | {"setup_wall_seconds": time.perf_counter() - start}

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def answer(self, limit, what):
        """The next line of JSON; libraries may print others between."""
        end = time.monotonic() + limit
        while True:
            try:
                line = self.lines.get(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                raise Failed(f"gave up: {what} not done after {limit:.0f} s") from None
            if line is None:
                raise Failed(f"stopped: {reason(self.errors.read_text())}")
            if line.startswith("{"):
                return json.loads(line)

    def round(self):
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except OSError as error:
            raise Failed(f"stopped: {reason(self.errors.read_text())}") from error
        self.rounds.append(self.answer(self.arguments.round_limit, "a round"))

    def close(self):
        if self.process is None:
            return
        if self.failure:
            self.process.kill()
        try:
            self.process.communicate(timeout=SOON)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def peers_of(arguments, workload, folder):
    chosen = arguments.peers.split(",") if arguments.peers else [peer[0] for peer in PEERS]
    for script, imports, workloads, devices, precisions in PEERS:
        if script in chosen and workload in workloads:
            device = arguments.peer_device if arguments.peer_device in devices else "cpu"
            for precision in precisions if device == "cuda" else ["fp32"]:
                yield Peer(arguments, script, imports, device, precision, workload, folder)


def attempt(racer, what, action):
    """Does it, unless that racer failed before; a failure is kept and said."""
    if racer.failure is None:
        try:
            action()
        except Failed as failure:
            racer.failure = str(failure)
            note(f"  {racer.name}, {what}: {failure}")


def race(arguments, workload):
    """All rounds of one workload; returns whether ours gave them all."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ours = Ours(arguments, workload, folder)
        racers = [ours]
        try:
            run(arguments, workload, folder, racers)
        finally:
            for racer in racers:
                if not racer.rounds:
                    racer.failure = racer.failure or "not done when the driver was stopped"
                racer.close()
            write(arguments, workload, racers)
    return ours.failure is None


def run(arguments, workload, folder, racers):
    """Prepares every peer, one at a time, then takes the rounds in turn; fills `racers`, which holds ours."""
    ours = racers[0]
    note(f"{workload}: exporting the work")
    attempt(ours, "export", ours.export)
    if ours.failure is not None:
        return
    for peer in peers_of(arguments, workload, folder):
        note(f"{workload}: {peer.name} compares, compiles, tries its settings")
        racers.append(peer)
        attempt(peer, "set-up", peer.start)
    for number in range(arguments.rounds):
        note(f"{workload}: round {number + 1} of {arguments.rounds}")
        for racer in racers:
            attempt(racer, "round", racer.round)


def write(arguments, workload, racers):
    said = {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"), **machine.facts(HERE.parent), "workload": workload,
        "engine": arguments.engine, "threads": arguments.threads, "rounds": arguments.rounds, "job_epochs": arguments.epochs,
        "steps_per_epoch": racers[0].steps_per_epoch,
        "load_average_at_the_end": os.getloadavg(),
        "racers": [{"name": r.name, "failure": r.failure, "facts": r.facts, "rounds": r.rounds} for r in racers],
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"peers_{workload}.json").write_text(json.dumps(said, indent=1) + "\n")
    (arguments.out / "peers.md").write_text(compare_table.markdown(arguments.out))


if __name__ == "__main__":
    arguments = read_arguments()
    signal.signal(signal.SIGTERM, stop)
    try:
        done = [race(arguments, workload) for workload in arguments.workloads.split(",")]
    except Stopped:
        sys.exit(f"stopped; what was measured until then: {arguments.out}")
    print((arguments.out / "peers.md").read_text())
    note(f"raw: {arguments.out}")
    sys.exit(0 if all(done) else 1)
