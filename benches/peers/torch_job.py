"""W7 by PyTorch, eager, one network after another: the trials and folds of our study in a loop.

    torch_job.py FOLDER W7 [--threads N] [--device cpu|cuda] [--precision fp32|tf32] [--trials N]

The table lies on the device; each fold is standardised on its training rows once. Adam (or SGD) of torch.optim,
fused, with our l2_penalty on weights (not biases) as its weight_decay adds it; a fresh order each epoch. The table
is read before the clock starts (ours reads it within its time), and each network is scored once (ours after every
epoch). On the processor one thread and all are tried.
"""

import time

import common

arguments = common.arguments(__doc__, lambda parser: parser.add_argument("--trials", type=int, default=None))

import torch

import torch_group

device = torch_group.set_up(arguments)
job = common.Job(arguments.folder, arguments.trials)
features = torch.from_numpy(job.features).float().to(device)
classes = torch.from_numpy(job.classes).to(device)


def standardised(fold):
    """Features and classes of the training and of the validation rows."""
    train, validation = (torch.tensor(fold[part], device=device) for part in ["train", "validation"])
    mean, deviation = features[train].mean(0), features[train].std(0, correction=0)
    return [((features[rows] - mean) / deviation, classes[rows]) for rows in [train, validation]]


def network(hidden):
    layers, sizes = [], [features.shape[1], *hidden, int(classes.max()) + 1]
    for a, b in zip(sizes, sizes[1:]):
        linear = torch.nn.Linear(a, b, device=device)
        torch.nn.init.xavier_uniform_(linear.weight)  # as ours by default
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def accuracy(configuration, train, validation):
    model = network(configuration["hidden"])
    kind, extra = (torch.optim.Adam, {}) if configuration["optimizer"] == "adam" else (torch.optim.SGD, {"momentum": 0.9})
    penalties = [configuration["l2_penalty"], 0.0]  # of weights, and of biases
    groups = [{"params": [layer.weight for layer in model[::2]]}, {"params": [layer.bias for layer in model[::2]]}]
    groups = [group | {"weight_decay": penalty} for group, penalty in zip(groups, penalties)]
    optimizer = kind(groups, lr=configuration["learning_rate"], fused=True, **extra)
    x, y = train
    for _ in range(job.epochs):
        for rows in torch.randperm(len(y), device=device).split(configuration["batch_size"]):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        return (model(validation[0]).argmax(1) == validation[1]).double().mean()


def run(configurations):
    torch.manual_seed(0)
    folds = [standardised(fold) for fold in job.folds]
    found = [[accuracy(configuration, *fold) for fold in folds] for configuration in configurations]
    return [float(sum(of_folds) / len(of_folds)) for of_folds in found]


def seconds(threads):
    torch.set_num_threads(threads)
    start = time.perf_counter()
    float(accuracy(job.configurations[len(job.configurations) // 2], *standardised(job.folds[0])))
    return time.perf_counter() - start


seconds(1)  # libraries load their kernels
tried = {threads: seconds(threads) for threads in sorted({1, arguments.threads})}
threads = min(tried, key=tried.get)
torch.set_num_threads(threads)
common.serve(
    {"peer": "PyTorch eager loop", "version": f"torch {torch.__version__}", "device": torch_group.device_name(device),
     "threads": threads, "precision": arguments.precision, "setting": f"torch.optim, fused; threads: {threads}", "tried": tried,
     "compile_seconds": 0.0},
    lambda: job.round(run),
)
