"""Makes the stored densities and distances that tree-structured Parzen estimators are compared with,
src/search/tpe/.

    python -m venv venv && venv/bin/pip install numpy scipy
    venv/bin/python tests/reference/make_tpe.py

Densities by `scipy.stats.truncnorm`, relative to the distribution of the space: `rate` log-uniform, so uniform as
a place; `width` a whole number in 1..6 with probability ln(v + 1) - ln(v); `kind` one of three; `momentum` of kind
1 only. Distances to the k-th nearest by `scipy.spatial.KDTree`.
"""

import json
import math
import pathlib

import numpy as np
import scipy
from scipy.spatial import KDTree
from scipy.stats import truncnorm

RANDOM = np.random.default_rng(20241124)
WIDTHS = 6
EDGES = [math.log(v) / math.log(WIDTHS + 1) for v in range(1, WIDTHS + 2)]


def normal(center, deviation):
    return truncnorm(-center / deviation, (1 - center) / deviation, center, deviation)


def density(kernel, candidate, smoothing):
    """The density of a candidate under a kernel, divided by that of the space."""
    own, deviations = kernel["member"], kernel["deviations"]
    value = normal(own["rate"], deviations[0]).pdf(candidate["rate"])
    low, high = EDGES[own["width"] - 1 : own["width"] + 1]
    bell = normal((low + high) / 2, deviations[1])
    low, high = EDGES[candidate["width"] - 1 : candidate["width"] + 1]
    value *= (bell.cdf(high) - bell.cdf(low)) / (high - low)
    value *= 3 * ((own["kind"] == candidate["kind"]) + smoothing) / (1 + 3 * smoothing)
    if own["momentum"] is not None and candidate["momentum"] is not None:
        value *= normal(own["momentum"], deviations[2]).pdf(candidate["momentum"])
    return value


def member():
    kind = int(RANDOM.integers(3))
    momentum = float(RANDOM.random()) if kind == 1 else None
    return {"rate": float(RANDOM.random()), "width": int(RANDOM.integers(1, WIDTHS + 1)), "kind": kind,
            "momentum": momentum}


def mixture():
    kernels = []
    for count in range(6):
        deviations = [float(d) for d in RANDOM.uniform(0.02, 0.8, 3)]
        kernels.append({"member": member(), "deviations": deviations, "weight": [2.0, 0.5, 0.0, 1.25, 1.0, 0.25][count]})
    whole = 1 + sum(kernel["weight"] for kernel in kernels)
    smoothing = 1 / (1 + sum(kernel["weight"] > 0 for kernel in kernels))
    candidates = []
    for _ in range(12):
        candidate = member()
        sums = sum(kernel["weight"] * density(kernel, candidate, smoothing) for kernel in kernels)
        candidates.append({"member": candidate, "log_density": math.log((sums + 1) / whole)})
    return {"kernels": kernels, "smoothing": smoothing, "candidates": candidates}


def distances():
    points = RANDOM.random((150, 3))
    found = {}
    for count in [2, 3, 16, 17, 99, 100, 101, 150]:
        rank = min(4 + math.ceil(math.sqrt(count)), count - 1)
        # The nearest is the point itself.
        nearest = KDTree(points[:count]).query(points[:count], rank + 1)[0][:, -1]
        found[count] = (nearest**2 / 3).tolist()
    return {"points": points.tolist(), "squares": found}


def draws():
    cases = []
    for center, deviation in [(0.0, 0.3), (0.5, 1.0), (0.93, 0.05), (1.0, 1.0)]:
        bell = normal(center, deviation)
        cases.append({"center": center, "deviation": deviation, "quartiles": bell.ppf([0.25, 0.5, 0.75]).tolist()})
    return cases


if __name__ == "__main__":
    stored = {
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
        "mixture": mixture(),
        "distances": distances(),
        "draws": draws(),
    }
    path = pathlib.Path(__file__).with_name("tpe.json")
    path.write_text(json.dumps(stored, indent=1) + "\n")
