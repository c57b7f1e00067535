"""What looking inside models costs: the same study with and without histograms, in turn, medians of the rounds.

    benches/inside_cost.py --binary target/release/manytune [penguins w7] [--rounds 5]

Every round runs each study once a way, in an order that turns from round to round. Leaderboards must agree in every
digit, else there is no time. Writes inside_cost.json under benches/results/<date>-<machine>/.
"""

import argparse
import datetime
import json
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
WAYS = ["none", "best:8", "all"]


def w7(folder):
    """The workload W7 of `manytune bench` as a study file: 10,000 rows x 100 columns, 20 configurations x 5 folds, 10
    epochs."""
    import random

    table = folder / "w7.csv"
    draw = random.Random(7)
    weights = [draw.gauss(0, 1) for _ in range(100)]
    with table.open("w") as file:
        file.write(",".join(f"x{i}" for i in range(100)) + ",y\n")
        for _ in range(10_000):
            row = [draw.gauss(0, 1) for _ in range(100)]
            label = sum(w * x for w, x in zip(weights, row)) + draw.gauss(0, 5) > 0
            file.write(",".join(f"{x:.4f}" for x in row) + f",c{int(label)}\n")
    study = folder / "w7.toml"
    study.write_text(
        f"""[data]
path = "{table}"
target = "y"
[search]
strategy = "random"
trials = 20
[schedule]
max_epochs = 10
patience = 10
[space]
learning_rate = {{ log_uniform = [1e-4, 1e-2] }}
hidden = [[64], [128], [128, 64]]
activation = ["relu", "tanh"]
optimizer = "adam"
batch_size = [64, 128]
"""
    )
    return study


def studies(names, folder):
    made = {"w7": lambda: w7(folder)}
    return {name: made.get(name, lambda: ROOT / "benches/studies" / f"{name}.toml")() for name in names}


def tune(binary, study, way, out, engine):
    command = [binary, "tune", study, "--strategy", "random", "--histograms", way, "--out", out, "--quiet", *engine]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of all threads: what a look takes is taken on a thread that may have been idle.
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    shown = subprocess.run([binary, "show", out, "--format", "json"], check=True, capture_output=True)
    board = json.loads(shown.stdout)
    rows = [{key: value for key, value in trial.items() if key != "seconds"} for trial in board["trials"]]
    return seconds, busy, rows, sum(file.stat().st_size for file in pathlib.Path(out).iterdir())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", default=["penguins", "w7"])
    parser.add_argument("--binary", default=str(ROOT / "target/release/manytune"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", default="cpu")
    parser.add_argument("--device")
    arguments = parser.parse_args()
    engine = ["--engine", arguments.engine] + (["--device", arguments.device] if arguments.device else [])
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, study in studies(arguments.studies, folder).items():
            seconds, busy = {way: [] for way in WAYS}, {way: [] for way in WAYS}
            bytes_, expected = {}, None
            for turn in range(arguments.rounds):
                for way in WAYS[turn % len(WAYS):] + WAYS[:turn % len(WAYS)]:
                    out = folder / f"{name}-{turn}-{way.replace(':', '')}"
                    took, worked, board, bytes_[way] = tune(arguments.binary, study, way, out, engine)
                    expected = expected or board
                    assert board == expected, f"{name}: histograms {way} change the leaderboard"
                    seconds[way].append(took)
                    busy[way].append(worked)
            middle = {way: statistics.median(seconds[way]) for way in WAYS}
            worked = {way: statistics.median(busy[way]) for way in WAYS}
            results[name] = {"seconds": seconds, "processor_seconds": busy, "bytes": bytes_}
            for way in WAYS:
                cost, work = (100 * (of[way] / of["none"] - 1) for of in (middle, worked))
                print(
                    f"{name:10} {way:8} {middle[way]:8.3f} s {cost:+6.2f} %, of the processor "
                    f"{worked[way]:8.3f} s {work:+6.2f} %, {bytes_[way]} bytes",
                    flush=True,
                )
    place = ROOT / "benches/results" / f"{datetime.date.today()}-{machine.slug(arguments.engine)}"
    place.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**machine.facts(ROOT), "results": results}, indent=1)
    (place / "inside_cost.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
