"""Makes tests/reference/trajectories.json: a hundred steps of gradient descent of smooth networks in JAX and
optax, that tests/outside_frameworks.rs compares our f64 reference and our engines with.

    python -m venv venv && venv/bin/pip install jax optax
    venv/bin/python tests/reference/make_trajectories.py

Everything is float64; inputs and initial parameters are multiples of small powers of two, which f32 holds
exactly. A step takes all rows, so that no order of rows has to be agreed on.
"""

import json
import pathlib
import platform

import jax
import jax.numpy as jnp
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)
RANDOM = np.random.default_rng(20261124)
ROWS, LAYERS, STEPS = 13, [5, 7, 6], 100
KEPT = [1, 2, 10, 50, 100]
ACTIVATIONS = {"tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "silu": jax.nn.silu, "softplus": jax.nn.softplus,
               "gelu": lambda x: jax.nn.gelu(x, approximate=False)}


def exact(shape, step, spread):
    return np.round(RANDOM.normal(size=shape) * spread / step) * step


def network(parameters, x, activation):
    for layer, (w, b) in enumerate(parameters):
        x = x @ w + b
        if layer + 1 < len(parameters):
            x = ACTIVATIONS[activation](x)
    return x


def flat(parameters):
    """In the order of our parameter vector: per layer W row-major, then b."""
    return np.concatenate([np.asarray(part).reshape(-1) for pair in parameters for part in pair]).tolist()


def trajectory(case, features, labels, values):
    outputs = 3 if case["loss"] == "cross_entropy" else 1
    shapes = list(zip(LAYERS, [*LAYERS[1:], outputs]))
    parameters = [(jnp.array(exact(s, 1 / 1024, 0.6)), jnp.array(exact(s[1], 1 / 1024, 0.3))) for s in shapes]

    def objective(parameters):
        z = network(parameters, features, case["activation"])
        if case["loss"] == "cross_entropy":
            return optax.softmax_cross_entropy_with_integer_labels(z, labels).mean()
        if case["loss"] == "huber":
            return optax.huber_loss(z[:, 0], values, delta=case["huber_delta"]).mean()
        # optax's l2_loss is half of ours.
        return 2 * optax.l2_loss(z[:, 0], values).mean()

    optimizer = optax.sgd(case["learning_rate"], momentum=case["momentum"], nesterov=case["nesterov"])
    state = optimizer.init(parameters)
    step = jax.jit(jax.value_and_grad(objective))
    case = case | {"parameters": flat(parameters), "losses": [], "trajectory": []}
    for number in range(1, STEPS + 1):
        loss, gradient = step(parameters)
        case["losses"].append(float(loss))
        updates, state = optimizer.update(gradient, state)
        parameters = optax.apply_updates(parameters, updates)
        if number in KEPT:
            case["trajectory"].append(flat(parameters))
    return case


def main():
    features = exact((ROWS, LAYERS[0]), 1 / 64, 1.5)
    labels, values = RANDOM.integers(0, 3, ROWS), exact(ROWS, 1 / 64, 1.5)
    plain = {"loss": "cross_entropy", "huber_delta": 1.0, "learning_rate": 1 / 16, "momentum": 0.0, "nesterov": False}
    cases = [
        plain | {"activation": "tanh"},
        plain | {"activation": "sigmoid", "momentum": 0.875},
        plain | {"activation": "silu", "momentum": 0.5, "nesterov": True},
        plain | {"activation": "gelu", "loss": "mean_squared_error", "learning_rate": 1 / 64},
        plain | {"activation": "softplus", "loss": "huber", "huber_delta": 0.5, "learning_rate": 1 / 64, "momentum": 0.75},
    ]
    cases = [trajectory(case, jnp.array(features), jnp.array(labels), jnp.array(values)) for case in cases]
    content = {
        "made_by": {"python": platform.python_version(), "jax": jax.__version__, "optax": optax.__version__},
        "features": features.tolist(), "labels": labels.tolist(), "values": values.tolist(),
        "balanced_weights": [1.0, 1.0, 1.0], "kept_steps": KEPT,
    }
    path = pathlib.Path(__file__).parent / "trajectories.json"
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    lines.append('"cases": [\n  ' + ",\n  ".join(json.dumps(case) for case in cases) + "\n]")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
