"""What proposes: manytune through its pipe, and Optuna's samplers, behind the same three calls.

`ask(count)` gives [(number, hyperparameters)], `tell(number, value)` takes a result, `close()` ends it and says the
best that the contender itself knows of.
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import subprocess
import tempfile

BINARY = os.environ.get("MANYTUNE", str(pathlib.Path(__file__).resolve().parents[2] / "target/release/manytune"))


class Failed(Exception):
    """A contender that gave no result, and why."""


class Manytune:
    """`manytune search` with one strategy: JSON lines through its standard input and output, its store on disk."""

    def __init__(self, strategy, space, direction, trials, batch, seed):
        self.space, self.folder = space, tempfile.TemporaryDirectory(prefix="search-")
        file = pathlib.Path(self.folder.name) / "space.toml"
        forms = {"uniform": "{{ uniform = [{!r}, {!r}] }}", "int": "{{ int = [{}, {}] }}"}
        ranges = [f"{name} = {forms[kind].format(low, high)}" for name, (kind, low, high) in space.items()]
        file.write_text("\n".join(["[search]", f'direction = "{direction}"', "", "[space]", *ranges]) + "\n")
        self.errors = (pathlib.Path(self.folder.name) / "stderr").open("w+")
        words = ["--strategy", strategy, "--trials", trials, "--batch", batch, "--seed", seed, "--out", f"{self.folder.name}/run"]
        self.process = subprocess.Popen(
            [BINARY, "search", str(file), *map(str, words), "--quiet"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
        )

    def line(self, key):
        """The next line, which must be of this kind."""
        line = self.process.stdout.readline()
        if not line:
            raise self.ended()
        try:
            return json.loads(line)[key]
        except (ValueError, LookupError, TypeError):
            raise Failed(f"expected a line of `{key}`, found {line[:200]}") from None

    def ended(self):
        """Why it went away."""
        self.process.wait(timeout=60)
        self.errors.seek(0)
        said = self.errors.read().strip()
        return Failed(f"manytune search ended with {self.process.returncode}: {said or 'it said nothing'}")

    def ask(self, count):
        asked = [(one["number"], one["hyperparameters"]) for one in self.line("ask")]
        if len(asked) != count:
            raise Failed(f"asked for {count}, got {len(asked)}")
        return asked

    def tell(self, number, value):
        try:
            self.process.stdin.write(json.dumps({"tell": {"number": number, "value": value}}) + "\n")
            self.process.stdin.flush()
        except OSError:
            raise self.ended() from None

    def close(self):
        best = self.line("best")["value"]
        self.process.stdin.close()
        if self.process.wait(timeout=60) != 0:
            raise Failed(f"manytune search: exit code {self.process.returncode}")
        return best

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        self.folder.cleanup()


class Optuna:
    """Optuna's ask and tell. A batch is asked for one by one, all of it before any of it is told."""

    def __init__(self, sampler, space, direction, trials, batch, seed):
        import optuna

        self.folder = None
        sampler, _, storage = sampler.partition("+")
        if storage:  # "+sqlite", what its users have who want to resume
            self.folder = tempfile.TemporaryDirectory(prefix="search-")
            storage = f"sqlite:///{self.folder.name}/study.db"
        distribution = {"uniform": optuna.distributions.FloatDistribution, "int": optuna.distributions.IntDistribution}
        self.distributions = {name: distribution[kind](low, high) for name, (kind, low, high) in space.items()}
        self.study = optuna.create_study(direction=direction, sampler=samplers()[sampler](seed), storage=storage or None)

    def preload(self, results):
        """Takes [(hyperparameters, value)] as told, without having asked for them."""
        import optuna

        create = lambda chosen, value: optuna.trial.create_trial(params=chosen, distributions=self.distributions, value=value)
        self.study.add_trials([create(*result) for result in results])

    def ask(self, count):
        trials = [self.study.ask(self.distributions) for _ in range(count)]
        return [(trial.number, trial.params) for trial in trials]

    def tell(self, number, value):
        self.study.tell(number, value)

    def close(self):
        return self.study.best_value

    def stop(self):
        if self.folder:
            self.folder.cleanup()


def samplers():
    """Optuna's, at their defaults (in 5.0: TPE is multivariate and lies about running trials; the GP's qLogEI knows
    of them). Its Sobol is scrambled here, since without that all seeds are one."""
    import warnings

    import optuna

    warnings.filterwarnings("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kinds = optuna.samplers
    return {
        "random": lambda seed: kinds.RandomSampler(seed=seed),
        "qmc": lambda seed: kinds.QMCSampler(scramble=True, seed=seed),
        "tpe": lambda seed: kinds.TPESampler(seed=seed),
        "cma_es": lambda seed: kinds.CmaEsSampler(seed=seed),
        "gp": lambda seed: kinds.GPSampler(seed=seed),
    }


MAKERS = {"manytune": Manytune, "optuna": Optuna}


def version(contender):
    """What a result belongs to: another binary, or another release, runs again."""
    if contender.startswith("manytune"):
        try:
            return f"manytune {hashlib.sha256(pathlib.Path(BINARY).read_bytes()).hexdigest()[:12]}"
        except OSError as error:
            raise Failed(f"{BINARY}: {error.strerror}; build it (cargo build --release) or name it by MANYTUNE") from error
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in ["optuna", "torch"])


def create(contender, workload, seed):
    """`contender` is `manytune-STRATEGY` or `optuna-SAMPLER`."""
    maker, _, name = contender.partition("-")
    return MAKERS[maker](name, workload.space(), workload.direction, workload.trials, workload.batch, seed)


def one_thread():
    """One thread for BLAS, PyTorch and rayon, before any of them is loaded: the seeds are what runs in parallel."""
    for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]:
        os.environ[variable] = "1"
