"""JAX's jit(vmap(scan(step))) at the work of benches/step_rate.rs: the expert's way to train many equal
networks at once.

    jax_vmap.py FOLDER WORKLOAD [--threads 2] [--seconds 2]

Reads FOLDER/WORKLOAD.safetensors, written by `step_rate --export FOLDER`: the data, the initial
parameters, the minibatches and our losses. Every member starts at the same parameters and sees the same
minibatches (as ours do), so they are gathered once for all members. The losses of the first epochs must
match ours before anything is timed. Each unrolling of the scan is tried; the best one runs.

Prints one JSON line with what was tried, then answers every line on standard input with one JSON line:
config-steps per second over at least `--seconds`.
"""

import argparse
import json
import os
import sys
import time

arguments = argparse.ArgumentParser()
arguments.add_argument("folder")
arguments.add_argument("workload")
arguments.add_argument("--threads", type=int, default=2)
arguments.add_argument("--seconds", type=float, default=2.0)
arguments = arguments.parse_args()

# Before JAX is imported: the cores it may use, and as many threads.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["NPROC"] = str(arguments.threads)
os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={arguments.threads}")

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file

UNROLLS = [1, 8, 32]
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# Relative difference of an epoch's mean loss: both are f32 and sum in other orders, and Adam amplifies
# rounding where the second moment is near 0. A wrong formula is off by more than 1e-2.
TOLERANCE = 1e-3

work = load_file(os.path.join(arguments.folder, arguments.workload + ".safetensors"))
features, classes = jnp.asarray(work["features"]), jnp.asarray(work["classes"].astype(np.int32))
rates = jnp.asarray(work["learning_rates"])
batches = jnp.asarray(work["batches"].astype(np.int32))
layer_count = sum(name.startswith("weights_") for name in work)
steps_per_epoch = batches.shape[1]


def initial():
    """Parameters (member, …) and both moments, and the step count."""
    layers = [(work[f"weights_{i}"], work[f"bias_{i}"]) for i in range(layer_count)]
    stack = lambda a: jnp.broadcast_to(jnp.asarray(a), (len(rates), *a.shape)) + 0.0
    parameters = jax.tree.map(stack, layers)
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    return parameters, zeros(), zeros(), jnp.zeros((), jnp.int32)


def loss_of(parameters, x, y):
    for weights, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weights + bias)
    weights, bias = parameters[-1]
    logits = x @ weights + bias
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0])


def make_epoch(unroll):
    def step(state, rows):
        parameters, m, v, count = state
        x, y = features[rows], classes[rows]
        count = count + 1
        correction1 = 1.0 / (1.0 - BETA1 ** count.astype(jnp.float32))
        correction2 = 1.0 / (1.0 - BETA2 ** count.astype(jnp.float32))

        def member(parameters, m, v, rate):
            loss, gradient = jax.value_and_grad(loss_of)(parameters, x, y)
            m = jax.tree.map(lambda m, g: BETA1 * m + (1.0 - BETA1) * g, m, gradient)
            v = jax.tree.map(lambda v, g: BETA2 * v + (1.0 - BETA2) * g * g, v, gradient)
            update = lambda w, m, v: w - rate * (m * correction1) / (jnp.sqrt(v * correction2) + EPSILON)
            return jax.tree.map(update, parameters, m, v), m, v, loss

        parameters, m, v, losses = jax.vmap(member)(parameters, m, v, rates)
        return (parameters, m, v, count), losses

    def epoch(state, order):
        state, losses = jax.lax.scan(step, state, order, unroll=unroll)
        return state, losses.mean(axis=0)

    return jax.jit(epoch, donate_argnums=0)


def seconds_of(epoch, state, epochs):
    start = time.perf_counter()
    for i in range(epochs):
        state, losses = epoch(state, batches[i % batches.shape[0]])
    losses.block_until_ready()
    return time.perf_counter() - start, state


best, tried = None, {}
for unroll in UNROLLS:
    epoch, state = make_epoch(unroll), initial()
    start = time.perf_counter()
    worst = 0.0
    for i, ours in enumerate(work["losses"]):
        state, losses = epoch(state, batches[i])
        worst = max(worst, float(np.max(np.abs(np.asarray(losses) / ours - 1.0))))
        if i == 0:
            compiling = time.perf_counter() - start
    if not worst <= TOLERANCE:
        sys.exit(f"{arguments.workload}: losses differ from ours by {worst:.1e}; nothing was timed")
    shortest = float("inf")
    for _ in range(3):
        seconds, state = seconds_of(epoch, state, 1)
        shortest = min(shortest, seconds)
    tried[unroll] = len(rates) * steps_per_epoch / shortest
    if best is None or tried[unroll] > tried[best[0]]:
        best = (unroll, epoch, state, shortest, compiling, worst)

unroll, epoch, state, shortest, compiling, worst = best
print(json.dumps({"peer": "jax jit(vmap(scan))", "jax": jax.__version__, "workload": arguments.workload,
                  "threads": arguments.threads, "unroll": unroll, "tried": tried, "first_epoch_seconds": compiling,
                  "worst_difference": worst}), flush=True)
for _ in sys.stdin:
    epochs = max(1, round(arguments.seconds / shortest))
    seconds, state = seconds_of(epoch, state, epochs)
    print(json.dumps({"rate": epochs * len(rates) * steps_per_epoch / seconds}), flush=True)
