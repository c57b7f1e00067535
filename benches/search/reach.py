"""What the search is meant to reach, and whether the raw results say that it does."""

from search import workloads

# Contender, workload, trials, the most that the median regret may be.
REGRETS = [
    ("manytune-tpe", "branin", 100, 0.02),
    ("manytune-gp", "branin", 100, 2e-5),
    ("manytune-tpe", "hartmann6", 100, 0.13),
    ("manytune-gp", "hartmann6", 100, 3e-4),
    ("manytune-gp", "hartmann6-8x16", 128, 1e-3),
    ("manytune-tpe", "hartmann6-8x64", 512, 0.08),
    ("manytune-gp", "hartmann6-8x64", 512, 1e-3),
]
# Our best strategy is to be no worse than Optuna's best sampler.
BEATEN = [("ackley5", 100), ("rosenbrock4", 100)]
# Contender, workload, the most milliseconds a suggestion.
COSTS = [("manytune-tpe", "cost-1", 1.0), ("manytune-gp", "cost-64", 20.0)]


def verdict(found, limit):
    return "yes" if found <= limit else "no"


def regret_rows(results):
    for contender, workload, trial, limit in REGRETS:
        found = results.median_regret(workload, contender, trial)
        if found is not None:
            yield f"{workloads.ALL[workload].title}: {contender}", f"≤ {limit:g}", f"{found:.3g}", verdict(found, limit)


def best_rows(results):
    for workload, trial in BEATEN:
        medians = {name: results.median_regret(workload, name, trial) for name in results.contenders(workloads.ALL[workload])}
        ours, theirs = ({n: m for n, m in medians.items() if n.startswith(maker)} for maker in ["manytune", "optuna"])
        if ours and theirs:
            best, rival = min(ours, key=ours.get), min(theirs, key=theirs.get)
            title = f"{workloads.ALL[workload].title}: {best}"
            yield title, f"≤ {theirs[rival]:.3g} ({rival})", f"{ours[best]:.3g}", verdict(ours[best], theirs[rival])


def rank_rows(results):
    for trial in (50, 100):
        ranks = results.ranks(trial)
        ours, theirs = ([rank for name, rank in ranks.items() if name.startswith(maker)] for maker in ["manytune", "optuna"])
        if ours and theirs:
            yield f"MLP tables, {trial} trials: best mean rank of ours", f"< {min(theirs):.2f}", f"{min(ours):.2f}", "yes" if min(ours) < min(theirs) else "no"


def cost_rows(results):
    for contender, workload, limit in COSTS:
        found = sorted(results.milliseconds(workload, contender))
        if found:
            median = found[len(found) // 2]
            yield f"{workloads.ALL[workload].title}: {contender}", f"≤ {limit:g} ms", f"{median:.3g} ms", verdict(median, limit)


def table(results):
    rows = [*regret_rows(results), *best_rows(results), *rank_rows(results), *cost_rows(results)]
    if not rows:
        return
    yield "| what is to be reached (median regret, where nothing else is said) | limit | found | reached |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
