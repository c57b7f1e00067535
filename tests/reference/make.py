"""Makes the stored values that tests/outside_frameworks.rs compares our f64 reference with.

    python -m venv venv && venv/bin/pip install torch jax optax scikit-learn
    venv/bin/python tests/reference/make.py

Writes one JSON file per family beside this script, each with the versions of what made it. Everything
is float64. Inputs are multiples of small powers of two where our tables hold f32, so that nothing is
rounded on the way in. Where a framework's default is another formula than ours, its options are set so
that the formula is the same; the comment there says how.
"""

import json
import math
import pathlib
import platform

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
FOLDER = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(20240611)

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "elu": F.elu,
    "selu": F.selu,
    # torch turns linear beyond its threshold of 20 by default, an error of 2e-9.
    "softplus": lambda x: F.softplus(x, threshold=700.0),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "silu": F.silu,
}


def write(name, made_by, content):
    versions = {"python": platform.python_version()}
    for module in made_by:
        versions[module] = __import__(module).__version__
    path = FOLDER / f"{name}.json"
    lines = [f"{json.dumps(key)}: {one_case_a_line(value)}" for key, value in ({"made_by": versions} | content).items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(path.name, path.stat().st_size, "bytes")


def one_case_a_line(value):
    if isinstance(value, list) and isinstance(value[0], dict):
        return "[\n  " + ",\n  ".join(json.dumps(case) for case in value) + "\n]"
    return json.dumps(value)


def exact(shape, step=1 / 64, spread=1.5):
    """Random numbers that f32 holds exactly."""
    return np.round(RANDOM.normal(size=shape) * spread / step) * step


def activations():
    points = [-40.0, -20.0, -9.0, -6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.75, -0.5, -0.1, -1e-4, 0.0]
    points += [1e-4, 0.1, 0.3, 0.5, 1.0, 1.7, 2.5, 4.0, 6.0, 9.0, 15.0, 30.0]
    functions = {}
    for name, function in ACTIVATIONS.items():
        x = torch.tensor(points, requires_grad=True)
        y = function(x)
        y.sum().backward()
        functions[name] = {"values": y.tolist(), "derivatives": x.grad.tolist()}
    write("activations", ["torch"], {"points": points, "functions": functions})


def losses():
    """Each case: one row, its loss and the gradient of its outputs."""
    cases = []
    for smoothing in [0.0, 0.1, 0.3]:
        for outputs, label in [
            ([0.5, -1.25, 2.0, 0.75], 2),
            ([0.5, -1.25, 2.0, 0.75], 1),
            ([3.0, 3.0, 3.0], 0),
            ([20.0, -20.0], 0),
            ([20.0, -20.0], 1),
            ([-700.0, 0.25, 0.5], 2),
        ]:
            z = torch.tensor([outputs], requires_grad=True)
            loss = F.cross_entropy(z, torch.tensor([label]), label_smoothing=smoothing)
            loss.backward()
            cases.append({"loss": "cross_entropy", "label_smoothing": smoothing, "huber_delta": 1.0, "outputs": outputs,
                          "target": label, "value": loss.item(), "gradient": z.grad[0].tolist()})
    for delta in [0.5, 1.0, 2.0]:
        for output, target in [(0.25, 0.0), (1.0, 0.0), (-3.0, 0.5), (2.5, 0.5), (0.0, 0.0)]:
            for name in ["mean_squared_error", "huber"]:
                z = torch.tensor([output], requires_grad=True)
                t = torch.tensor([target])
                loss = F.mse_loss(z, t) if name == "mean_squared_error" else F.huber_loss(z, t, delta=delta)
                loss.backward()
                cases.append({"loss": name, "label_smoothing": 0.0, "huber_delta": delta, "outputs": [output],
                              "target": target, "value": loss.item(), "gradient": z.grad.tolist()})
    write("losses", ["torch"], {"cases": cases})


KEPT_STEPS = [1, 2, 3, 10, 30, 100]


def optimizers():
    """Trajectories of four parameters under prescribed gradients of very different sizes, some of them 0."""
    start = RANDOM.normal(size=4)
    gradients = RANDOM.normal(size=(100, 4)) * np.array([1.0, 0.01, 30.0, 1.0])
    gradients[:, 3] *= RANDOM.random(100) < 0.3
    base = {"momentum": 0.0, "nesterov": False, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}

    def case(name, rate, make, **numbers):
        parameter = torch.tensor(start.copy(), requires_grad=True)
        optimizer = make([parameter])
        kept = []
        for step, gradient in enumerate(gradients, start=1):
            parameter.grad = torch.tensor(gradient)
            optimizer.step()
            if step in KEPT_STEPS:
                kept.append(parameter.tolist())
        return {"optimizer": name, "learning_rate": rate, "parameters": base | numbers, "trajectory": kept}

    o = torch.optim
    cases = [
        case("sgd", 0.1, lambda p: o.SGD(p, lr=0.1)),
        case("sgd", 0.05, lambda p: o.SGD(p, lr=0.05, momentum=0.9), momentum=0.9),
        case("sgd", 0.05, lambda p: o.SGD(p, lr=0.05, momentum=0.8, nesterov=True), momentum=0.8, nesterov=True),
        case("rmsprop", 0.01, lambda p: o.RMSprop(p, lr=0.01, alpha=0.99, eps=1e-8), beta2=0.99),
        case("rmsprop", 0.01, lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-6, momentum=0.7), beta2=0.9, epsilon=1e-6, momentum=0.7),
        # torch's eps default of 1e-10 is ours too.
        case("adagrad", 0.1, lambda p: o.Adagrad(p, lr=0.1, eps=1e-10), epsilon=1e-10),
        case("adam", 0.02, lambda p: o.Adam(p, lr=0.02)),
        case("adam", 0.02, lambda p: o.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3), beta1=0.8, beta2=0.95, epsilon=1e-3),
        case("adamw", 0.02, lambda p: o.AdamW(p, lr=0.02, weight_decay=0.1), weight_decay=0.1),
    ]
    cases += optax_cases(start, gradients, base)
    write("optimizers", ["torch", "jax", "optax"],
          {"start": start.tolist(), "gradients": gradients.tolist(), "kept_steps": KEPT_STEPS, "cases": cases})


def optax_cases(start, gradients, base):
    """What torch does not have: lion, and decoupled decay with momentum."""
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")

    def case(name, rate, chain, **numbers):
        parameter = jax.numpy.array(start)
        state, kept = chain.init(parameter), []
        for step, gradient in enumerate(gradients, start=1):
            update, state = chain.update(jax.numpy.array(gradient), state, parameter)
            parameter = optax.apply_updates(parameter, update)
            if step in KEPT_STEPS:
                kept.append(np.asarray(parameter).tolist())
        return {"optimizer": name, "learning_rate": rate, "parameters": base | numbers, "trajectory": kept}

    decayed_momentum = optax.chain(
        optax.trace(0.9), optax.add_decayed_weights(0.2), optax.scale_by_learning_rate(0.01))
    return [
        case("lion", 0.003, optax.lion(0.003, b1=0.9, b2=0.99, weight_decay=0.0), beta2=0.99),
        case("lion", 0.003, optax.lion(0.003, b1=0.8, b2=0.95, weight_decay=0.3), beta1=0.8, beta2=0.95, weight_decay=0.3),
        case("sgd", 0.01, decayed_momentum, momentum=0.9, weight_decay=0.2),
    ]


class Mlp:
    """The same network from the same explicit weights, W (input, output), in torch's autograd."""

    def __init__(self, layers, activation):
        shapes = list(zip(layers, layers[1:]))
        self.weights = [torch.tensor(exact(s, 1 / 1024, 0.6), requires_grad=True) for s in shapes]
        self.biases = [torch.tensor(exact(s[1], 1 / 1024, 0.3), requires_grad=True) for s in shapes]
        self.activation = ACTIVATIONS[activation]

    def __call__(self, x):
        for layer, (w, b) in enumerate(zip(self.weights, self.biases)):
            x = x @ w + b
            if layer + 1 < len(self.weights):
                x = self.activation(x)
        return x

    def tensors(self):
        """In the order of our parameter vector: per layer W row-major, then b."""
        return [t for pair in zip(self.weights, self.biases) for t in pair]

    def flat(self):
        return torch.cat([t.detach().reshape(-1) for t in self.tensors()]).tolist()

    def penalty(self, l1, l2):
        return sum(0.5 * l2 * (w**2).sum() + l1 * w.abs().sum() for w in self.weights)


def clip(tensors, limit):
    """torch divides by norm + 1e-6; the limit is raised so that the factor is limit/norm, as ours."""
    norm = math.sqrt(sum((t.grad**2).sum().item() for t in tensors))
    torch.nn.utils.clip_grad_norm_(tensors, limit * (norm + 1e-6) / norm)


def networks():
    """Loss and gradient of whole networks over a whole batch, and short trainings."""
    rows, layers = 13, [5, 7, 6]
    features = exact((rows, layers[0]))
    labels = np.array([0, 1, 2, 0, 0, 1, 0, 2, 0, 0, 1, 0, 2])
    values = exact(rows, 1 / 64)
    counts = np.bincount(labels)
    weights = (rows / (len(counts) * counts)).astype(np.float32)
    data = {"features": features.tolist(), "labels": labels.tolist(), "values": values.tolist(),
            "balanced_weights": weights.astype(float).tolist()}

    def objective(network, case):
        z = network(torch.tensor(features))
        if case["loss"] == "cross_entropy":
            per_row = F.cross_entropy(z, torch.tensor(labels), reduction="none", label_smoothing=case["label_smoothing"])
        elif case["loss"] == "huber":
            per_row = F.huber_loss(z[:, 0], torch.tensor(values), reduction="none", delta=case["huber_delta"])
        else:
            per_row = F.mse_loss(z[:, 0], torch.tensor(values), reduction="none")
        if case["balanced"]:
            # torch's `weight=` with reduction="mean" divides by the sum of the weights instead of the
            # number of rows, and weights the smoothed share by class: another formula than ours.
            per_row = per_row * torch.tensor(weights[labels].astype(float))
        return per_row.mean()

    plain = {"loss": "cross_entropy", "label_smoothing": 0.0, "huber_delta": 1.0, "balanced": False,
             "l1_penalty": 0.0, "l2_penalty": 0.0, "clip_norm": 0.0, "hidden": layers[1:]}
    cases = [plain | {"activation": name} for name in ACTIVATIONS]
    cases += [
        plain | {"activation": "tanh", "label_smoothing": 0.15, "balanced": True},
        plain | {"activation": "silu", "balanced": True},
        plain | {"activation": "relu", "l1_penalty": 0.01, "l2_penalty": 0.03},
        plain | {"activation": "elu", "clip_norm": 0.05, "l2_penalty": 0.1},
        plain | {"activation": "gelu", "loss": "mean_squared_error"},
        plain | {"activation": "selu", "loss": "huber", "huber_delta": 0.5},
        plain | {"activation": "relu", "hidden": []},
    ]
    for case in cases:
        outputs = 3 if case["loss"] == "cross_entropy" else 1
        network = Mlp([layers[0], *case["hidden"], outputs], case["activation"])
        case["parameters"] = network.flat()
        loss = objective(network, case)
        (loss + network.penalty(case["l1_penalty"], case["l2_penalty"])).backward()
        if case["clip_norm"] > 0:
            clip(network.tensors(), case["clip_norm"])
        case["value"] = loss.item()
        case["gradient"] = torch.cat([t.grad.reshape(-1) for t in network.tensors()]).tolist()
    write("networks", ["torch"], {**data, "cases": cases, "training": training(objective, layers, plain)})


def training(objective, layers, plain):
    """Thirty full-batch epochs of a smooth network: AdamW on a cosine, clipped, with an l2 penalty."""
    case = plain | {"activation": "tanh", "l2_penalty": 0.01, "clip_norm": 0.5, "balanced": True, "learning_rate": 0.02,
                    "weight_decay": 0.1, "epochs": 30}
    network = Mlp([layers[0], *case["hidden"], 3], case["activation"])
    case["parameters"] = network.flat()
    # Decay acts on weights, never on biases.
    groups = [{"params": network.weights, "weight_decay": case["weight_decay"]}, {"params": network.biases, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=case["learning_rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=case["epochs"])
    case["losses"] = []
    for _ in range(case["epochs"]):
        optimizer.zero_grad()
        loss = objective(network, case)
        case["losses"].append(loss.item())
        (loss + network.penalty(0.0, case["l2_penalty"])).backward()
        clip(network.tensors(), case["clip_norm"])
        optimizer.step()
        schedule.step()
    case["trained"] = network.flat()
    return case


def lr_schedules():
    """The factor of the learning rate at each step; `steps_per_epoch` 1 where torch steps by epoch."""
    S = torch.optim.lr_scheduler

    def case(name, epochs, make, steps_per_epoch=1, **numbers):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler, factors = make(optimizer), []
        for _ in range(epochs * steps_per_epoch):
            factors.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        defaults = {"warmup_epochs": 0.0, "step_epochs": 10.0, "decay": 0.5}
        return {"schedule": name, "max_epochs": epochs, "steps_per_epoch": steps_per_epoch, **(defaults | numbers), "factors": factors}

    def one_cycle(steps):
        # torch peaks at step pct·total − 1 and ends at total − 1; ours at 0.3·steps and at steps.
        return lambda o: S.OneCycleLR(o, max_lr=1.0, total_steps=steps + 1, pct_start=(0.3 * steps + 1) / (steps + 1),
                                      cycle_momentum=False)

    def warm(optimizer):
        rise = S.LinearLR(optimizer, start_factor=1 / 8, total_iters=7)
        return S.SequentialLR(optimizer, [rise, S.CosineAnnealingLR(optimizer, T_max=32)], milestones=[8])

    cases = [
        case("constant", 5, lambda o: S.ConstantLR(o, factor=1.0)),
        case("step", 40, lambda o: S.StepLR(o, step_size=7, gamma=0.3), step_epochs=7.0, decay=0.3),
        case("exponential", 30, lambda o: S.ExponentialLR(o, gamma=0.9), decay=0.9),
        # Our decay is continuous: the same formula where torch steps by step with gamma^(1/steps).
        case("exponential", 10, lambda o: S.ExponentialLR(o, gamma=0.6**0.25), steps_per_epoch=4, decay=0.6),
        case("cosine", 30, lambda o: S.CosineAnnealingLR(o, T_max=30)),
        case("cosine", 6, lambda o: S.CosineAnnealingLR(o, T_max=30), steps_per_epoch=5),
        case("one_cycle", 50, one_cycle(50)),
        case("one_cycle", 10, one_cycle(80), steps_per_epoch=8),
        case("cosine", 10, warm, steps_per_epoch=4, warmup_epochs=2.0),
    ]
    write("lr_schedules", ["torch"], {"cases": cases})


def metrics():
    import sklearn.metrics as M

    cases = []
    for classes, absent in [(2, False), (4, False), (5, True)]:
        rows = 60
        labels = RANDOM.integers(0, classes - absent, rows)
        outputs = exact((rows, classes), 1 / 8)
        outputs[np.arange(rows), labels] += 0.75
        if absent:
            outputs[:, -1] = -4.0
        outputs[10:20] = outputs[:10]  # ties
        probabilities = torch.softmax(torch.tensor(outputs), 1).numpy()
        predicted = outputs.argmax(1)
        names = list(range(classes))
        scores = {
            "accuracy": M.accuracy_score(labels, predicted),
            "balanced_accuracy": M.balanced_accuracy_score(labels, predicted),
            "f1": M.f1_score(labels, predicted, average="binary" if classes == 2 else "macro"),
            "log_loss": M.log_loss(labels, probabilities, labels=names),
        }
        if classes == 2:
            scores["roc_auc"] = M.roc_auc_score(labels, probabilities[:, 1])
        elif not absent:
            scores["roc_auc"] = M.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
        cases.append({"class_count": classes, "outputs": outputs.tolist(), "targets": labels.tolist(),
                      "scores": {name: float(score) for name, score in scores.items()}})

    # A target of 3·stored + 100, standardised per fold by (stored − 0.5)·2: sklearn sees its own unit.
    stored, predicted = exact(40), exact(40)
    unit = lambda standardised: 100.0 + 3.0 * (standardised / 2.0 + 0.5)
    truth, guess = 100.0 + 3.0 * stored, unit(predicted)
    regression = {"stored": stored.tolist(), "outputs": predicted.tolist(), "centre": 100.0, "scale": 3.0, "shift": 0.5,
                  "fold_scale": 2.0,
                  "scores": {"rmse": float(M.root_mean_squared_error(truth, guess)), "mae": float(M.mean_absolute_error(truth, guess)),
                             "r2": float(M.r2_score(truth, guess))}}
    write("metrics", ["sklearn", "torch"], {"cases": cases, "regression": regression})


if __name__ == "__main__":
    activations()
    losses()
    optimizers()
    networks()
    lr_schedules()
    metrics()
