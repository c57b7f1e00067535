"""JAX's jit(vmap(scan(step))): the expert's way to train many networks in one program.

    jax_vmap.py FOLDER W1|W2|W3|W4 [--threads N] [--seconds S] [--device cpu|cuda] [--precision fp32|tf32]

Every member sees the same minibatches (as ours do), so they are gathered once for all members of a program.
Equal members (W1, W2, W3) are one program; the scan is unrolled 1, 8 and 32 times, and the best one runs.

Mixed members (W4) need equal shapes within a program. Three ways are tried, and the one whose stated job
(`--epochs` of all members, compilation included) is over first runs:
  shape    one program per shape, minibatch size and optimizer;
  width    one per widest layer and minibatch size: depth and narrower layers padded, both optimizers selected;
  padded   one per minibatch size: all padded to the widest and deepest member.
Padding needs no mask on widths: a padded unit has no weights into or out of it, so its activation and all its
gradients are 0. A layer that a member lacks is passed over by a select. Programs compile on all cores at once,
and a way is given up once its compilation alone has taken longer than the best job so far.

On a GPU, fp32 is jax_default_matmul_precision="highest"; tf32 is JAX's own default.
"""

import collections
import concurrent.futures
import os
import time

import common

arguments = common.arguments(__doc__, lambda parser: parser.add_argument("--ways", default="padded,width,shape"))
os.environ["JAX_PLATFORMS"] = arguments.device
os.environ["NPROC"] = str(arguments.threads)
os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
if arguments.device == "cpu":
    os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={arguments.threads}")

import jax
import jax.numpy as jnp
import numpy as np

if arguments.device == "cuda" and arguments.precision == "fp32":
    jax.config.update("jax_default_matmul_precision", "highest")

UNROLLS = [1, 8, 32]
KEYS = {
    "shape": lambda m: (m.shape, m.batch_size, m.optimizer),
    "width": lambda m: (max(m.sizes[1:-1]), m.batch_size),
    "padded": lambda m: m.batch_size,
}

work = common.Work(arguments.folder, arguments.workload)
features, classes = jnp.asarray(work.features), jnp.asarray(work.classes)


class Program:
    """Members that train in one compiled program, padded to common sizes where theirs differ."""

    def __init__(self, members, unroll):
        self.members, self.unroll = members, unroll
        deepest, shapes = max(len(m.sizes) for m in members), {m.sizes for m in members}
        widest = max(max(m.sizes[1:-1]) for m in members)
        self.sizes = members[0].sizes if len(shapes) == 1 else (members[0].sizes[0], *[widest] * (deepest - 2), members[0].sizes[-1])
        # (member, hidden layer): whether the member has that layer.
        self.has = np.array([[i < len(m.sizes) - 2 for i in range(deepest - 2)] for m in members])
        self.is_adam = np.array([m.optimizer == "adam" for m in members])
        self.batches = jnp.asarray(work.batches(members[0].batch_size))

    def initial(self):
        """Learning rates and momenta, parameters (member, …), both moments, and the step count."""
        layers = [(np.zeros((len(self.members), a, b), np.float32), np.zeros((len(self.members), b), np.float32))
                  for a, b in zip(self.sizes, self.sizes[1:])]
        for place, member in enumerate(self.members):
            own = work.initial(member)
            targets = [*layers[: len(own) - 1], layers[-1]]  # the last layer stays last
            for (weights, bias), (w, b) in zip(targets, own):
                weights[place, : w.shape[0], : w.shape[1]], bias[place, : b.shape[0]] = w, b
        numbers = lambda name: jnp.asarray([getattr(m, name) for m in self.members], jnp.float32)
        parameters = jax.tree.map(jnp.asarray, layers)
        zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
        return numbers("learning_rate"), numbers("momentum"), parameters, zeros(), zeros(), jnp.zeros((), jnp.int32)

    def loss(self, parameters, has, x, y):
        for layer, (weights, bias) in enumerate(parameters[:-1]):
            after = jax.nn.relu(x @ weights + bias)
            x = after if self.has[:, layer].all() else jnp.where(has[layer], after, x)
        weights, bias = parameters[-1]
        logits = x @ weights + bias
        return jnp.mean(jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0])

    def update(self, is_adam, rate, momentum, correction1, correction2, w, m, v, g):
        """One parameter tensor of one member; where a program mixes optimizers, both and a select."""
        adam_m, adam_v = common.BETA1 * m + (1 - common.BETA1) * g, common.BETA2 * v + (1 - common.BETA2) * g * g
        adam = w - rate * (adam_m * correction1) / (jnp.sqrt(adam_v * correction2) + common.EPSILON), adam_m, adam_v
        sgd_m = momentum * m + g
        sgd = w - rate * sgd_m, sgd_m, v
        if self.is_adam.all() or not self.is_adam.any():
            return adam if self.is_adam.all() else sgd
        return tuple(jnp.where(is_adam, a, s) for a, s in zip(adam, sgd))

    def epoch(self, state, order, features, classes):
        """One epoch of every member: minibatches (step, row) and the data -> state, mean losses (member)."""
        has, is_adam = jnp.asarray(self.has), jnp.asarray(self.is_adam)

        def step(state, rows):
            rates, momenta, parameters, m, v, count = state
            x, y, count = features[rows], classes[rows], count + 1
            corrections = [1.0 / (1.0 - beta ** count.astype(jnp.float32)) for beta in [common.BETA1, common.BETA2]]

            def member(has, is_adam, rate, momentum, parameters, m, v):
                loss, gradient = jax.value_and_grad(self.loss)(parameters, has, x, y)
                update = lambda w, m, v, g: self.update(is_adam, rate, momentum, *corrections, w, m, v, g)
                found = jax.tree.map(update, parameters, m, v, gradient)
                return *[jax.tree.map(lambda _, all, i=i: all[i], gradient, found) for i in range(3)], loss

            parameters, m, v, losses = jax.vmap(member)(has, is_adam, rates, momenta, parameters, m, v)
            return (rates, momenta, parameters, m, v, count), losses

        state, losses = jax.lax.scan(step, state, order, unroll=self.unroll)
        return state, losses.mean(axis=0)

    def compile(self):
        lowered = jax.jit(self.epoch, donate_argnums=0).lower(jax.eval_shape(self.initial), self.batches[0], features, classes)
        self.compiled = lowered.compile()


class TooSlow(Exception):
    """Compilation that takes longer than another way takes in all."""


class Way:
    """All members, grouped into programs one way, compiled within `limit` seconds."""

    def __init__(self, key, unroll, limit):
        groups = collections.defaultdict(list)
        for member in work.members:
            groups[KEYS[key](member)].append(member)
        self.programs = [Program(members, unroll) for members in groups.values()]
        start = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(arguments.threads) as pool:
            waiting = [pool.submit(program.compile) for program in self.programs]
            for number, done in enumerate(concurrent.futures.as_completed(waiting)):
                done.result()
                if time.perf_counter() - start > limit:
                    pool.shutdown(cancel_futures=True)
                    raise TooSlow(f"{number + 1} of {len(waiting)} programs compiled in {time.perf_counter() - start:.1f} s")
        self.compile_seconds = time.perf_counter() - start
        self.states, self.trained = [program.initial() for program in self.programs], 0
        self.compare()
        self.epoch_seconds = common.shortest(self.run)

    def run(self, epochs):
        for _ in range(epochs):
            losses = [None] * len(self.programs)
            for i, program in enumerate(self.programs):
                order = program.batches[self.trained % work.compared_epochs]
                self.states[i], losses[i] = program.compiled(self.states[i], order, features, classes)
            self.trained += 1
        jax.block_until_ready(losses)
        return losses

    def compare(self):
        found = np.zeros(work.losses.shape)
        for of_epoch in found:
            for program, losses in zip(self.programs, self.run(1)):
                of_epoch[[m.number for m in program.members]] = losses
        tolerance = common.TOLERANCE_TF32 if arguments.precision == "tf32" else common.TOLERANCE
        self.worst = work.refuse_unless_equal(found, work.members, tolerance)

    def job_seconds(self):
        return self.compile_seconds + arguments.epochs * self.epoch_seconds


mixed = len({KEYS["shape"](m) for m in work.members}) > 1
best, tried = None, {}
for key, unroll in [(key, 1) for key in arguments.ways.split(",")] if mixed else [("shape", unroll) for unroll in UNROLLS]:
    name = key if mixed else f"unroll {unroll}"
    try:
        way = Way(key, unroll, best[1].job_seconds() if mixed and best else float("inf"))
    except TooSlow as slow:
        tried[name] = {"given_up": str(slow)}
        continue
    tried[name] = {"programs": len(way.programs), "compile_seconds": way.compile_seconds, "epoch_seconds": way.epoch_seconds,
                   "job_seconds": way.job_seconds(), "worst_difference": way.worst}
    better = best is None or (way.job_seconds() < best[1].job_seconds() if mixed else way.epoch_seconds < best[1].epoch_seconds)
    best = (name, way) if better else best

name, way = best
common.serve(
    {"peer": "JAX jit(vmap(scan))", "version": f"jax {jax.__version__}", "device": str(jax.devices()[0].device_kind),
     "threads": arguments.threads, "precision": arguments.precision, "setting": name, "tried": tried,
     "compile_seconds": way.compile_seconds, "worst_difference": way.worst, "members_compared": len(work.members)},
    common.rounds_of_epochs(work, way.run, way.epoch_seconds, arguments.seconds),
)
