"""Makes the stored scores that src/report/action/ is compared with.

    python -m venv venv && venv/bin/pip install scikit-learn==1.9.1
    venv/bin/python tests/reference/make_action.py

Labels and probabilities of two classes and of four, one of which is never predicted and one of which has no rows, by
scikit-learn's confusion_matrix, precision_recall_fscore_support, calibration_curve (10 bins), brier_score_loss and
log_loss; values and predictions by its mean_squared_error, mean_absolute_error and r2_score; Wilson intervals by
scipy.stats.binomtest.
"""

import json
import math
import pathlib

import numpy as np
import scipy
import sklearn
from sklearn import calibration, metrics

RANDOM = np.random.default_rng(20261129)


def number(value):
    return None if math.isnan(value) else float(value)


def classes(count, rows, never=None, absent=None):
    labels = RANDOM.integers(0, count, rows)
    if absent is not None:
        labels[labels == absent] = 0
    logits = RANDOM.normal(0, 1.2, (rows, count))
    logits[np.arange(rows), labels] += 0.9
    if never is not None:
        logits[:, never] -= 20
    odds = np.exp(logits)
    p = np.round(odds / odds.sum(axis=1, keepdims=True), 9)
    p[:, -1] = 1 - p[:, :-1].sum(axis=1)
    said = p.argmax(axis=1)
    known = list(range(count))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, said, labels=known, zero_division=np.nan)
    curves = []
    for k in [1] if count == 2 else known:
        truth, mean = calibration.calibration_curve(labels == k, p[:, k], n_bins=10)
        curves.append({"class": k, "frequency": truth.tolist(), "probability": mean.tolist()})
    confidence = p.max(axis=1)
    truth, mean = calibration.calibration_curve(labels == said, confidence, n_bins=10)
    curves.insert(0, {"class": None, "frequency": truth.tolist(), "probability": mean.tolist()})
    return {
        "labels": labels.tolist(),
        "probabilities": p.flatten().tolist(),
        "confusion": metrics.confusion_matrix(labels, said, labels=known).tolist(),
        "accuracy": metrics.accuracy_score(labels, said),
        "precision": [number(x) for x in precision],
        "recall": [number(x) for x in recall],
        "f1": [number(x) for x in f1],
        "support": support.tolist(),
        "curves": curves,
        "brier": metrics.brier_score_loss(labels, p[:, 1] if count == 2 else p, labels=known),
        "log_loss": metrics.log_loss(labels, p, labels=known),
    }


def values(rows):
    own = np.round(RANDOM.normal(40, 12, rows), 3)
    said = np.round(own * 0.9 + RANDOM.normal(5, 4, rows), 3)
    return {
        "own": own.tolist(),
        "said": said.tolist(),
        "rmse": math.sqrt(metrics.mean_squared_error(own, said)),
        "mae": metrics.mean_absolute_error(own, said),
        "r2": metrics.r2_score(own, said),
        "bias": float((said - own).mean()),
    }


def intervals():
    pairs = [(0, 10), (3, 10), (10, 10), (70, 400)]
    found = [scipy.stats.binomtest(hits, count).proportion_ci(0.95, "wilson") for hits, count in pairs]
    return [{"hits": h, "count": n, "interval": [ci.low, ci.high]} for (h, n), ci in zip(pairs, found)]


stored = {
    "sklearn": sklearn.__version__,
    "classes": [classes(2, 150), classes(4, 120, never=2, absent=3)],
    "values": values(80),
    "intervals": intervals(),
}
path = pathlib.Path(__file__).parent / "action.json"
path.write_text(json.dumps(stored) + "\n")
