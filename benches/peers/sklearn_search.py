"""scikit-learn's RandomizedSearchCV over its multilayer perceptron, on the folds of one of our studies.

    sklearn_search.py TABLE FOLDS.json TRIALS [--jobs 2]

TABLE is penguins, titanic, diamonds or mnist (of examples/data); FOLDS.json comes from `cargo bench
--bench export_folds`. The space is ours as far as scikit-learn has it: widths, minibatches, learning rates
and epochs of our default space; relu, tanh and logistic; adam and sgd; an L2 penalty. It has no dropout,
label smoothing, weight decay, nor learning-rate schedules. Preprocessing (median and most frequent values,
one-hot, standardisation) is learned inside each fold, as ours is.

One thread of BLAS per process: two made this comparison up to 18 times slower. Prints one JSON line.
"""

import argparse
import json
import os

for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[variable] = "1"

import gzip
import pathlib
import time
import warnings

import numpy as np
import pandas
import sklearn
from scipy.stats import loguniform
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.metrics import get_scorer
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# Not converged within its epochs is an ordinary trial; so is one that diverged. Its workers inherit this.
os.environ["PYTHONWARNINGS"] = "ignore"
warnings.filterwarnings("ignore")

DATA = pathlib.Path(__file__).parents[2] / "examples" / "data"
WIDTHS = {
    "penguins": [(16,), (32,), (64,), (32, 32), (64, 64)],
    "titanic": [(16,), (32,), (64,), (32, 32), (64, 64)],
    "diamonds": [(32,), (64,), (64, 32), (64, 64), (128, 64)],
    "mnist": [(64,), (128,), (256,), (128, 64)],
}
BATCHES = {"penguins": [16, 32, 64], "titanic": [16, 32, 64], "diamonds": [128, 256, 512], "mnist": [64, 128, 256]}


def table(name):
    if name == "mnist":
        read = lambda file, skip: np.frombuffer(gzip.open(DATA / file).read(), np.uint8, offset=skip)
        images = read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float32)
        return pandas.DataFrame(images), read("t10k-labels-idx1-ubyte.gz", 8)
    file, target, ignored = {
        "penguins": ("penguins.csv", "species", []),
        "titanic": ("titanic.csv", "survived", ["alive"]),
        "diamonds": ("diamonds.csv.gz", "price", []),
    }[name]
    frame = pandas.read_csv(DATA / file).drop(columns=ignored)
    for column in frame.columns[frame.dtypes == bool]:
        frame[column] = frame[column].astype(float)
    return frame.drop(columns=[target]), frame[target].to_numpy()


def search(name, trials, folds, jobs):
    features, target = table(name)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    names = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    columns = ColumnTransformer([
        ("numbers", numbers, make_column_selector(dtype_include=np.number)),
        ("names", names, make_column_selector(dtype_exclude=np.number)),
    ])
    regression = name == "diamonds"
    network = (MLPRegressor if regression else MLPClassifier)(max_iter=100, random_state=0)
    model = TransformedTargetRegressor(network, transformer=StandardScaler()) if regression else network
    prefix = "model__regressor__" if regression else "model__"
    space = {
        "hidden_layer_sizes": WIDTHS[name],
        "activation": ["relu", "tanh", "logistic"],
        "solver": ["adam", "sgd"],
        "learning_rate_init": loguniform(3e-4, 3e-2),
        "alpha": loguniform(1e-6, 1e-1),
        "batch_size": BATCHES[name],
    }
    # How long each was trained is a score like any other: the search then says it.
    network_of = lambda pipeline: pipeline[-1].regressor_ if regression else pipeline[-1]
    scores = {
        "score": get_scorer("r2" if regression else "accuracy"),
        "epochs": lambda pipeline, features, target: network_of(pipeline).n_iter_,
    }
    pipeline = make_pipeline(columns, "passthrough")
    pipeline.steps[-1] = ("model", model)
    return RandomizedSearchCV(
        pipeline, {prefix + key: value for key, value in space.items()}, n_iter=trials, n_jobs=jobs, random_state=0,
        cv=[(fold["train"], fold["validation"]) for fold in folds], refit=False, error_score=np.nan,
        scoring=scores,
    ), features, target


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("table", choices=sorted(WIDTHS))
    arguments.add_argument("folds", type=pathlib.Path)
    arguments.add_argument("trials", type=int)
    arguments.add_argument("--jobs", type=int, default=2)
    arguments = arguments.parse_args()
    folds = json.loads(arguments.folds.read_text())["folds"]
    # The data are read before the clock starts; ours reads them within its time.
    searched, features, target = search(arguments.table, arguments.trials, folds, arguments.jobs)
    start = time.perf_counter()
    searched.fit(features, target)
    best = int(np.nanargmax(searched.cv_results_["mean_test_score"]))
    print(json.dumps({
        "table": arguments.table, "sklearn": sklearn.__version__, "trials": arguments.trials, "folds": len(folds),
        "jobs": arguments.jobs, "seconds": time.perf_counter() - start, "best": float(searched.cv_results_["mean_test_score"][best]),
        "epochs": float(np.nansum(searched.cv_results_["mean_test_epochs"])),
        "parameters": {key: str(value) for key, value in searched.cv_results_["params"][best].items()},
    }))
