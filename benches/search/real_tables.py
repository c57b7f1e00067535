"""The tables of benches/search_real.py, from its raw results."""

import statistics


def percent(values):
    low, median, high = min(values), statistics.median(values), max(values)
    return f"{100 * median:.2f} [{100 * low:.2f}, {100 * high:.2f}]"


def by_contender(records, workload):
    found = {}
    for record in records.values():
        if record["workload"] == workload:
            found.setdefault(record["contender"], []).append(record)
    return found


def timed_table(records, workload):
    found = by_contender(records, workload)
    yield f"## {workload.removeprefix('mnist-')} of wall time"
    yield ""
    yield ("Validation error in percent, median [least, most] over seeds: the best that any trial had, and the best of those that "
           "had ended (after their last epoch or by patience). Steps are minibatches of one network.")
    yield ""
    yield "| | best error, % | of ended trials | steps | ended | pruned | seconds | seeds |"
    yield "|---|---|---|---|---|---|---|---|"
    for contender, runs in sorted(found.items(), key=lambda item: -statistics.median(run["best_seen"] for run in item[1])):
        median = lambda name: statistics.median(run[name] for run in runs)
        ended = [1 - run["best_complete"] for run in runs if run["best_complete"] is not None]
        cells = [percent([1 - run["best_seen"] for run in runs]), percent(ended) if len(ended) == len(runs) else "not in all",
                 f"{median('steps'):,.0f}", f"{median('complete'):g}", f"{median('pruned'):g}", f"{median('seconds'):.1f}", str(len(runs))]
        yield f"| {contender} | {' | '.join(cells)} |"
    yield ""


def steps_table(records):
    found = by_contender(records, "mnist-steps")
    if not found:
        return
    yield "## Training steps to random search's final score"
    yield ""
    yield ("Random search's 100 trials to their end are the reference; each seed has its own. A contender runs until one of its trials "
           "has ended at least as well; the steps of all its trials count. Median [least, most].")
    yield ""
    yield "| | steps | part of the reference's | reached | seeds |"
    yield "|---|---|---|---|---|"
    for contender, runs in found.items():
        steps = f"{statistics.median(run['steps'] for run in runs):,.0f}"
        if "target" not in runs[0]:
            yield f"| {contender}, the reference | {steps} | 1 | | {len(runs)} |"
            continue
        parts = [run["steps"] / run["reference_steps"] for run in runs]
        reached = sum((run["best_complete"] or 0) >= run["target"] for run in runs)
        cells = f"{statistics.median(parts):.2f} [{min(parts):.2f}, {max(parts):.2f}]"
        yield f"| {contender} | {steps} | {cells} | {reached} of {len(runs)} | {len(runs)} |"
    yield ""


def markdown(raw):
    facts, records = raw.read()
    if not records:
        return "# A real study beside Optuna\n\nNo results yet.\n"
    versions = sorted({record["version"] for record in records.values()})
    lines = ["# A real study beside Optuna: 10,000 images of MNIST, the default space", "",
             f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; commit {facts['commit']}; {'; '.join(versions)}. "
             "How it is made: `benches/search_real.py`.", ""]
    for workload in sorted({key[0] for key in records} - {"mnist-steps"}):
        lines += timed_table(records, workload)
    return "\n".join([*lines, *steps_table(records)])
