"""Writes digits.csv.gz: scikit-learn's 1,797 images of 8 x 8 pixels, 0 to 16, with their digits.

    python tests/reference/make_digits.py
"""

import gzip
import pathlib

from sklearn.datasets import load_digits

images, labels = load_digits(return_X_y=True)
names = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
lines = [",".join(["digit", *names])]
lines += [",".join(str(int(x)) for x in [label, *image]) for image, label in zip(images, labels)]
path = pathlib.Path(__file__).with_name("digits.csv.gz")
with gzip.GzipFile(path, "wb", mtime=0) as file:
    file.write(("\n".join(lines) + "\n").encode())
