"""The networks of benches/search_real.py in PyTorch and in scikit-learn, each with its space.

`train(configuration, train, validation, epochs)` is a generator: after every epoch it gives the validation accuracy.
`suggest(trial)` draws a configuration from the default space of `manytune tune` for these data, as far as the library
has it.
"""

import math

HIDDEN = {"64": [64], "128": [128], "256": [256], "128-64": [128, 64]}  # Optuna's choices are plain values
BATCH_SIZES = [64, 128, 256]


class Torch:
    """All of our default space: decoupled weight decay for every optimizer, dropout, label smoothing, schedules."""

    version = "torch"

    @staticmethod
    def suggest(trial):
        chosen = {
            "learning_rate": trial.suggest_float("learning_rate", 3e-4, 3e-2, log=True),
            "optimizer": trial.suggest_categorical("optimizer", ["adam", "adamw", "sgd"]),
            "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
            "batch_size": trial.suggest_categorical("batch_size", BATCH_SIZES),
            "lr_schedule": trial.suggest_categorical("lr_schedule", ["constant", "cosine", "one_cycle"]),
            "hidden": HIDDEN[trial.suggest_categorical("hidden", list(HIDDEN))],
            "activation": trial.suggest_categorical("activation", ["relu", "tanh", "gelu", "silu"]),
            "dropout": trial.suggest_float("dropout", 0.0, 0.4),
            "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.1),
        }
        if chosen["optimizer"] == "sgd":
            chosen["momentum"] = trial.suggest_float("momentum", 0.8, 0.99)
            chosen["nesterov"] = trial.suggest_categorical("nesterov", [False, True])
        return chosen

    @staticmethod
    def network(chosen, feature_count, class_count):
        import torch

        activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU, "silu": torch.nn.SiLU}[chosen["activation"]]
        layers, sizes = [], [feature_count, *chosen["hidden"], class_count]
        for a, b in zip(sizes, sizes[1:]):
            linear = torch.nn.Linear(a, b)
            torch.nn.init.xavier_uniform_(linear.weight)  # as ours by default
            torch.nn.init.zeros_(linear.bias)
            layers += [linear, activation(), torch.nn.Dropout(chosen["dropout"])]
        return torch.nn.Sequential(*layers[:-2])

    @staticmethod
    def optimizer(chosen, network):
        """(the optimizer, the weights that it does not decay itself)."""
        import torch

        linear = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
        weights, biases = [layer.weight for layer in linear], [layer.bias for layer in linear]
        if chosen["optimizer"] == "sgd":
            momentum = {"momentum": chosen["momentum"], "nesterov": chosen["nesterov"]}
            return torch.optim.SGD([*weights, *biases], lr=chosen["learning_rate"], fused=True, **momentum), weights
        groups = [{"params": weights, "weight_decay": chosen["weight_decay"]}, {"params": biases, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=chosen["learning_rate"], fused=True), []

    @classmethod
    def train(cls, chosen, train, validation, epochs, clock):
        import torch

        (x, y), (held_x, held_y) = ([torch.from_numpy(array) for array in part] for part in [train, validation])
        network = cls.network(chosen, x.shape[1], int(y.max()) + 1)
        optimizer, undecayed = cls.optimizer(chosen, network)
        steps_per_epoch = math.ceil(len(y) / chosen["batch_size"])
        for epoch in range(epochs):
            network.train()
            for step, rows in enumerate(torch.randperm(len(y)).split(chosen["batch_size"])):
                clock.step()
                rate = chosen["learning_rate"] * factor(chosen["lr_schedule"], epoch + step / steps_per_epoch, epochs)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(network(x[rows]), y[rows], label_smoothing=chosen["label_smoothing"]).backward()
                if undecayed:
                    torch._foreach_mul_([weight.data for weight in undecayed], 1 - rate * chosen["weight_decay"])
                optimizer.step()
            network.eval()
            with torch.no_grad():
                yield float((network(held_x).argmax(1) == held_y).double().mean())


def factor(schedule, epochs, total):
    """Of the learning rate, as in src/model/lr_schedule/."""
    progress = min(epochs / total, 1.0)
    between = lambda start, end, share: end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))
    if schedule == "cosine":
        return between(1.0, 0.0, progress)
    if schedule == "one_cycle":
        return between(1 / 25, 1.0, progress / 0.3) if progress < 0.3 else between(1.0, 4e-6, (progress - 0.3) / 0.7)
    return 1.0


class Sklearn:
    """MLPClassifier, an epoch a `partial_fit`. It has no dropout, label smoothing, weight decay, schedules, gelu or
    silu: an L2 penalty and the logistic function stand for them, as in benches/peers/sklearn_search.py."""

    version = "scikit-learn"

    @staticmethod
    def suggest(trial):
        chosen = {
            "learning_rate_init": trial.suggest_float("learning_rate_init", 3e-4, 3e-2, log=True),
            "solver": trial.suggest_categorical("solver", ["adam", "sgd"]),
            "alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
            "batch_size": trial.suggest_categorical("batch_size", BATCH_SIZES),
            "hidden_layer_sizes": tuple(HIDDEN[trial.suggest_categorical("hidden", list(HIDDEN))]),
            "activation": trial.suggest_categorical("activation", ["relu", "tanh", "logistic"]),
        }
        if chosen["solver"] == "sgd":
            chosen["momentum"] = trial.suggest_float("momentum", 0.8, 0.99)
            chosen["nesterovs_momentum"] = trial.suggest_categorical("nesterov", [False, True])
        return chosen

    @staticmethod
    def train(chosen, train, validation, epochs, clock):
        import numpy
        from sklearn.neural_network import MLPClassifier

        network, classes = MLPClassifier(**chosen), numpy.unique(train[1])
        steps_per_epoch = math.ceil(len(train[1]) / chosen["batch_size"])
        for _ in range(epochs):
            network.partial_fit(*train, classes=classes)
            clock.step(steps_per_epoch)  # an epoch that ends too late does not count
            yield network.score(*validation)


LIBRARIES = {"torch": Torch, "sklearn": Sklearn}
