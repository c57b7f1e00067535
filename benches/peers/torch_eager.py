"""PyTorch, eager, one model after another: the common way.

    torch_eager.py FOLDER W1|W2|W3|W4 [--threads N] [--seconds S] [--device cpu|cuda] [--precision fp32|tf32]

A module, torch.optim (its fused or foreach form where it helps), a loop over minibatches that stay on the
device. Training every member would take hours where this is slow: a timed round is one epoch of some of them,
evenly spaced in the order of their work; 16 of these are compared with ours before.
"""

import time

import common

arguments = common.arguments(__doc__)

import torch

import torch_group

device = torch_group.set_up(arguments)
work = common.Work(arguments.folder, arguments.workload)
features, classes = torch.from_numpy(work.features).to(device), torch.from_numpy(work.classes).to(device).long()
batches = {m.batch_size: torch.from_numpy(work.batches(m.batch_size)).to(device).long() for m in work.members}


def optimizer_of(member, model, form):
    keywords = {"fused": True} if form == "fused" else {"foreach": form == "foreach"}
    if member.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), lr=member.learning_rate, betas=(common.BETA1, common.BETA2), eps=common.EPSILON, **keywords)
    return torch.optim.SGD(model.parameters(), lr=member.learning_rate, momentum=member.momentum, **keywords)


def train(member, epochs, form):
    """From its initial values; returns the mean loss of each epoch."""
    layers = []
    for weights, bias in work.initial(member):
        linear = torch.nn.Linear(*weights.shape)
        linear.weight.data, linear.bias.data = torch.from_numpy(weights.T.copy()), torch.from_numpy(bias.copy())
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1]).to(device)
    optimizer, means = optimizer_of(member, model, form), []
    for order in batches[member.batch_size][:epochs]:
        total = torch.zeros((), device=device)
        for rows in order:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(features[rows]), classes[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        means.append(total / len(order))
    return [float(mean) for mean in means]


def timed(members, form):
    start = time.perf_counter()
    for member in members:
        train(member, 1, form)
    torch_group.wait(device)
    return time.perf_counter() - start


compared = work.spaced(16)
tolerance = common.TOLERANCE_TF32 if arguments.precision == "tf32" else common.TOLERANCE
losses = [train(member, work.compared_epochs, "foreach") for member in compared]
worst = work.refuse_unless_equal([list(epoch) for epoch in zip(*losses)], compared, tolerance)

# On a processor one thread is often quicker than two for networks this small.
settings = [(form, threads) for form in ["foreach", "fused", "for loop"] for threads in sorted({1, arguments.threads} if device.type == "cpu" else {arguments.threads})]
tried, sample = {}, work.spaced(4)
for form, threads in settings:
    torch.set_num_threads(threads)
    timed(sample[:1], form)
    tried[f"{form}, {threads} threads"] = sum(m.steps_per_epoch for m in sample) / timed(sample, form)
form, threads = max(zip(tried.values(), settings))[1]
torch.set_num_threads(threads)
name = f"{form}, {threads} threads"
members, repeats = common.enough(work, tried[name], arguments.seconds)
steps = sum(m.steps_per_epoch for m in members) * repeats


def timed_round():
    seconds = timed(members * repeats, form)
    return {"config_steps_per_s": steps / seconds, "seconds": seconds, "config_steps": steps}


common.serve(
    {"peer": "PyTorch eager loop", "version": f"torch {torch.__version__}", "device": torch_group.device_name(device),
     "threads": threads, "precision": arguments.precision, "setting": name, "tried": tried, "compile_seconds": 0.0,
     "worst_difference": worst, "members_compared": len(compared), "members_timed": len(members)},
    timed_round,
)
