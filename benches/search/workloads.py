"""What is searched: an objective, its space, a budget, and how many suggestions are asked for at a time."""

import dataclasses
from typing import Callable

from search import functions, tables


@dataclasses.dataclass(frozen=True)
class Workload:
    """One problem under one budget. The regret is how far the best value found is from the best there is."""

    name: str
    title: str
    direction: str
    trials: int
    batch: int
    checkpoints: tuple  # trials after which the regret is kept
    shown: tuple  # those of them that the tables show
    contenders: tuple  # that run by default
    space: Callable  # () -> {name: (kind, low, high)}
    objective: Callable  # seed -> (hyperparameters -> value)
    best: Callable  # () -> the best value there is
    timed_from: int = 0  # suggestions are timed where so many results are told

    def regret(self, value):
        """Of the best value found; rounding may put that a little past the best there is."""
        return max(0.0, value - self.best() if self.direction == "minimize" else self.best() - value)


EVERY = ("manytune-random", "manytune-sobol", "manytune-tpe", "manytune-gp", "manytune-cma_es", "manytune-auto",
         "optuna-random", "optuna-qmc", "optuna-tpe", "optuna-cma_es", "optuna-gp")
MODELS = ("manytune-tpe", "manytune-gp", "manytune-auto", "optuna-tpe", "optuna-gp")


def of_function(name, trials, batch):
    function = functions.ALL[name]
    sequential = batch == 1
    steps = range(10, trials + 1, 10) if sequential else range(batch, trials + 1, batch)
    return Workload(
        name=name if sequential else f"{name}-{trials // batch}x{batch}",
        title=f"{name}, {trials} trials" if sequential else f"{name}, {trials // batch} batches of {batch}",
        direction="minimize", trials=trials, batch=batch, checkpoints=tuple(steps),
        shown=(50, 100) if sequential else (trials // 2, trials), contenders=EVERY,
        space=function.space, objective=function.objective, best=lambda: function.minimum,
    )


def of_table(name):
    return Workload(
        name=f"hpo-{name}", title=f"MLP table {name}, 100 trials", direction="maximize", trials=100, batch=1,
        checkpoints=tuple(range(10, 101, 10)), shown=(50, 100), contenders=MODELS,
        space=lambda: tables.space(name), objective=lambda seed: tables.objective(name), best=lambda: tables.best(name),
    )


def of_cost(batch, contenders):
    """What a suggestion costs beside 1,000 results, of five real numbers: the last hundred or two batches are timed."""
    trials = 1050 if batch == 1 else 1000 // batch * batch + 2 * batch
    return dataclasses.replace(
        of_function("ackley5", trials, batch), name=f"cost-{batch}", title=f"suggestions at 1,000 trials, {batch} at a time",
        checkpoints=(trials,), shown=(trials,), contenders=contenders, timed_from=950,
    )


GROUPS = {
    "functions": [of_function(name, 100, 1) for name in functions.ALL],
    "batched": [of_function("hartmann6", 128, 16), of_function("hartmann6", 512, 64)],
    "hpo": [of_table(name) for name in tables.NAMES],
    "cost": [
        of_cost(1, ("manytune-random", "manytune-tpe", "manytune-cma_es", "optuna-random", "optuna-random+sqlite",
                    "optuna-tpe", "optuna-tpe+sqlite", "optuna-cma_es", "optuna-gp")),
        of_cost(64, ("manytune-random", "manytune-tpe", "manytune-gp", "manytune-auto", "optuna-tpe", "optuna-gp")),
    ],
}
ALL = {workload.name: workload for group in GROUPS.values() for workload in group}
