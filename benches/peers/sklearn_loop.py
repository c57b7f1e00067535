"""scikit-learn's MLPClassifier, one model after another on each core: one process a core, BLAS at one thread.

    sklearn_loop.py FOLDER W1|W2|W3|W4 [--threads N] [--seconds S]

Public interface, one epoch per partial_fit. The exported initial parameters are written over those that its
first call drew, and that call's optimizer state is dropped, so that losses can be compared. Two classes would
get one logistic output; a third class without rows, its bias at -1e4, makes it the softmax of two that ours
is. A timed round is one epoch of some members, evenly spaced in the order of their work.
"""

import multiprocessing
import time
import warnings

import common

common.one_blas_thread()
arguments = common.arguments(__doc__)
if arguments.device != "cpu":
    raise SystemExit("scikit-learn's networks run on the processor only")

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
work = common.Work(arguments.folder, arguments.workload)
# scikit-learn adds epsilon to the root of the uncorrected second moment, ours (and the paper) to that of the
# corrected one: a small gradient then steps less. This one is the same at the first step, where it matters.
EPSILON = common.EPSILON * (1 - common.BETA2) ** 0.5
class_count = max(3, work.class_count)
data = {dtype: work.features.astype(dtype) for dtype in ["float32", "float64"]}


def start(member, dtype):
    """A model at the initial parameters of the work, before its first step."""
    model = MLPClassifier(member.sizes[1:-1], solver=member.optimizer, alpha=0.0, batch_size=member.batch_size,
                          learning_rate_init=member.learning_rate, momentum=member.momentum, nesterovs_momentum=False,
                          shuffle=False, beta_1=common.BETA1, beta_2=common.BETA2, epsilon=EPSILON)
    rows = slice(0, member.batch_size)
    model.partial_fit(data[dtype][rows], work.classes[rows], classes=range(class_count))
    for layer, (weights, bias) in enumerate(work.initial(member)):
        model.coefs_[layer][:, : weights.shape[1]], model.intercepts_[layer][: len(bias)] = weights, bias
    model.coefs_[-1][:, work.class_count :], model.intercepts_[-1][work.class_count :] = 0.0, -1e4
    del model._optimizer
    return model


def epoch(model, member, at, dtype):
    order = work.batches(member.batch_size)[at].ravel()
    model.partial_fit(data[dtype][order], work.classes[order])
    return model.loss_


def train(job):
    """(member, epochs, dtype) -> the mean loss of each epoch and the seconds that its epochs took."""
    member, epochs, dtype = job
    model = start(member, dtype)
    begin = time.perf_counter()
    losses = [epoch(model, member, at, dtype) for at in range(epochs)]
    return losses, time.perf_counter() - begin


if __name__ == "__main__":
    pool = multiprocessing.get_context("fork").Pool(arguments.threads)
    compared, worst, tried = work.spaced(16), {}, {}
    for dtype in data:
        pool.map(train, [(work.members[0], 1, dtype)] * arguments.threads, chunksize=1)
        found = pool.map(train, [(member, work.compared_epochs, dtype) for member in compared], chunksize=1)
        worst[dtype] = work.refuse_unless_equal(list(zip(*[losses for losses, _ in found])), compared)
        steps = sum(m.steps_per_epoch for m in compared) * work.compared_epochs
        tried[dtype] = arguments.threads * steps / sum(seconds for _, seconds in found)
    dtype = max(tried, key=tried.get)
    members, repeats = common.enough(work, tried[dtype], arguments.seconds, least=arguments.threads)
    jobs = [(member, 1, dtype) for member in reversed(members)] * repeats  # the longest first
    steps = sum(m.steps_per_epoch for m in members) * repeats

    def timed_round():
        begin = time.perf_counter()
        pool.map(train, jobs, chunksize=1)
        seconds = time.perf_counter() - begin
        return {"config_steps_per_s": steps / seconds, "seconds": seconds, "config_steps": steps}

    common.serve(
        {"peer": "scikit-learn MLPClassifier", "version": f"scikit-learn {sklearn.__version__}", "device": "cpu",
         "threads": arguments.threads, "precision": dtype, "setting": f"{arguments.threads} processes, {dtype}", "tried": tried,
         "compile_seconds": 0.0, "worst_difference": worst[dtype], "members_compared": len(compared),
         "members_timed": len(members)},
        timed_round,
    )
