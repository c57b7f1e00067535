"""W7 by scikit-learn: its search over MLPClassifier on the trials and folds of our study.

    sklearn_job.py FOLDER W7 [--threads N] [--trials N]

The configurations are ours, so the search is GridSearchCV over a list of single points (the machinery of
RandomizedSearchCV, which would draw its own). n_jobs is the number of cores, BLAS has one thread a process, the
standardisation is learned inside each fold, as ours is. No early stopping: `epochs` of each, at no tolerance.
alpha is our l2_penalty times the minibatch, since scikit-learn divides its penalty by the rows of one. float32
and float64 tables are tried on one configuration, and the quicker one runs. The table is read before the clock
starts (ours reads it within its time), and each network is scored once (ours after every epoch).
"""

import os
import time
import warnings

import common

common.one_blas_thread()
arguments = common.arguments(__doc__, lambda parser: parser.add_argument("--trials", type=int, default=None))
if arguments.device != "cpu":
    raise SystemExit("scikit-learn's networks run on the processor only")
os.environ["PYTHONWARNINGS"] = "ignore"  # its workers inherit it: not converged within the epochs is ordinary
warnings.filterwarnings("ignore")

import sklearn
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

job = common.Job(arguments.folder, arguments.trials)
tables = {dtype: job.features.astype(dtype) for dtype in ["float32", "float64"]}
folds = [(fold["train"], fold["validation"]) for fold in job.folds]


def run(configurations, dtype):
    points = [
        {"mlpclassifier__" + key: [value] for key, value in {
            "hidden_layer_sizes": tuple(c["hidden"]), "learning_rate_init": c["learning_rate"], "batch_size": c["batch_size"],
            "solver": c["optimizer"], "alpha": c["alpha"]}.items()}
        for c in configurations
    ]
    network = MLPClassifier(max_iter=job.epochs, tol=0.0, n_iter_no_change=job.epochs + 1, random_state=0)
    search = GridSearchCV(make_pipeline(StandardScaler(), network), points, cv=folds, n_jobs=arguments.threads,
                          scoring="accuracy", refit=False, error_score="raise")
    return search.fit(tables[dtype], job.classes).cv_results_["mean_test_score"]


tried = {}
for dtype in tables:
    run(job.configurations[:1], dtype)  # starts the processes
    start = time.perf_counter()
    run(job.configurations[len(job.configurations) // 2 :][:1], dtype)
    tried[dtype] = time.perf_counter() - start
dtype = min(tried, key=tried.get)
common.serve(
    {"peer": "scikit-learn search", "version": f"scikit-learn {sklearn.__version__}", "device": "cpu", "threads": arguments.threads,
     "precision": dtype, "setting": f"n_jobs={arguments.threads}, {dtype}", "tried": tried, "compile_seconds": 0.0},
    lambda: job.round(lambda configurations: run(configurations, dtype)),
)
