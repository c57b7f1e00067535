"""Writes svm.json: what LIBSVM, through scikit-learn, finds for kernel machines.

Run with scikit-learn 1.9 and numpy: python tests/reference/make_svm.py
"""

import json
from pathlib import Path

import numpy as np
from sklearn.calibration import _SigmoidCalibration
from sklearn.datasets import load_svmlight_file
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.svm import SVC, SVR

HERE = Path(__file__).parent
TOLERANCE = 1e-6  # tighter than LIBSVM's default, so that the reference is the optimum itself
SKLEARN = {"rbf": "rbf", "linear": "linear", "polynomial": "poly", "sigmoid": "sigmoid"}


def rounded(rows):
    """Numbers that f32 holds exactly, so that both sides have the same data."""
    return np.asarray(rows, dtype=np.float32).astype(float)


def settings(kernel, c, gamma, coef0=0.0, degree=3, epsilon=0.1, balanced=False):
    return dict(kernel=kernel, c=c, gamma=gamma, coef0=coef0, degree=degree, epsilon=epsilon, balanced=balanced)


def kernel_matrix(s, x, z):
    extra = {
        "rbf": dict(gamma=s["gamma"]),
        "linear": {},
        "polynomial": dict(gamma=s["gamma"], coef0=s["coef0"], degree=s["degree"]),
        "sigmoid": dict(gamma=s["gamma"], coef0=s["coef0"]),
    }[s["kernel"]]
    return pairwise_kernels(x, z, metric=SKLEARN[s["kernel"]], **extra)


def common(s):
    return dict(kernel=SKLEARN[s["kernel"]], C=s["c"], gamma=s["gamma"], coef0=s["coef0"], degree=s["degree"],
                tol=TOLERANCE, cache_size=500)


def classify(name, s, x, y, new):
    """y holds 0, 1, …; one dual problem a pair, the lower class positive, as one-against-one in LIBSVM."""
    fit = SVC(class_weight="balanced" if s["balanced"] else None, **common(s)).fit(x, y)
    classes = np.unique(y)
    pairs = []
    for i in classes:
        for j in classes[classes > i]:
            rows = np.flatnonzero((y == i) | (y == j))
            # scikit-learn turns the sign where there are two classes only: fit pairs by themselves.
            weights = {k: len(y) / (len(classes) * np.sum(y == k)) if s["balanced"] else 1.0 for k in (i, j)}
            pair = SVC(class_weight=weights, **common(s)).fit(x[rows], y[rows])
            a = np.zeros(len(rows))
            a[pair.support_] = -pair.dual_coef_[0]
            sign = np.where(y[rows] == i, 1.0, -1.0)
            objective = 0.5 * a @ kernel_matrix(s, x[rows], x[rows]) @ a - a @ sign
            bound = s["c"] * np.where(y[rows] == i, weights[i], weights[j])
            bounded = int(np.sum(np.abs(a) >= bound * (1 - 1e-12)))
            pairs.append(dict(objective=objective, rho=float(pair.intercept_[0]), support=len(pair.support_),
                              bounded=bounded))
    return dict(name=name, settings=s, pairs=pairs, predictions=fit.predict(new).tolist())


def regress(name, s, x, y, new):
    fit = SVR(epsilon=s["epsilon"], **common(s)).fit(x, y)
    a = np.zeros(len(y))
    a[fit.support_] = fit.dual_coef_[0]
    objective = 0.5 * a @ kernel_matrix(s, x, x) @ a - a @ y + s["epsilon"] * np.abs(a).sum()
    pair = dict(objective=objective, rho=-float(fit.intercept_[0]), support=len(fit.support_),
                bounded=int(np.sum(np.abs(a) >= s["c"] * (1 - 1e-12))))
    return dict(name=name, settings=s, pairs=[pair], predictions=fit.predict(new).tolist())


def main():
    random = np.random.default_rng(6)
    x, y = load_svmlight_file(str(HERE / "../../examples/data/heart_scale"), n_features=13)
    heart_x, heart_y = rounded(x.toarray()), np.where(y > 0, 0, 1)
    three_x = rounded(random.standard_normal((120, 4)))
    three_y = np.digitize(three_x[:, 0] * three_x[:, 1] + 0.4 * random.standard_normal(120), [-0.4, 0.5])
    three_new = rounded(random.standard_normal((400, 4)))
    curve_x = rounded(random.uniform(-2, 2, (90, 2)))
    curve_y = rounded(np.sin(2 * curve_x[:, 0]) + 0.5 * curve_x[:, 1] + 0.1 * random.standard_normal(90))
    curve_new = rounded(random.uniform(-2, 2, (100, 2)))
    large = 2.0**15
    heart = [("heart " + n, s) for n, s in [
        ("rbf", settings("rbf", 1.0, 1 / 13)),
        ("rbf, large C", settings("rbf", large, 1 / 13)),
        ("rbf, large C and gamma", settings("rbf", large, 8.0)),
        ("rbf, small C", settings("rbf", 2.0**-5, 2.0**-15)),
        ("rbf, balanced", settings("rbf", 4.0, 0.1, balanced=True)),
        ("linear", settings("linear", 1.0, 1.0)),
        ("polynomial", settings("polynomial", 1.0, 0.1, 1.0, 3)),
        ("sigmoid", settings("sigmoid", 1.0, 0.01, -0.5)),
    ]]
    three = [("three " + n, s) for n, s in [
        ("rbf", settings("rbf", 2.0, 0.5)),
        ("rbf, balanced", settings("rbf", 8.0, 0.25, balanced=True)),
        ("rbf, large C", settings("rbf", large, 0.125)),
        ("polynomial", settings("polynomial", 0.5, 0.5, 0.5, 2)),
    ]]
    curve = [("curve " + n, s) for n, s in [
        ("rbf", settings("rbf", 1.0, 0.5, epsilon=0.1)),
        ("rbf, larger C", settings("rbf", 2.0**5, 0.5, epsilon=0.05)),
        ("rbf, no tube", settings("rbf", 1.0, 1.0, epsilon=0.0)),
        ("linear", settings("linear", 1.0, 1.0, epsilon=0.2)),
    ]]
    decisions = rounded(random.standard_normal(200) * 2)
    is_first = random.uniform(size=200) < 1 / (1 + np.exp(-1.3 * decisions + 0.4))
    fitted = _SigmoidCalibration().fit(decisions, is_first.astype(int))
    data = {
        "heart": dict(x=heart_x.ravel().tolist(), features=13, y=heart_y.tolist(), new=heart_x.ravel().tolist()),
        "three": dict(x=three_x.ravel().tolist(), features=4, y=three_y.tolist(), new=three_new.ravel().tolist()),
        "curve": dict(x=curve_x.ravel().tolist(), features=2, y=curve_y.tolist(), new=curve_new.ravel().tolist()),
    }
    cases = [classify(n, s, heart_x, heart_y, heart_x) for n, s in heart]
    cases += [classify(n, s, three_x, three_y, three_new) for n, s in three]
    cases += [regress(n, s, curve_x, curve_y, curve_new) for n, s in curve]
    sigmoid = dict(decisions=decisions.tolist(), is_first=is_first.tolist(), a=fitted.a_, b=fitted.b_)
    text = json.dumps(dict(data=data, cases=cases, sigmoid=sigmoid))
    (HERE / "svm.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")


main()
