"""One search: a contender, a workload, a seed; what it found and how long its suggestions took."""

import random
import statistics
import time

from search import contenders, workloads

# Optuna's GP takes seconds a suggestion there: 1,000 results are given to it, and one batch or a few suggestions timed.
PRELOADED = {"optuna-gp": 3}


class Course:
    """The results of a search so far, as the one who asks sees them."""

    def __init__(self, workload, seed):
        self.workload, self.objective, self.space = workload, workload.objective(seed), workload.space()
        self.better = min if workload.direction == "minimize" else max
        self.best, self.told, self.regrets, self.timings = None, 0, {}, []

    def evaluate(self, hyperparameters):
        """The value; a suggestion outside the space stops the benchmark."""
        if set(hyperparameters) != set(self.space):
            raise contenders.Failed(f"suggested {hyperparameters}, not of the space {sorted(self.space)}")
        for name, (kind, low, high) in self.space.items():
            value = hyperparameters[name]
            if not low <= value <= high or (kind == "int" and value != int(value)):
                raise contenders.Failed(f"suggested {name} = {value}, outside {kind} [{low}, {high}]")
        return self.objective(hyperparameters)

    def take(self, value):
        self.told += 1
        self.best = value if self.best is None else self.better(self.best, value)
        if self.told in self.workload.checkpoints:
            self.regrets[self.told] = float(f"{self.workload.regret(self.best):.6g}")


def search(contender, course, batch, trials):
    """Asks and tells to the end; times from before the last result of a batch is told to having the next batch."""
    start = time.perf_counter()
    asked = contender.ask(batch)
    while asked:
        results = [(number, course.evaluate(hyperparameters)) for number, hyperparameters in asked]
        for number, value in results[:-1]:
            contender.tell(number, value)
        start = time.perf_counter()
        contender.tell(*results[-1])
        for _, value in results:
            course.take(value)
        count = min(batch, trials - course.told)
        asked = contender.ask(count) if count else []
        if count and course.told >= course.workload.timed_from:
            course.timings.append((time.perf_counter() - start) / count)


def preload(contender, course, count):
    """Random configurations and their values, the same for every release of the sampler."""
    generator = random.Random(f"{course.workload.name} preload")
    draw = {"uniform": generator.uniform, "int": generator.randint}
    points = [{name: draw[kind](low, high) for name, (kind, low, high) in course.space.items()} for _ in range(count)]
    values = [course.evaluate(point) for point in points]
    contender.preload(list(zip(points, values)))
    for value in values:
        course.take(value)


def run(workload_name, contender_name, seed):
    """The record of one search, as the raw file keeps it."""
    workload = workloads.ALL[workload_name]
    course = Course(workload, seed)
    version = contenders.version(contender_name)
    contender = contenders.create(contender_name, workload, seed)
    start = time.perf_counter()
    trials = workload.trials
    try:
        if workload.timed_from and contender_name in PRELOADED:
            told = workload.timed_from // workload.batch * workload.batch
            preload(contender, course, told)
            trials = told + (2 * workload.batch if workload.batch > 1 else PRELOADED[contender_name] + 1)
        search(contender, course, workload.batch, trials)
        best = contender.close()
        if best != course.best:
            raise contenders.Failed(f"says that its best value is {best}; it was told {course.best}")
    finally:
        contender.stop()
    return {
        "workload": workload_name, "contender": contender_name, "seed": seed, "version": version,
        "regrets": course.regrets, "seconds": round(time.perf_counter() - start, 3),
        "suggestion_ms": float(f"{1000 * statistics.median(course.timings):.4g}"), "timed": len(course.timings),
    }
