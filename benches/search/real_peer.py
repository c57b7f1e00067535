"""One process of a peer in benches/search_real.py: Optuna over PyTorch or scikit-learn, until the time is over.

    real_peer.py LIBRARY SAMPLER PRUNER --data FOLDER --folds FOLDS.json --journal FILE --seed N --threads N
    real_peer.py LIBRARY check - --data … --folds … --configurations FILE --epochs N

Prints `ready` when the data are read and the libraries loaded, waits for a line with the seconds it has, and answers
with a JSON line: training steps, trials, the best validation accuracy. Several processes share a study by its journal.
With `check` it trains each configuration of the file for some epochs, and prints the best accuracy of each.
"""

import argparse
import importlib.metadata
import json
import pathlib
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from search import real_data, real_networks

MAX_EPOCHS, PATIENCE = 100, 20  # as `manytune tune` by default

# An epoch of this is trained before the clock starts: the libraries load their kernels.
FIRST = {
    "learning_rate": 1e-3, "learning_rate_init": 1e-3, "optimizer": "adam", "solver": "adam", "weight_decay": 1e-4, "alpha": 1e-4,
    "batch_size": 256, "lr_schedule": "constant", "hidden": "64", "activation": "relu", "dropout": 0.1, "label_smoothing": 0.0,
}


class TimeIsOver(BaseException):
    """Not an Exception, so that nothing on the way takes it for a failed trial."""


class Clock:
    """Counts the training steps, and ends the search at a step."""

    def __init__(self, seconds):
        self.end, self.steps = time.perf_counter() + seconds, 0

    def step(self, count=1):
        if time.perf_counter() > self.end:
            raise TimeIsOver
        self.steps += count


class Objective:
    """The best validation accuracy of a trial, with our early stopping; reports every epoch to the pruner."""

    def __init__(self, library, data, clock):
        self.library, self.data, self.clock = library, data, clock
        self.best_seen, self.best_complete, self.complete, self.pruned = 0.0, None, 0, 0

    def __call__(self, trial):
        import optuna

        chosen, best, best_epoch = self.library.suggest(trial), -1.0, 0
        for epoch, accuracy in enumerate(self.library.train(chosen, *self.data, MAX_EPOCHS, self.clock), 1):
            if accuracy > best:
                best, best_epoch = accuracy, epoch
            self.best_seen = max(self.best_seen, best)
            trial.report(accuracy, epoch)
            if epoch - best_epoch >= PATIENCE:
                break
            if trial.should_prune():
                self.pruned += 1
                raise optuna.TrialPruned
        self.complete += 1
        self.best_complete = max(self.best_complete or 0.0, best)
        return best


def study(arguments):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler, "gp": optuna.samplers.GPSampler}
    pruners = {
        "none": optuna.pruners.NopPruner,
        "median": optuna.pruners.MedianPruner,
        "hyperband": lambda: optuna.pruners.HyperbandPruner(min_resource=1, max_resource=MAX_EPOCHS, reduction_factor=3),
    }
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(arguments.journal))
    return optuna.create_study(
        study_name="mnist", direction="maximize", storage=storage, load_if_exists=True,
        sampler=samplers[arguments.sampler](seed=arguments.seed), pruner=pruners[arguments.pruner](),
    )


def search(arguments, library, data):
    import optuna

    found = study(arguments)
    next(library.train(library.suggest(optuna.trial.FixedTrial(FIRST)), *data, 1, Clock(60.0)))
    print("ready", flush=True)
    clock = Clock(float(input()))
    objective = Objective(library, data, clock)
    try:
        found.optimize(objective)
    except TimeIsOver:
        pass
    versions = " ".join(f"{name} {importlib.metadata.version(name)}" for name in ["optuna", library.version])
    said = {name: getattr(objective, name) for name in ["best_seen", "best_complete", "complete", "pruned"]}
    print(json.dumps(said | {"steps": clock.steps, "version": versions}), flush=True)


def check(arguments, library, data):
    configurations = json.loads(pathlib.Path(arguments.configurations).read_text())
    unlimited = Clock(float("inf"))
    print(json.dumps([max(library.train(one, *data, arguments.epochs, unlimited)) for one in configurations]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=sorted(real_networks.LIBRARIES))
    parser.add_argument("sampler")
    parser.add_argument("pruner")
    parser.add_argument("--data", required=True)
    parser.add_argument("--folds", required=True)
    parser.add_argument("--journal")
    parser.add_argument("--configurations")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    if arguments.library == "torch":
        import torch

        torch.set_num_threads(arguments.threads)
        torch.manual_seed(arguments.seed)
    else:
        import numpy

        numpy.random.seed(arguments.seed)  # MLPClassifier draws from it
    library, data = real_networks.LIBRARIES[arguments.library], real_data.load(arguments.data, arguments.folds)
    (check if arguments.sampler == "check" else search)(arguments, library, data)


if __name__ == "__main__":
    main()
