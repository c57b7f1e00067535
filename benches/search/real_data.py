"""The 10,000 test images of MNIST as the peers of benches/search_real.py see them: our rows, our held-out fifth."""

import gzip
import json
import pathlib

import numpy as np

IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def load(folder, folds):
    """((features, classes) of the training rows, the same of the held-out rows). f32 (row, feature), i64 (row).

    Standardised on the training rows; pixels that are the same in every row are left out, as ours are.
    """
    read = lambda name, header: np.frombuffer(gzip.open(pathlib.Path(folder) / name).read(), np.uint8, offset=header)
    features, classes = read(IMAGES, 16).reshape(-1, 784).astype(np.float32), read(LABELS, 8).astype(np.int64)
    features = features[:, features.min(0) != features.max(0)]
    said = json.loads(pathlib.Path(folds).read_text())
    if said["feature_count"] != features.shape[1] or len(said["folds"]) != 1:
        raise SystemExit(f"{folds}: {said['feature_count']} features, {len(said['folds'])} folds; expected {features.shape[1]} and 1")
    parts = [np.array(said["folds"][0][part]) for part in ["train", "validation"]]
    mean, deviation = features[parts[0]].mean(0), features[parts[0]].std(0)
    deviation[deviation == 0] = 1
    return [((features[rows] - mean) / deviation, classes[rows]) for rows in parts]
