"""Makes the stored p values that tests/schedules.rs compares our signed-rank test with.

    python -m venv venv && venv/bin/pip install scipy
    venv/bin/python tests/reference/make_signed_rank.py

One-sided (`alternative="greater"`), zeros split: by SciPy's exact distribution where there are no ties, by all
2ⁿ signs where there are (at most 12 differences), and by its normal limit for more than 100 differences.
"""

import json
import pathlib
import platform

import numpy as np
import scipy
from scipy.stats import PermutationMethod, wilcoxon

RANDOM = np.random.default_rng(20240611)


def case(differences, method):
    differences = [float(d) for d in differences]
    method = {"exact": "exact", "normal": "approx", "all signs": PermutationMethod(n_resamples=2**14)}[method]
    found = wilcoxon(differences, zero_method="zsplit", alternative="greater", method=method, correction=False)
    return {"differences": differences, "p": float(found.pvalue)}


def main():
    cases = [case([0.02, 0.01, -0.005, 0.03, 0.015], "exact")]
    cases += [case(sign * np.arange(1, n + 1), "exact") for sign in (1, -1) for n in (1, 2, 3, 5)]
    cases += [case(RANDOM.normal(0.3, 1.0, n), "exact") for n in (2, 4, 5, 8, 10, 20, 40)]
    # Ties and zeros, as differences of accuracies have them.
    cases += [case(RANDOM.integers(-2, 4, n) / 64, "all signs") for n in (3, 5, 5, 8, 10, 12)]
    cases += [case([0.0, 0.0, 1.0], "all signs"), case([0.0, 1.0, 1.0, -1.0, 2.0], "all signs")]
    cases += [case(RANDOM.normal(0.1, 1.0, n), "normal") for n in (101, 300)]
    # No zeros here: SciPy's limit lets them vary, as if they had signs, and ours does not.
    steps = RANDOM.integers(-9, 12, 150) / 64
    cases += [case(steps[steps != 0], "normal")]
    made_with = f"scipy {scipy.__version__}, numpy {np.__version__}, Python {platform.python_version()}"
    text = json.dumps({"made_with": made_with, "cases": cases}, indent=1) + "\n"
    (pathlib.Path(__file__).parent / "signed_rank.json").write_text(text)


if __name__ == "__main__":
    main()
