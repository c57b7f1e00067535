"""The grid of a support vector machine, beside scikit-learn's GridSearchCV over LIBSVM.

    python benches/svm_grid.py --binary target/release/manytune n1000 digits --rounds 3

Both search 11 x 10 (C, gamma) on the same rows and the same five folds, on all cores, one after the other, round by
round; who begins alternates. Scores of all cells are compared in every round before any time is printed. Our time is
that of the whole command, from reading the CSV file to the saved model; scikit-learn's that of fit() alone, once its
workers have been started and have done the same on 200 rows.

Writes benches/results/<date>-<machine>/svm_grid_<table>.json after every round, and prints the medians. Needs numpy
and scikit-learn.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import machine
import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.svm import SVC

COSTS = 2.0 ** np.arange(-5, 16, 2)
GAMMAS = 2.0 ** np.arange(-15, 4, 2)
FOLDS = 5
HERE = Path(__file__).parent


def table(name):
    """Features that f32 holds exactly, classes, and the fold of each row."""
    if name == "digits":
        x, y = load_digits(return_X_y=True)
        x = x / 16.0
    else:
        random = np.random.default_rng(0)
        x = random.standard_normal((int(name.removeprefix("n")), 20))
        score = x[:, 0] * x[:, 1] + x[:, 2] + 0.5 * x[:, 3] ** 2 - 0.5
        y = (score + 0.5 * random.standard_normal(len(x)) > 0).astype(int)
    fold = np.random.default_rng(1).permutation(len(y)) % FOLDS
    return x.astype(np.float32).astype(float), y, fold


def write_study(folder, name, x, y, fold):
    names = [f"x{i}" for i in range(x.shape[1])]
    rows = (",".join([*(repr(v) for v in row), f"k{k}", f"f{f}"]) for row, k, f in zip(x.tolist(), y, fold))
    (folder / f"{name}.csv").write_text("\n".join([",".join([*names, "class", "fold"]), *rows]) + "\n")
    (folder / f"{name}.toml").write_text(
        f'[data]\npath = "{name}.csv"\ntarget = "class"\nscale = "none"\nfold_column = "fold"\n'
        '[model]\nkind = "svm"\n[engine]\nkind = "cpu"\n'
    )


def ours(binary, folder, name, round_number):
    out = folder / f"run{round_number}"
    start = time.perf_counter()
    subprocess.run([binary, "tune", folder / f"{name}.toml", "--out", out, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    board = json.loads(subprocess.run([binary, "show", out, "--format", "json"], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout)
    scores = {(t["hyperparameters"]["c"], t["hyperparameters"]["gamma"]): t["fold_values"] for t in board["trials"]}
    # (C, gamma, fold)
    return seconds, np.array([[scores[(c, g)] for g in GAMMAS] for c in COSTS])


def theirs(x, y, fold):
    search = GridSearchCV(SVC(cache_size=500), {"C": COSTS, "gamma": GAMMAS}, cv=PredefinedSplit(fold),
                          n_jobs=machine.cores(), refit=False)
    start = time.perf_counter()
    search.fit(x, y)
    seconds = time.perf_counter() - start
    folds = [search.cv_results_[f"split{f}_test_score"] for f in range(FOLDS)]
    return seconds, np.stack(folds, axis=-1).reshape(len(COSTS), len(GAMMAS), FOLDS)


def compare(found, expected, fold):
    """Refuses results that differ in more than a row or in one prediction of a thousand."""
    rows = np.bincount(fold)
    differing = np.abs(found - expected) * rows
    cell = np.unravel_index(differing.sum(-1).argmax(), differing.shape[:2])
    # Of equal counts of right predictions different rows may be right; this is what scores can tell.
    share = differing.sum() / (rows.sum() * found.shape[0] * found.shape[1])
    winners = [np.unravel_index(scores.mean(-1).argmax(), scores.shape[:2]) for scores in (found, expected)]
    behind = (expected[winners[1]] - expected[winners[0]]) @ rows
    facts = {
        "share_of_rows_scored_differently": share,
        "most_rows_of_a_cell": float(differing.sum(-1).max()),
        "in_cell": [float(COSTS[cell[0]]), float(GAMMAS[cell[1]])],
        "winner": [float(COSTS[winners[0][0]]), float(GAMMAS[winners[0][1]])],
        "their_winner": [float(COSTS[winners[1][0]]), float(GAMMAS[winners[1][1]])],
        "rows_that_our_winner_is_behind_by_their_scores": float(behind),
    }
    if not (share <= 0.001 and behind <= 1.0 + 1e-9):
        sys.exit(f"results differ: {json.dumps(facts)}")
    return facts


def race(arguments, name):
    """All rounds of one table; returns what is stored of it."""
    x, y, fold = table(name)
    theirs(x[:200], y[:200], fold[:200])
    said = {"date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"), **machine.facts(HERE.parent),
            "sklearn": sklearn.__version__, "table": name, "rows": x.shape[0], "features": x.shape[1],
            "classes": len(np.unique(y)), "cells": len(COSTS) * len(GAMMAS), "folds": FOLDS, "rounds": []}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_study(folder, name, x, y, fold)
        for number in range(arguments.rounds):
            print(f"{name}: round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
            racers = {"ours": lambda: ours(Path(arguments.binary).resolve(), folder, name, number),
                      "sklearn": lambda: theirs(x, y, fold)}
            order = list(racers) if number % 2 == 0 else list(racers)[::-1]
            done = {racer: racers[racer]() for racer in order}
            facts = compare(done["ours"][1], done["sklearn"][1], fold)
            said["rounds"].append({"first": order[0], "load_average": os.getloadavg(),
                                   "seconds": {racer: seconds for racer, (seconds, _) in done.items()}, **facts})
            medians = {racer: float(np.median([r["seconds"][racer] for r in said["rounds"]])) for racer in racers}
            said |= {"median_seconds": medians, "times_faster": medians["sklearn"] / medians["ours"]}
            arguments.out.mkdir(parents=True, exist_ok=True)
            (arguments.out / f"svm_grid_{name}.json").write_text(json.dumps(said, indent=1) + "\n")
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tables", nargs="+", help="digits, or n and a number of rows")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=3, help="at least 3, so that a median says something")
    parser.add_argument("--out", type=Path, default=HERE / "results" / f"{datetime.date.today()}-{machine.slug('cpu')}")
    arguments = parser.parse_args()
    if arguments.rounds < 3:
        parser.error("--rounds: at least 3")
    print("| table | ours, s | scikit-learn, s | times faster | scores that differ | rows behind |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in arguments.tables:
        said = race(arguments, name)
        worst = max(said["rounds"], key=lambda r: r["share_of_rows_scored_differently"])
        print(f"| {name}: {said['rows']} x {said['features']}, {said['classes']} classes "
              f"| {said['median_seconds']['ours']:.3g} | {said['median_seconds']['sklearn']:.3g} "
              f"| {said['times_faster']:.1f} | {worst['share_of_rows_scored_differently']:.1e} of the rows "
              f"| {worst['rows_that_our_winner_is_behind_by_their_scores']:g} |", flush=True)


main()
