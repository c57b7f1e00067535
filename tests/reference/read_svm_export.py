"""Has LIBSVM itself read what `manytune export` writes, and compares its predictions with `manytune predict`.

Run with libsvm-official 3.37 and numpy:

    python tests/reference/read_svm_export.py target/release/manytune

Trains small studies (two and three classes, with and without probabilities, values; every kernel), exports them and
predicts the same rows on both sides. Then has LIBSVM read the stored file `svm_export.model`, which a test of
`src/export/libsvm.rs` compares with what is written now, and stores what LIBSVM says of some rows in
`svm_export.json`.
"""

import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from libsvm import svmutil

HERE = Path(__file__).parent
KERNELS = {
    "rbf": "gamma = 0.4",
    "linear": "",
    "polynomial": "gamma = 0.3\ncoef0 = 0.5\ndegree = 2",
    "sigmoid": "gamma = 0.05\ncoef0 = -0.2",
}
TARGETS = ["two", "three", "numbered", "value"]


def table(path):
    """Sparse features, and targets of each kind that depend on them."""
    random = np.random.default_rng(3)
    x = np.round(random.standard_normal((240, 5)), 3) * (random.uniform(size=(240, 5)) < 0.8)
    score = x[:, 0] * x[:, 1] + x[:, 2] + 0.3 * random.standard_normal(240)
    three = np.digitize(score, [-0.4, 0.6])
    columns = {
        "two": np.where(score > 0, "yes", "no"),
        "three": np.array(["low", "middle", "high"])[three],
        "numbered": np.array([7, -2, 40])[three],
        "value": np.round(100 + 20 * score, 2),
    }
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{i}" for i in range(5)), *columns])
        writer.writerows(zip(*x.T.tolist(), *(column.tolist() for column in columns.values())))
    return x.astype(np.float32).astype(float)


def run(binary, *words):
    done = subprocess.run([binary, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{words}: {done.stderr}")
    return done.stdout, done.stderr


def study(folder, target, kernel, with_probabilities):
    ignored = [other for other in TARGETS if other != target]
    task = "regression" if target == "value" else "classification"
    lines = [
        "[data]", 'path = "table.csv"', f'target = "{target}"', f"ignore = {json.dumps(ignored)}", 'scale = "none"',
        f'task = "{task}"', "validation = 0.2", "[model]", 'kind = "svm"', "[search]", "trials = 1", "[space]",
        "c = 2.0", f'kernel = "{kernel}"', KERNELS[kernel],
        "epsilon = 0.1" if target == "value" else f"probabilities = {json.dumps(with_probabilities)}",
    ]
    (folder / "study.toml").write_text("\n".join(lines) + "\n")


def sparse(rows):
    """As LIBSVM reads them: numbered from 1 on, no zeros."""
    return [{i + 1: v for i, v in enumerate(row) if v} for row in rows.tolist()]


def libsvm_says(model, rows, with_probabilities):
    labels, _, values = svmutil.svm_predict([], sparse(rows), model, f"-q -b {int(with_probabilities)}")
    return np.array(labels), np.array(values)


def compare(binary, folder, x, target, kernel, with_probabilities):
    study(folder, target, kernel, with_probabilities)
    out = folder / f"run-{target}-{kernel}-{with_probabilities}"
    run(binary, "tune", folder / "study.toml", "--quiet", "--out", out)
    _, notes = run(binary, "export", out, "--out", folder / "export.model")
    text, _ = run(binary, "predict", out, folder / "table.csv")
    ours = list(csv.DictReader(text.splitlines()))
    model = svmutil.svm_load_model(str(folder / "export.model"))
    labels, values = libsvm_says(model, x, with_probabilities)
    predicted = [row["prediction"] for row in ours]
    if target == "value":
        offset, factor = map(float, re.search(r"means (\S+) \+ (\S+) \* p", notes).groups())
        difference = np.abs(offset + factor * labels - np.array(predicted, dtype=float)).max()
        # Kernel values of f32 here, of f64 there.
        if not difference <= 1e-3:
            sys.exit(f"{target} {kernel}: values differ by {difference}")
        return f"values within {difference:.1e}"
    if names := re.search(r"labels of the file: (.*)", notes):
        named = dict(part.split(" = ") for part in names.group(1).split(", "))
        theirs = [named[str(int(label))] for label in labels]
    else:
        theirs = [str(int(label)) for label in labels]
    unequal = sum(a != b for a, b in zip(theirs, predicted))
    if unequal:
        sys.exit(f"{target} {kernel}: {unequal} of {len(theirs)} predictions differ")
    if not with_probabilities:
        return f"{len(theirs)} predictions equal"
    order = [str(label) for label in model.get_labels()]
    named = {name: label for label, name in named.items()} if names else {}
    keys = [key for key in ours[0] if key.startswith("probability_")]
    places = [order.index(named.get(key.removeprefix("probability_"), key.removeprefix("probability_"))) for key in keys]
    difference = np.abs(values[:, places] - np.array([[float(row[key]) for key in keys] for row in ours])).max()
    if not difference <= 1e-4:
        sys.exit(f"{target} {kernel}: probabilities differ by {difference}")
    return f"{len(theirs)} predictions equal, probabilities within {difference:.1e}"


def store():
    """What LIBSVM says by the stored file."""
    model = svmutil.svm_load_model(str(HERE / "svm_export.model"))
    rows = np.array([[0.5, 0.0, -1.25], [0.0, 0.0, 0.0], [-2.0, 1.5, 0.75], [1.0, -1.0, 3.0]])
    labels, decisions = libsvm_says(model, rows, False)
    _, probabilities = libsvm_says(model, rows, True)
    facts = dict(rows=rows.ravel().tolist(), labels=labels.astype(int).tolist(), decisions=decisions.ravel().tolist(),
                 probabilities=probabilities.ravel().tolist())
    (HERE / "svm_export.json").write_text(json.dumps(facts) + "\n")


def main():
    binary = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        x = table(folder / "table.csv")
        for target in TARGETS:
            for with_probabilities in [False] if target == "value" else [False, True]:
                for kernel in KERNELS:
                    said = compare(binary, folder, x, target, kernel, with_probabilities)
                    print(f"{target:8} {kernel:10} {'probabilities' if with_probabilities else '':13} {said}")
    store()


main()
