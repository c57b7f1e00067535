#!/usr/bin/env python3
"""The tables of benches/compare.py, from its raw results.

    benches/compare_table.py FOLDER
"""

import json
import pathlib
import statistics
import sys

# How each is called in a table; facts of a peer that ran say the same.
TITLES = {
    "manytune": "manytune", "sklearn_loop": "scikit-learn MLPClassifier", "sklearn_job": "scikit-learn search",
    "jax_vmap": "JAX jit(vmap(scan))", "torch_eager": "PyTorch eager loop", "torch_vmap": "PyTorch torch.func vmap",
    "torch_stacked": "PyTorch baddbmm", "torch_job": "PyTorch eager loop",
}


def number(value):
    """Four significant digits."""
    if value >= 1000:
        return f"{float(f'{value:.4g}'):,.0f}"
    return f"{value:.4g}"


def spread(values):
    return f"{number(statistics.median(values))} | {number(min(values))} | {number(max(values))}"


def rates(racer):
    return [found["config_steps_per_s"] for found in racer["rounds"] if "config_steps_per_s" in found]


def job_seconds(racer, steps):
    """Of each round. Ours: from the start of the process to the first epoch's result, then the epochs at the
    round's rate. A peer's: compilation, then the epochs; the interpreter and its imports are not counted."""
    found = []
    for one in racer["rounds"]:
        if "job_seconds" in one:
            found.append(one["job_seconds"])
        elif racer["name"] == "manytune":
            found.append(one["process_start_seconds"] + one["first_result_seconds"] + steps / one["config_steps_per_s"])
        else:
            found.append(racer["facts"]["compile_seconds"] + steps / one["config_steps_per_s"])
    return found


def described(racer):
    """Name, version, setting, precision, device: one cell."""
    facts = racer["facts"]
    title = TITLES[racer["name"].split()[0]]
    version = facts.get("version", "")
    if racer["name"] == "manytune":
        return f"**manytune {facts.get('version', '')}** ({facts.get('device', '')})".replace(" *", "*")
    if not facts:
        return f"{title} ({racer['name']})"
    timed = f", {facts['members_timed']} of the members timed" if "members_timed" in facts else ""
    return f"{title}, {facts['precision']} ({version}, {facts['device']}; {facts['setting']}{timed})"


def row(racer, cells, width):
    if racer["failure"] or not racer["rounds"]:
        return f"| {described(racer)} | {racer['failure'] or 'no rounds'} |" + " |" * (width - 2)
    return f"| {described(racer)} | {' | '.join(cells)} |"


def rate_table(found, ours):
    yield "| | config-steps/s, median | min | max | manytune ÷ this |"
    yield "|---|---|---|---|---|"
    for racer in found["racers"]:
        ratio = [number(statistics.median(rates(ours)) / statistics.median(rates(racer)))] if rates(racer) else []
        yield row(racer, [spread(rates(racer)), *ratio] if ratio else [], 5)


def job_table(found, ours, steps, second, of):
    yield f"| | {second} | job, s: median | min | max | this ÷ manytune |"
    yield "|---|---|---|---|---|---|"
    mine = job_seconds(ours, steps)
    for racer in found["racers"]:
        if racer["failure"] or not racer["rounds"]:
            yield row(racer, [], 6)
            continue
        seconds = job_seconds(racer, steps)
        yield row(racer, [of(racer), spread(seconds), number(statistics.median(seconds) / statistics.median(mine))], 6)


def started(racer):
    """Seconds before the first step of the job."""
    if racer["name"] == "manytune":
        return number(statistics.median(one["process_start_seconds"] + one["first_result_seconds"] for one in racer["rounds"]))
    return number(racer["facts"]["compile_seconds"])


def accuracy(racer):
    last = racer["rounds"][-1]
    return f"{last['mean_accuracy']:.4f} of {last['configurations']} configurations"


def section(found):
    ours = found["racers"][0]
    yield f"## {found['workload']}, {ours['facts'].get('members', 'no')} members"
    yield ""
    if ours["failure"]:
        yield f"manytune: {ours['failure']}"
        return
    if found["workload"] == "W7":
        yield "From the command to the leaderboard (peers: the search alone; where they ran some of the configurations, scaled to all)."
        yield ""
        yield from job_table(found, ours, None, "mean validation accuracy", accuracy)
        return
    yield from rate_table(found, ours)
    if found["workload"] == "W4":
        steps = found["job_epochs"] * found["steps_per_epoch"]
        yield ""
        yield (f"The job: {found['job_epochs']} epochs of all members, compilation included. Ours is counted from the start of the "
               "process, a peer's from the start of compilation or capture.")
        yield ""
        yield from job_table(found, ours, steps, "before the first step, s", started)


def markdown(folder):
    results = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("peers_W*.json"))]
    lines = ["# manytune and its peers", ""]
    for heading in dict.fromkeys(machine(found) for found in results):
        lines += [heading, ""]
    for found in results:
        lines += [*section(found), ""]
    return "\n".join(lines)


def machine(found):
    gpu = f"{found['gpu']}, driver {found['driver']}; " if found["gpu"] else ""
    return (f"{gpu}{found['processor']}, {found['cores']} cores, {found['threads']} threads for each contender; commit {found['commit']}; "
            f"{found['date'][:10]}; {found['rounds']} rounds, taken in turn.")


if __name__ == "__main__":
    print(markdown(sys.argv[1]))
