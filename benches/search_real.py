#!/usr/bin/env python3
"""The best validation error on a real study after a minute, beside Optuna over PyTorch or scikit-learn on the same cores.

    benches/search_real.py [--contender manytune-auto,torch-tpe+hyperband] [--seeds 5] [--seconds 60] --out RAW.json
    benches/search_real.py --steps [--contender manytune-random+hyperband] [--seeds 5] --out RAW.json
    benches/search_real.py --markdown TABLE.md --out RAW.json                       only renders

MNIST's 10,000 test images, a fifth held out (--data names the folder of the two IDX files), the default space, at most
100 epochs, patience 20. Contenders: `manytune-STRATEGY[+SCHEDULE][:key=value;…]` (keys of [search] and [schedule], such
as trials and batch), `torch-SAMPLER[+PRUNER]` and `sklearn-SAMPLER[+PRUNER]` with Optuna's random, tpe, gp and its none,
median, hyperband. Ours counts from the start of its process; a peer has its libraries loaded, its data read and an
epoch trained before its time starts. All train on our rows and are scored on our held-out rows, after every epoch; a
trial that the end of the time cuts off counts with the epochs that it has. `--layout 2x1` is what a peer runs as:
processes x threads. Before a PyTorch peer runs, three configurations are trained by ours and by it, and must agree.

`--steps` counts training steps instead of seconds: random search runs its 100 trials to the end; each contender then
runs until a trial is at least as good as the best of those, and its steps are compared.
"""

import argparse
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import machine
from search import contenders, real_data, real_racers, real_tables
from search.raw import Raw

HERE = pathlib.Path(__file__).resolve().parent
TIMED = ["manytune-random", "manytune-auto", "manytune-random+hyperband", "manytune-auto+hyperband", "torch-random", "torch-tpe",
         "torch-tpe+median", "torch-tpe+hyperband", "sklearn-tpe", "sklearn-tpe+hyperband"]
COUNTED = ["manytune-random+hyperband", "manytune-random+successive_halving", "manytune-random+asha", "manytune-auto+hyperband"]
# Accuracies of the same configuration under other initial weights and minibatches differ by less than this, on average
# over three (seen: 0.01); a wrong learning rate, decay or activation by more.
AGREEMENT = 0.03


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contender", help="separated by commas; default: all that are usual")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--steps", action="store_true", help="count steps to random search's score")
    parser.add_argument("--reference", default="manytune-random", help="of --steps: whose final score is to be reached")
    parser.add_argument("--engine", default="cpu", choices=["cpu", "gpu"], help="of ours")
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parent / "examples" / "data")
    parser.add_argument("--folds", type=pathlib.Path, help="what `cargo bench --bench export_folds` printed; default: it is run")
    parser.add_argument("--layout", default=f"{machine.cores()}x1", help="a peer's processes x threads")
    parser.add_argument("--out", type=pathlib.Path, help="the raw results; default: results/<date>-<machine>/search-real.json")
    parser.add_argument("--markdown", type=pathlib.Path, help="renders the raw results there, and runs nothing")
    found = parser.parse_args()
    found.out = found.out or HERE / "results" / f"{datetime.date.today()}-{machine.slug('cpu')}" / "search-real.json"
    found.contenders = [name.replace(";", ",") for name in found.contender.split(",")] if found.contender else COUNTED if found.steps else TIMED
    found.layout = tuple(map(int, found.layout.split("x")))
    return found


def folds_file(arguments, folder):
    """Our rows: given, or printed by our own reader of the study."""
    if arguments.folds:
        return arguments.folds
    study, target = pathlib.Path(folder) / "study.toml", pathlib.Path(folder) / "folds.json"
    study.write_text(real_racers.study(arguments.data.resolve(), "random", "none", {}, 0))
    done = subprocess.run(["cargo", "bench", "--quiet", "--bench", "export_folds", "--", str(study)], capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode != 0:
        sys.exit(f"cargo bench --bench export_folds: {done.stderr.strip()[-400:]}")
    target.write_text(done.stdout)
    return target


def agree(arguments, folds, folder):
    """Stops where PyTorch's networks learn other than ours from the same configurations: the three best of a short study."""
    file, run, epochs = pathlib.Path(folder) / "agree.toml", f"{folder}/agree", 5
    file.write_text(real_racers.study(arguments.data.resolve(), "random", "none", {"trials": 8, "max_epochs": epochs}, 3))
    real_racers.command("tune", str(file), "--engine", arguments.engine, "--out", run, "--quiet")
    trials = sorted(json.loads(real_racers.command("show", run, "--format", "json"))["trials"], key=lambda trial: -(trial["value"] or 0.0))[:3]
    configurations = pathlib.Path(folder) / "agree.json"
    configurations.write_text(json.dumps([trial["hyperparameters"] for trial in trials]))
    peer = [sys.executable, str(HERE / "search/real_peer.py"), "torch", "check", "-", "--data", str(arguments.data), "--folds", str(folds),
            "--configurations", str(configurations), "--epochs", str(epochs)]
    done = subprocess.run(peer, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the peer does not run: {done.stderr.strip()[-400:]}")
    ours, theirs = statistics.fmean(trial["value"] for trial in trials), statistics.fmean(json.loads(done.stdout))
    note(f"three configurations, {epochs} epochs: ours {ours:.4f}, PyTorch {theirs:.4f}")
    if not abs(ours - theirs) <= AGREEMENT:
        sys.exit(f"they differ by more than {AGREEMENT}: it is not the same training that would be compared")


def note(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """What is run, and where its results are kept."""

    def __init__(self, arguments, folds):
        self.arguments, self.folds, self.raw = arguments, folds, Raw(arguments.out)
        self.facts = machine.facts(HERE.parent) | {"python": sys.version.split()[0]}
        (_, classes), _ = real_data.load(arguments.data, folds)
        self.train_rows = len(classes)

    def record(self, workload, contender, seed, run):
        """Runs it, unless the raw file has it of this binary; a failure is said."""
        had = self.raw.read()[1].get((workload, contender, seed))
        if had and (not contender.startswith("manytune") or had["version"] == contenders.version(contender)):
            return had
        try:
            found = run()
        except contenders.Failed as failure:
            return note(f"{workload} {contender} {seed}: {failure}")
        record = {"workload": workload, "contender": contender, "seed": seed, **found, "date": str(datetime.date.today())}
        self.raw.add(self.facts, record)
        note(f"{workload} {contender} {seed}: {found['best_seen']:.4f}, {found['steps']} steps, {found['seconds']} s")
        return record

    def tune(self, contender, seed, **limits):
        return real_racers.ours(contender, seed, self.arguments.data, self.train_rows, self.arguments.engine, **limits)

    def timed(self, contender, seed):
        arguments = self.arguments
        if contender.startswith("manytune"):
            run = lambda: self.tune(contender, seed, seconds=arguments.seconds)
        else:
            run = lambda: real_racers.peer(contender, seed, arguments.data, self.folds, arguments.seconds, arguments.layout)
        return self.record(f"mnist-{arguments.seconds:g}s", contender, seed, run)

    def counted(self, contender, seed):
        """Runs the reference first, where its result of this seed is not there yet."""
        reference = self.record("mnist-steps", self.arguments.reference, seed, lambda: self.tune(self.arguments.reference, seed))
        if not reference:
            return None
        goal = {"target": reference["best_complete"], "reference_steps": reference["steps"]}
        return self.record("mnist-steps", contender, seed, lambda: self.tune(contender, seed, target=goal["target"]) | goal)


def main():
    arguments = read_arguments()
    failures = 0
    if not arguments.markdown:
        with tempfile.TemporaryDirectory(prefix="search-") as folder:
            bench = Bench(arguments, folds_file(arguments, folder))
            if not arguments.steps and any(name.startswith("torch") for name in arguments.contenders):
                agree(arguments, bench.folds, folder)
            for seed in range(arguments.seeds):  # in turn, so that a busy while of the machine meets all
                for contender in arguments.contenders:
                    failures += (bench.counted if arguments.steps else bench.timed)(contender, seed) is None
    text = real_tables.markdown(Raw(arguments.out))
    (arguments.markdown or arguments.out.with_suffix(".md")).write_text(text)
    print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
