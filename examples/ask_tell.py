"""Searches an objective written in Python, through the pipes of `manytune search`.

    cargo build --release && python3 examples/ask_tell.py

Needs nothing but Python 3. Interrupt it and run it again: it goes on behind what was told. Any program that
reads and writes lines can do the same. MANYTUNE names the binary, where it is not target/release/manytune.
"""

import json
import math
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
MANYTUNE = os.environ.get("MANYTUNE", os.path.join(ROOT, "target", "release", "manytune"))
SPACE = os.path.join(ROOT, "examples", "searches", "branin.toml")


def branin(x, y):
    """Three minima of 0.397887; Dixon and Szego, 1978."""
    curve = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def search(objective, *arguments):
    """The best trial of `manytune search` with these arguments; of an exception a trial has failed."""
    command = [MANYTUNE, "search", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            message = json.loads(line)
            if "best" in message:
                return message["best"]
            # The whole batch is here: evaluate it in any order, or all at once.
            for trial in message["ask"]:
                tell = {"number": trial["number"]}
                try:
                    tell["value"] = objective(**trial["hyperparameters"])
                except ArithmeticError:
                    tell["state"] = "failed"
                process.stdin.write(json.dumps({"tell": tell}) + "\n")
            process.stdin.flush()
    sys.exit(process.returncode)


if __name__ == "__main__":
    best = search(branin, SPACE, *sys.argv[1:])
    print(f"trial {best['number']}: {best['value']:.4f} at {best['hyperparameters']}")
