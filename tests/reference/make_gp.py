"""Makes the stored kernels, improvements, posteriors and likelihoods that Gaussian processes are compared with,
src/search/gp/.

    python -m venv venv && venv/bin/pip install numpy scipy scikit-learn mpmath
    venv/bin/python tests/reference/make_gp.py

Kernels, exponentials and improvements by mpmath in 60 digits. Posteriors and likelihoods by scikit-learn's
`GaussianProcessRegressor` with `ConstantKernel * Matern(nu=2.5)`: 19 points of three hyperparameters, the second of
which has two columns. Trials under way are three points more, without noise, whose values are drawn from the
posterior before them. Priors by `scipy.stats.gamma`.
"""

import json
import math
import pathlib

import mpmath
import numpy as np
import scipy
import sklearn
from scipy.stats import gamma
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

mpmath.mp.dps = 60
RANDOM = np.random.default_rng(20241124)
OWNERS = [0, 1, 1, 2]
OBSERVED, PENDING, QUERIES, FANTASIES = 19, 3, 11, 5
ROOT_5 = mpmath.sqrt(5)


def matern():
    cases = []
    for squared in [0.0, 5e-324, 1e-300, 1e-16, 1e-6, 0.01, 0.25, 1.0, 2.0, 4.0, 9.0, 100.0, 1e4, 97000.0]:
        r = mpmath.sqrt(mpmath.mpf(squared))
        decay = mpmath.exp(-ROOT_5 * r)
        value = (1 + ROOT_5 * r + mpmath.mpf(5) / 3 * squared) * decay
        slope = -mpmath.mpf(5) / 6 * (1 + ROOT_5 * r) * decay
        cases.append({"squared": squared, "value": float(value), "slope": float(slope)})
    return cases


def exponentials():
    half = math.log(2) / 2
    xs = [0.0, 5e-324, 1e-310, 1e-17, 1e-8, half, math.nextafter(half, 0), math.nextafter(half, 1), 1.0, 10.0,
          699.0, 699.5, math.nextafter(700.0, 0)]
    xs += [float(x) for x in RANDOM.uniform(0, 1, 60)] + [float(x) for x in RANDOM.uniform(0, 700, 200)]
    return [{"x": x, "value": float(mpmath.exp(-mpmath.mpf(x)))} for x in xs]


def density(z):
    return mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)


def cumulative(z):
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def gain(z):
    """phi(z) + z Phi(z); far out it cancels, which the digits must outlast."""
    with mpmath.workdps(120):
        return density(z) + z * cumulative(z)


def scores():
    zs = [-1e4, -1e3, -300.0, -100.0, -50.0, -38.6, -37.5, -25.5, -20.0, -12.0, -8.0, -6.0, -5.0, -4.999, -3.0, -2.0, -1.0,
          -0.5, -1e-3, -1e-12, 0.0, 1e-12, 1e-3, 0.25, 1.0, 2.0, 3.0, 5.0, 5.001, 8.0, 12.0, 25.0, 38.0, 40.0]
    zs += [float(z) for z in RANDOM.uniform(-30, 10, 60)]
    cases = []
    for z in zs:
        h = gain(mpmath.mpf(z))
        by_mean, by_deviation = cumulative(mpmath.mpf(z)) / h, density(mpmath.mpf(z)) / h
        cases.append({"z": z, "log": float(mpmath.log(h)), "by_mean": float(by_mean), "by_deviation": float(by_deviation)})
    return cases


def improvement(means, best, deviation):
    """The log of the mean expected improvement over fantasies, and its slopes by each mean and the deviation."""
    zs = [(mpmath.mpf(m) - mpmath.mpf(b)) / mpmath.mpf(deviation) for m, b in zip(means, best)]
    gains = [gain(z) for z in zs]
    whole = mpmath.mpf(deviation) * sum(gains)
    return {
        "value": float(mpmath.log(whole / len(zs))),
        "by_mean": [float(cumulative(z) / whole) for z in zs],
        "by_deviation": float(sum(density(z) for z in zs) / whole),
    }


def improvements():
    cases = []
    # All far below, some above and some below, one alone that is not lost.
    for center, spread, deviation in [(-3.0, 1.0, 0.7), (0.0, 2.0, 0.5), (-60.0, 5.0, 1.0), (-2.0, 0.5, 0.01), (0.0, 40.0, 0.3)]:
        means = RANDOM.normal(center, spread, 9).tolist()
        best = RANDOM.normal(0, 0.5, 9).tolist()
        cases.append({"means": means, "best": best, "deviation": deviation, **improvement(means, best, deviation)})
    return cases


def lengths(inverse_squares):
    return [1 / math.sqrt(inverse_squares[owner]) for owner in OWNERS]


def kernel(scales):
    return ConstantKernel(scales["variance"]) * Matern(lengths(scales["inverse_squares"]), nu=2.5)


def regressor(scales, points, targets, noises):
    return GaussianProcessRegressor(kernel(scales), alpha=np.array(noises), optimizer=None).fit(points, targets)


def posterior(points, targets, pending, queries, scales):
    own = kernel(scales)
    noises = [scales["noise"]] * len(points)
    process = regressor(scales, points, targets, noises)
    mean, deviation = process.predict(queries, return_std=True)
    best = float(process.predict(points).max())
    normals = RANDOM.standard_normal((len(pending), FANTASIES))
    # Values under way, each drawn beside those before it.
    values = np.zeros((len(pending), FANTASIES))
    for count in range(len(pending)):
        for f in range(FANTASIES):
            known = np.vstack([points, pending[:count]])
            drawn = regressor(scales, known, np.concatenate([targets, values[:count, f]]), noises + [0.0] * count)
            mu, sigma = drawn.predict(pending[count : count + 1], return_std=True)
            values[count, f] = mu[0] + sigma[0] * normals[count, f]
    means, bests = [], [max(best, values[:, f].max()) for f in range(FANTASIES)]
    for f in range(FANTASIES):
        known = np.vstack([points, pending])
        conditioned = regressor(scales, known, np.concatenate([targets, values[:, f]]), noises + [0.0] * len(pending))
        mu, sigma = conditioned.predict(queries, return_std=True)
        means.append(mu.tolist())
    acquisition = [improvement([means[f][q] for f in range(FANTASIES)], bests, float(sigma[q]))["value"] for q in range(len(queries))]
    alone = [improvement([mean[q]], [best], float(deviation[q]))["value"] for q in range(len(queries))]
    return {
        "mean": mean.tolist(), "variance": (deviation**2).tolist(), "best": best, "normals": normals.tolist(),
        "fantasies": {"means": means, "variance": (sigma**2).tolist(), "best": [float(b) for b in bests]},
        "acquisition": {"alone": alone, "beside": acquisition},
    }


def likelihood(points, targets, scales):
    full = kernel(scales) + WhiteKernel(scales["noise"])
    process = GaussianProcessRegressor(full, alpha=0.0, optimizer=None).fit(points, targets)
    value, slope = process.log_marginal_likelihood(full.theta, eval_gradient=True)
    # theta is (log variance, log length of each column, log noise); log of an inverse square is -2 log length.
    own = [-0.5 * sum(slope[1 + c] for c in range(len(OWNERS)) if OWNERS[c] == owner) for owner in range(3)]
    return {"value": float(value), "slope": [float(x) for x in [*own, slope[0], slope[-1]]]}


def prior(scales):
    return float(
        sum(gamma(3, scale=1 / 6).logpdf(1 / math.sqrt(theta)) for theta in scales["inverse_squares"])
        + gamma(2).logpdf(scales["variance"])
        + gamma(1.1, scale=1 / 30).logpdf(scales["noise"])
    )


def processes():
    points = RANDOM.random((OBSERVED, len(OWNERS)))
    targets = np.sin(5 * points[:, 0]) + points[:, 1] * points[:, 3] - 0.5 * points[:, 2]
    targets = (targets - targets.mean()) / targets.std()
    pending = RANDOM.random((PENDING, len(OWNERS)))
    queries = RANDOM.random((QUERIES, len(OWNERS)))
    cases = []
    for inverse_squares, variance, noise in [([4.0, 1.0, 0.3], 1.0, 1e-4), ([30.0, 0.05, 2.0], 2.5, 0.02), ([0.2, 0.1, 0.4], 0.6, 0.3)]:
        scales = {"inverse_squares": inverse_squares, "variance": variance, "noise": noise}
        cases.append({
            "scales": scales,
            "prior": prior(scales),
            "likelihood": likelihood(points, targets, scales),
            "posterior": posterior(points, targets, pending, queries, scales),
        })
    return {"owners": OWNERS, "points": points.tolist(), "targets": targets.tolist(), "pending": pending.tolist(),
            "queries": queries.tolist(), "cases": cases}


if __name__ == "__main__":
    stored = {
        "versions": {"mpmath": mpmath.__version__, "numpy": np.__version__, "scipy": scipy.__version__,
                     "sklearn": sklearn.__version__},
        "matern": matern(),
        "exponentials": exponentials(),
        "scores": scores(),
        "improvements": improvements(),
        "processes": processes(),
    }
    path = pathlib.Path(__file__).with_name("gp.json")
    path.write_text(json.dumps(stored, indent=1) + "\n")
