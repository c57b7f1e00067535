"""What every peer shares: the exported work, the comparison of losses before timing, the timed rounds.

A peer is one process. It reads `FOLDER/W.json` and `FOLDER/W.safetensors` (written by `manytune bench
--workload W --export FOLDER`), trains the compared epochs, refuses to go on where a loss differs from ours,
prints one JSON line of facts, then answers every line on standard input with one JSON line: one timed round.
benches/compare.py starts the peers and takes the rounds in turn with ours.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import time

# Relative difference of an epoch's mean loss from ours: both are f32 and sum in other orders, and Adam
# amplifies rounding where the second moment is near 0. A wrong formula is off by more than 1e-2.
TOLERANCE = 1e-3
# TF32 keeps 10 bits of each factor (relative rounding 5e-4), and training amplifies it. The same code passes
# at 1e-3 in fp32; here the comparison shows only that it still trains.
TOLERANCE_TF32 = 3e-2

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def arguments(description, add=lambda parser: None):
    """The command line that all peers have, and the processor cores they may use."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=pathlib.Path, help="where `manytune bench --export` wrote the work")
    parser.add_argument("workload", help="W1, W2, W3, W4 or W7")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=2.0, help="least length of a timed round")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "tf32"], default="fp32", help="of matrix products on a GPU")
    parser.add_argument("--epochs", type=int, default=5, help="of the job whose wall clock is stated")
    add(parser)
    found = parser.parse_args()
    # Before any library starts its threads: the cores they may use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: found.threads])
    return found


def one_blas_thread():
    """Before numpy is imported: one thread of BLAS per process. Two made scikit-learn up to 18 times slower."""
    for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
        os.environ[variable] = "1"


@dataclasses.dataclass(frozen=True)
class Member:
    """One model of the work: what it is and how it is trained."""

    number: int
    sizes: tuple  # input, hidden widths, output
    batch_size: int
    optimizer: str  # "adam" or "sgd"
    learning_rate: float
    momentum: float
    steps_per_epoch: int

    @property
    def shape(self):
        return "-".join(map(str, self.sizes))

    @property
    def weight_count(self):
        return sum(a * b for a, b in zip(self.sizes, self.sizes[1:]))


class Work:
    """The data, members, initial parameters, minibatches and losses of one workload."""

    def __init__(self, folder, workload):
        import numpy as np
        from safetensors.numpy import load_file

        self.name = workload
        said = json.loads((folder / f"{workload}.json").read_text())
        self._tensors = load_file(folder / f"{workload}.safetensors")
        self.features = self._tensors["features"]  # (row, feature)
        self.classes = self._tensors["classes"].astype(np.int32)  # (row)
        self.losses = self._tensors["losses"]  # (compared epoch, member)
        self.class_count, self.compared_epochs = said["classes"], len(self.losses)
        self.members = [
            Member(i, (said["features"], *m["hidden"], said["classes"]), m["batch_size"], m["optimizer"],
                   m["learning_rate"], m.get("momentum") or 0.0, m["steps_per_epoch"])
            for i, m in enumerate(said["members"])
        ]
        for size in {m.batch_size for m in self.members}:
            if said["rows"] % size != 0:
                sys.exit(f"{workload}: {said['rows']} rows in minibatches of {size} leave a shorter one; "
                         "the peers take equal ones only")

    @property
    def steps(self):
        """Config-steps of one epoch of all members."""
        return sum(m.steps_per_epoch for m in self.members)

    def batches(self, batch_size):
        """Rows of each minibatch: (compared epoch, step, row in it)."""
        import numpy as np

        rows = self._tensors[f"batches_{batch_size}"].astype(np.int32)
        return rows.reshape(len(rows), -1, batch_size)

    def initial(self, member):
        """Initial parameters: [(weights (input, output), bias (output))] by layer."""
        layers = range(len(member.sizes) - 1)
        return [(self._tensors[f"weights_{member.shape}_{i}"], self._tensors[f"bias_{member.shape}_{i}"]) for i in layers]

    def spaced(self, count):
        """As many members, evenly spaced in the order of their work per epoch."""
        ordered = sorted(self.members, key=lambda m: (m.weight_count, m.steps_per_epoch, m.number))
        count = max(1, min(count, len(ordered)))
        return [ordered[round(i * (len(ordered) - 1) / max(1, count - 1))] for i in range(count)]

    def refuse_unless_equal(self, losses, members, tolerance=TOLERANCE):
        """Compares losses (compared epoch, member) with ours; returns the worst relative difference."""
        import numpy as np

        ours = self.losses[:, [m.number for m in members]]
        difference = np.abs(np.asarray(losses, dtype=np.float64) / ours - 1.0)
        difference = np.where(np.isnan(difference), np.inf, difference)
        epoch, place = np.unravel_index(difference.argmax(), difference.shape)
        worst = float(difference[epoch, place])
        if not worst <= tolerance:
            sys.exit(f"{self.name}: the loss of member {members[place]} in epoch {epoch + 1} differs from ours by "
                     f"{worst:.1e}, allowed is {tolerance:.0e}; nothing was timed")
        return worst


def enough(work, rate, seconds, least=1):
    """Members whose epochs fill a round at this many config-steps/s, and how often each is repeated."""
    wanted = seconds * rate
    members = work.spaced(max(least, round(wanted * len(work.members) / work.steps)))
    return members, max(1, round(wanted / sum(m.steps_per_epoch for m in members)))


def serve(facts, timed_round):
    """Prints the facts, then a timed round for every line on standard input."""
    print(json.dumps(facts), flush=True)
    for _ in sys.stdin:
        print(json.dumps(timed_round()), flush=True)


def rounds_of_epochs(work, run, epoch_seconds, seconds):
    """A timed round of whole epochs; `run(count)` trains that many and waits for the device."""

    def timed_round():
        count = max(1, round(seconds / epoch_seconds))
        start = time.perf_counter()
        run(count)
        elapsed = time.perf_counter() - start
        return {"config_steps_per_s": count * work.steps / elapsed, "seconds": elapsed, "config_steps": count * work.steps}

    return timed_round


def shortest(run, repeats=3):
    """The least seconds of an epoch among a few."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(1)
        found.append(time.perf_counter() - start)
        if sum(found) > 10.0:
            break
    return min(found)


class Job:
    """W7: a table, its folds, and configurations to train on each of them for a fixed number of epochs.

    The folder also holds `W7.ours.json`, what `manytune show --format json` says of our run of the same study.
    """

    # Mean accuracy over configurations. Ours is that of a trial's best epoch of ten, the peers' that of their
    # last; initial weights and minibatches are drawn by each in its own way.
    BAND = 0.02

    def __init__(self, folder, trials):
        import numpy as np

        said = json.loads((folder / "W7.json").read_text())
        columns = (folder / "W7.csv").read_text().splitlines()
        cells = [line.split(",") for line in columns[1:]]
        self.features = np.array([row[:-1] for row in cells], dtype=np.float64)
        names = [row[-1] for row in cells]
        self.classes = np.array([sorted(set(names)).index(name) for name in names])
        self.folds, self.epochs = said["folds"], said["epochs"]
        self.count = len(said["configurations"])
        ours = {t["number"]: t["value"] for t in json.loads((folder / "W7.ours.json").read_text())["trials"]}
        # Evenly spaced in the order of their work, so that the time of a few stands for that of all.
        work = lambda i: sum(a * b for a, b in zip(said["configurations"][i]["hidden"], said["configurations"][i]["hidden"][1:]))
        ordered = sorted(range(self.count), key=work)
        taken = min(trials or self.count, self.count)
        self.chosen = [ordered[round(i * (self.count - 1) / max(1, taken - 1))] for i in range(taken)]
        self.configurations = [said["configurations"][i] for i in self.chosen]
        self.ours = float(np.mean([ours[i] for i in self.chosen]))

    def round(self, run):
        """Runs the chosen configurations; `run(configurations)` gives the mean accuracy of each."""
        start = time.perf_counter()
        accuracies = run(self.configurations)
        seconds = time.perf_counter() - start
        mean = float(sum(accuracies) / len(accuracies))
        if not abs(mean - self.ours) <= self.BAND:
            sys.exit(f"W7: mean accuracy {mean:.4f}, ours {self.ours:.4f}, allowed is a difference of {self.BAND}; "
                     "the time does not count")
        return {"job_seconds": seconds * self.count / len(accuracies), "seconds": seconds, "configurations": len(accuracies),
                "mean_accuracy": mean, "our_mean_accuracy": self.ours}
