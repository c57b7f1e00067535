"""Who searches in benches/search_real.py: `manytune tune`, and Optuna over a library's networks, for some seconds."""

import json
import math
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time

from search.contenders import BINARY, Failed, version
from search.real_data import IMAGES, LABELS

HERE = pathlib.Path(__file__).resolve().parent


def parsed(contender):
    """`manytune-tpe+hyperband:trials=500,batch=32` -> (manytune, tpe, hyperband, {trials: 500, batch: 32})."""
    name, _, options = contender.partition(":")
    maker, _, rest = name.partition("-")
    strategy, _, schedule = rest.partition("+")
    return maker, strategy, schedule or "none", dict(pair.split("=", 1) for pair in options.split(",") if pair)


def study(data, strategy, schedule, options, seed, target=None):
    """The study file. An option goes to [search] or [schedule], whichever knows it."""
    of_search = {"strategy": json.dumps(strategy), "seed": seed} | ({} if target is None else {"target_value": target})
    of_schedule = {"kind": json.dumps(schedule)}
    for name, value in options.items():
        (of_search if name in ["trials", "batch"] else of_schedule)[name] = value
    section = lambda name, entries: "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in entries.items()), ""])
    return "\n".join([
        section("data", {"path": json.dumps(str(data / IMAGES)), "labels": json.dumps(str(data / LABELS)), "validation": 0.2}),
        section("search", of_search), section("schedule", of_schedule),
    ])


def ours(contender, seed, data, train_rows, engine, seconds=None, target=None):
    """One `manytune tune`: the seconds are those of its process, from start to end.

    Trials that the time limit cuts off count with the epochs that they have, as a peer's do.
    """
    _, strategy, schedule, options = parsed(contender)
    with tempfile.TemporaryDirectory(prefix="search-") as folder:
        file, run = pathlib.Path(folder) / "study.toml", f"{folder}/run"
        file.write_text(study(data.resolve(), strategy, schedule, options, seed, target))
        limit = ["--time-limit", f"{seconds:g}s"] if seconds else []
        start = time.perf_counter()
        command("tune", str(file), "--engine", engine, "--out", run, "--quiet", *limit)
        wall = time.perf_counter() - start
        shown = json.loads(command("show", run, "--format", "json"))
    trials = shown["trials"]
    count = lambda state: sum(trial["state"] == state for trial in trials)
    values = [trial["value"] for trial in trials if trial["value"] is not None]
    steps = sum(trial["epochs"] * math.ceil(train_rows / trial["hyperparameters"]["batch_size"]) for trial in trials)
    return {
        "best_seen": max(values, default=0.0), "best_complete": shown["best"]["value"] if shown["best"] else None,
        "steps": steps, "complete": count("complete"), "pruned": count("pruned"), "trials": len(trials),
        "seconds": round(wall, 2), "version": version("manytune"),
    }


def command(*words):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"manytune {words[0]}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class PeerProcess:
    """One of a peer's processes."""

    def __init__(self, words, threads, cores, errors):
        threaded = {name: str(threads) for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]}
        self.errors, self.lines = errors, queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "real_peer.py"), *words, "--threads", str(threads)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | threaded,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def answer(self, limit):
        try:
            line = self.lines.get(timeout=limit)
        except queue.Empty:
            raise Failed(f"no answer after {limit:.0f} s") from None
        if line is None:
            self.errors.seek(0)
            raise Failed(f"stopped: {self.errors.read().strip()[-400:]}")
        return line.strip()

    def go(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def peer(contender, seed, data, folds, seconds, layout):
    """Optuna over a library, in `processes` processes of `threads` threads each, sharing the study by a journal."""
    library, sampler, pruner, _ = parsed(contender)
    processes, threads = layout
    cores = sorted(os.sched_getaffinity(0))[: processes * threads]
    with tempfile.TemporaryDirectory(prefix="search-") as folder, open(f"{folder}/stderr", "w+") as errors:
        words = [library, sampler, pruner, "--data", str(data), "--folds", str(folds), "--journal", f"{folder}/journal"]
        running = []
        try:
            for number in range(processes):
                running.append(PeerProcess([*words, "--seed", str(seed * processes + number)], threads, cores, errors))
                if running[-1].answer(300) != "ready":  # one after the other: the first makes the study
                    raise Failed("did not say that it is ready")
            for one in running:
                one.go(seconds)
            found = [json.loads(one.answer(seconds + 60)) for one in running]
        finally:
            for one in running:
                one.stop()
    best = lambda name: max((one[name] for one in found if one[name] is not None), default=None)
    total = lambda name: sum(one[name] for one in found)
    return {
        "best_seen": best("best_seen"), "best_complete": best("best_complete"), "steps": total("steps"), "complete": total("complete"),
        "pruned": total("pruned"), "seconds": seconds, "version": f"{found[0]['version']}, {processes} x {threads} threads",
    }
