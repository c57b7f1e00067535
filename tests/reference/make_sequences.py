"""Makes the stored points that the Sobol and Halton sequences are compared with, and the table of directions.

    python -m venv venv && venv/bin/pip install scipy
    venv/bin/python tests/reference/make_sequences.py          writes sequences.json beside this script
    venv/bin/python tests/reference/make_sequences.py --table  prints the lines of src/search/sobol/joe_kuo.txt

Everything is unscrambled: SciPy's scrambling draws from another generator than ours. SciPy ships Joe and Kuo's
direction numbers, with the polynomials as whole numbers: 2^s + 2a + 1 of degree s and inner coefficients a.
"""

import json
import pathlib
import platform
import sys

import numpy as np
import scipy
from scipy.stats import qmc

DIMENSIONS = 256
FOLDER = pathlib.Path(__file__).parent


def table():
    file = np.load(pathlib.Path(scipy.stats.__file__).parent / "_sobol_direction_numbers.npz")
    for dimension in range(1, DIMENSIONS):
        polynomial = int(file["poly"][dimension])
        degree = polynomial.bit_length() - 1
        inner = (polynomial - (1 << degree)) >> 1
        numbers = [int(m) for m in file["vinit"][dimension][:degree]]
        print(dimension + 1, degree, inner, *numbers)


def sobol():
    """Points of all dimensions as whole multiples of 2^-20, exact below point 2^20."""
    engine = qmc.Sobol(DIMENSIONS, scramble=False, bits=20)
    cases, passed = [], 0
    for index in [*range(20), 63, 64, 1000, 4095, 99_999, 2**20 - 1]:
        if index > passed:
            engine.fast_forward(index - passed)
        point = engine.random(1)[0] * 2**20
        assert (point == np.round(point)).all()
        passed = index + 1
        cases.append({"index": index, "numerators": [int(p) for p in point]})
    return cases


def halton():
    points = qmc.Halton(20, scramble=False).random(1001)
    return [{"index": index, "point": points[index].tolist()} for index in [*range(12), 100, 999, 1000]]


def main():
    if "--table" in sys.argv:
        return table()
    content = {
        "made_by": {"python": platform.python_version(), "scipy": scipy.__version__},
        "sobol": sobol(),
        "halton": halton(),
    }
    cases = lambda value: "[\n  " + ",\n  ".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n]"
    lines = [f"{json.dumps(k)}: {cases(v) if isinstance(v, list) else json.dumps(v)}" for k, v in content.items()]
    path = FOLDER / "sequences.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(path.name, path.stat().st_size, "bytes")


main()
