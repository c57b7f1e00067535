"""Makes the stored course that the distribution of CMA-ES is compared with, src/search/cma_es/gaussian.rs.

    python -m venv venv && venv/bin/pip install numpy scipy cmaes
    venv/bin/python tests/reference/make_cma_es.py

Hansen's tutorial (arXiv:1604.00772, version 2) in matrices, with C factored by Cholesky and long steps shortened
as in Hansen 2011, "Injecting external solutions into CMA-ES". One generation from C = I is checked against the
`cmaes` package first, whose c_mu is that of the tutorial's first version. Members are random points of the cube;
their order is taken as their rank.
"""

import json
import math
import pathlib
import platform

import cmaes
import numpy as np

RANDOM = np.random.default_rng(20241124)


class Distribution:
    def __init__(self, mean, step, members, quarter=0.25, longest=None):
        n = self.n = len(mean)
        self.mean, self.step, self.covariance = np.array(mean), step, np.eye(n)
        self.step_path, self.path, self.generation = np.zeros(n), np.zeros(n), 0
        self.longest = math.sqrt(n) + 2 * n / (n + 2) if longest is None else longest
        raw = np.array([math.log((members + 1) / 2) - math.log(i) for i in range(1, members + 1)])
        mu = self.mu = members // 2
        effective = self.effective = raw[:mu].sum() ** 2 / (raw[:mu] ** 2).sum()
        effective_negative = raw[mu:].sum() ** 2 / (raw[mu:] ** 2).sum()
        self.c1 = 2 / ((n + 1.3) ** 2 + effective)
        self.cmu = min(1 - self.c1, 2 * (quarter + effective + 1 / effective - 2) / ((n + 2) ** 2 + effective))
        negative = min(
            1 + self.c1 / self.cmu,
            1 + 2 * effective_negative / (effective + 2),
            (1 - self.c1 - self.cmu) / (n * self.cmu),
        )
        self.weights = np.where(raw >= 0, raw / raw[:mu].sum(), negative * raw / -raw[raw < 0].sum())
        self.c_sigma = (effective + 2) / (n + effective + 5)
        self.d_sigma = 1 + 2 * max(0, math.sqrt((effective - 1) / (n + 1)) - 1) + self.c_sigma
        self.cc = (4 + effective / n) / (n + 4 + 2 * effective / n)
        self.length = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))

    def learn(self, points):
        root = np.linalg.cholesky(self.covariance)
        y = (points - self.mean) / self.step
        z = np.linalg.solve(root, y.T).T
        shrink = np.maximum(1, np.linalg.norm(z, axis=1) / self.longest)[:, None]
        y, z = y / shrink, z / shrink
        parents = self.weights[: self.mu]
        self.mean = np.clip(self.mean + self.step * parents @ y[: self.mu], 0, 1)
        self.generation += 1
        gain = math.sqrt(self.c_sigma * (2 - self.c_sigma) * self.effective)
        self.step_path = (1 - self.c_sigma) * self.step_path + gain * parents @ z[: self.mu]
        long = np.linalg.norm(self.step_path)
        settled = math.sqrt(1 - (1 - self.c_sigma) ** (2 * self.generation))
        h = 1 if long / settled < (1.4 + 2 / (self.n + 1)) * self.length else 0
        gain = math.sqrt(self.cc * (2 - self.cc) * self.effective)
        self.path = (1 - self.cc) * self.path + h * gain * parents @ y[: self.mu]
        weights = np.where(self.weights >= 0, self.weights, self.weights * self.n / np.maximum((z**2).sum(axis=1), 1e-60))
        kept = 1 + self.c1 * (1 - h) * self.cc * (2 - self.cc) - self.c1 - self.cmu * self.weights.sum()
        self.covariance = (
            kept * self.covariance
            + self.c1 * np.outer(self.path, self.path)
            + self.cmu * (weights[:, None, None] * y[:, :, None] * y[:, None, :]).sum(axis=0)
        )
        self.step = min(1, self.step * math.exp(min(1, self.c_sigma / self.d_sigma * (long / self.length - 1))))
        return h


def check_against_cmaes():
    for n, members in [(2, 6), (5, 8), (10, 30)]:
        mean, step = np.full(n, 0.5), 0.125
        points = mean + step * RANDOM.normal(size=(members, n))
        ours = Distribution(mean, step, members, quarter=0, longest=math.inf)
        theirs = cmaes.CMA(mean=mean, sigma=step, population_size=members)
        theirs.tell([(point, float(rank)) for rank, point in enumerate(points)])
        ours.learn(points)
        np.testing.assert_allclose(ours.mean, theirs._mean, rtol=1e-12)
        np.testing.assert_allclose(ours.step, theirs._sigma, rtol=1e-7)
        np.testing.assert_allclose(ours.covariance, theirs._C, rtol=1e-6, atol=1e-7)


def course(n, members, generations, pull):
    """Points near the mean, pulled to one side so that the paths grow; some far away."""
    distribution = Distribution([0.5] * n, 0.125, members)
    rows, halted = [], 0
    for generation in range(generations):
        spread = np.where(RANDOM.random((members, 1)) < 0.1, 4, 1) * distribution.step
        points = distribution.mean + pull * distribution.step + spread * RANDOM.normal(size=(members, n))
        points = np.round(np.clip(points, 0, 1) * 4096) / 4096
        halted += 1 - distribution.learn(points)
        rows.append({
            "points": points.tolist(),
            "mean": distribution.mean.tolist(),
            "step": distribution.step,
            "covariance": distribution.covariance.tolist(),
        })
    return {"dimensions": n, "members": members, "weights": distribution.weights.tolist(), "generations": rows}, halted


def main():
    check_against_cmaes()
    cases = [course(*shape) for shape in [(1, 4, 8, 0.3), (2, 5, 8, -0.3), (3, 6, 8, 1.5), (5, 16, 6, 0.3)]]
    assert sum(halted for _, halted in cases) > 0, "no path was ever held back"
    made_by = {"python": platform.python_version(), "numpy": np.__version__, "cmaes": cmaes.__version__}
    path = pathlib.Path(__file__).parent / "cma_es.json"
    lines = ",\n  ".join(json.dumps(case, separators=(",", ":")) for case, _ in cases)
    path.write_text(f'{{\n"made_by": {json.dumps(made_by)},\n"courses": [\n  {lines}\n]\n}}\n')
    print(path.name, path.stat().st_size, "bytes;", [halted for _, halted in cases], "paths held back")


main()
