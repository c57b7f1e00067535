"""Writes constraints.json: random expressions, and what Python itself makes of them.

The language of constraints (`src/space/constraint/mod.rs`) is a part of Python's, so Python is its oracle for
precedence, grouping, chains of comparisons and arithmetic. Expressions that Python refuses (a division by
zero, a logarithm of nothing) are left out.

    python3 tests/reference/make_constraints.py
"""

import json
import math
import pathlib
import random
import sys

FUNCTIONS = {
    "abs": abs, "min": min, "max": max, "log": math.log, "exp": math.exp, "sqrt": math.sqrt,
    "len": len, "sum": sum,
}


def number(rng, depth):
    kind = rng.randrange(11 if depth > 0 else 4)
    if kind == 0:
        return rng.choice(["0", "1", "2", "3", "0.5", "1e-3", "64", ".25"])
    if kind in (1, 2):
        return rng.choice(["width", "depth", "rate"])
    if kind == 3:
        return rng.choice(["hidden[0]", "hidden[-1]", "hidden[1]", "len(hidden)", "sum(hidden)", "max(hidden)"])
    if kind == 4:
        return f"-{number(rng, depth - 1)}"
    if kind == 5:
        function = rng.choice(["abs", "log", "exp", "sqrt"])
        return f"{function}({number(rng, depth - 1)})"
    if kind == 6:
        function = rng.choice(["min", "max"])
        return f"{function}({number(rng, depth - 1)}, {number(rng, depth - 1)})"
    if kind == 7:
        return f"({number(rng, depth - 1)})"
    operator = rng.choice(["+", "-", "*", "/", "**", "+", "-", "*"])
    return f"{number(rng, depth - 1)} {operator} {number(rng, depth - 1)}"


def truth(rng, depth):
    kind = rng.randrange(9 if depth > 0 else 4)
    if kind == 0:
        return rng.choice(["nesterov", "not nesterov", "True", "False"])
    if kind == 1:
        return rng.choice(["optimizer == 'sgd'", "optimizer != \"sgd\"", "'adam' == optimizer", "nesterov == True"])
    if kind in (2, 3):
        count = rng.choice([2, 2, 2, 3])
        parts = [number(rng, 2)]
        for _ in range(count - 1):
            parts += [rng.choice(["<", "<=", ">", ">=", "==", "!="]), number(rng, 2)]
        return " ".join(parts)
    if kind == 4:
        return f"not {truth(rng, depth - 1)}"
    if kind == 5:
        return f"({truth(rng, depth - 1)})"
    return f"{truth(rng, depth - 1)} {rng.choice(['and', 'or'])} {truth(rng, depth - 1)}"


def main():
    rng = random.Random(20)
    cases, truths = [], [0, 0]
    while len(cases) < 600:
        text = truth(rng, 3)
        names = {
            "width": rng.choice([1, 16, 48, 256]),
            "depth": rng.choice([1, 2, 3]),
            "rate": rng.choice([1e-4, 0.03, 0.5, 2.0]),
            "hidden": rng.choice([[64, 32], [8, 8], [128, 16, 4]]),
            "optimizer": rng.choice(["sgd", "adam"]),
            "nesterov": rng.choice([True, False]),
        }
        if not any(name in text for name in names) or len(text) > 160:
            continue
        try:
            found = eval(text, {"__builtins__": {}, **FUNCTIONS}, dict(names))
        except (ZeroDivisionError, ValueError, OverflowError, TypeError):
            continue
        # As many that hold as do not.
        if truths[found] >= 300:
            continue
        truths[found] += 1
        text = text.replace("True", "true").replace("False", "false")
        cases.append({"text": text, "configuration": names, "holds": found})
    out = {"made_by": f"Python {sys.version.split()[0]}", "cases": cases}
    path = pathlib.Path(__file__).with_name("constraints.json")
    path.write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
