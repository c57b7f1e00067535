"""What the PyTorch peers that train many members at once share: groups of equal members, and CUDA graphs.

A group's step is one minibatch of all its members, written in place on tensors that never move, so that a
CUDA graph can replay it. On a GPU a graph holds 1, 8 or 32 steps (whichever divides an epoch), and the best
one runs; on the processor the step is called plainly, on one thread or on all.
"""

import collections
import itertools
import json
import time

import torch

import common

GRAPH_STEPS = [1, 8, 32]


def set_up(arguments):
    """Threads and precision; returns the device."""
    torch.set_num_threads(arguments.threads)
    tf32 = arguments.precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    device = torch.device(arguments.device)
    if device.type == "cuda":
        torch.zeros(1, device=device)  # starts the driver: no part of a job
    return device


def device_name(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def stacked(work, members, device):
    """Initial parameters of equal members: [(weights (member, input, output), bias (member, output))]."""
    layers = work.initial(members[0])
    repeat = lambda array: torch.from_numpy(array).to(device).expand(len(members), *array.shape).clone()
    return [(repeat(weights), repeat(bias)) for weights, bias in layers]


class Group:
    """Members of one shape, minibatch size and optimizer. A peer adds `reset` and `step`.

    `reset()` puts back the initial parameters and moments, in place; `step(rows)` trains every member on one
    minibatch (its rows of the data) and returns their losses (member).
    """

    def __init__(self, work, members, device):
        self.members, self.device, self.graph = members, device, None
        self.features = torch.from_numpy(work.features).to(device)
        self.classes = torch.from_numpy(work.classes).to(device).long()
        self.batches = torch.from_numpy(work.batches(members[0].batch_size)).to(device).long()
        column = lambda name: torch.tensor([getattr(m, name) for m in members], device=device)[:, None]
        self.rates, self.momenta = column("learning_rate"), column("momentum")  # (member, 1)
        self.is_adam = members[0].optimizer == "adam"
        self.count = torch.zeros((), device=device)  # steps made
        self.loss_sum = torch.zeros(len(members), device=device)

    def corrections(self):
        """Adam's for the moments' start at 0, after counting one more step."""
        self.count += 1
        return 1 / (1 - common.BETA1**self.count), 1 / (1 - common.BETA2**self.count)

    def capture(self, steps):
        """Records `steps` steps as one CUDA graph. The group must be reset afterwards."""
        self.rows = torch.zeros_like(self.batches[0][:steps])
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries allocate their workspaces before the capture
            for _ in range(3):
                self.loss_sum += self.step(self.rows[0])
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            for i in range(steps):
                self.loss_sum += self.step(self.rows[i])

    @torch.no_grad()
    def epoch(self, order):
        """Trains one epoch in the order given (step, row); returns the mean losses (member)."""
        self.loss_sum.zero_()
        if self.graph is None:
            for rows in order:
                self.loss_sum += self.step(rows)
        else:
            for rows in order.split(len(self.rows)):
                self.rows.copy_(rows)
                self.graph.replay()
        return self.loss_sum / len(order)


class Fleet:
    """All members as groups, prepared one way: with how many steps in a CUDA graph (0: none)."""

    def __init__(self, make, work, device, graph_steps, tolerance):
        self.work, self.device, self.trained = work, device, 0
        keyed = collections.defaultdict(list)
        for member in work.members:
            keyed[member.shape, member.batch_size, member.optimizer].append(member)
        start = time.perf_counter()
        self.groups = [make(work, members, device) for members in keyed.values()]
        for group in self.groups:
            group.reset()
            if graph_steps > 0:
                with torch.no_grad():
                    group.capture(graph_steps)
        wait(device)
        self.compile_seconds = time.perf_counter() - start
        for group in self.groups:
            group.reset()
        self.compare(tolerance)
        self.epoch_seconds = common.shortest(self.run)

    def run(self, epochs):
        for _ in range(epochs):
            at = self.trained % self.work.compared_epochs
            losses = [group.epoch(group.batches[at]) for group in self.groups]
            self.trained += 1
        wait(self.device)
        return losses

    def compare(self, tolerance):
        import numpy as np

        found = np.zeros(self.work.losses.shape)
        for of_epoch in found:
            for group, losses in zip(self.groups, self.run(1)):
                of_epoch[[m.number for m in group.members]] = losses.cpu()
        self.worst = self.work.refuse_unless_equal(found, self.work.members, tolerance)


def serve(peer, make, arguments, variants=("",)):
    """Tries every variant of the step with every graph length, then answers timed rounds with the best.

    `make(variant)` gives the group class. Where shapes are mixed only one graph length is tried, since what
    it takes to capture the graphs is part of the stated job.
    """
    device = set_up(arguments)
    work = common.Work(arguments.folder, arguments.workload)
    tolerance = common.TOLERANCE_TF32 if arguments.precision == "tf32" else common.TOLERANCE
    mixed = len({(m.shape, m.batch_size, m.optimizer) for m in work.members}) > 1
    steps = {m.steps_per_epoch for m in work.members}
    lengths = [k for k in GRAPH_STEPS if all(s % k == 0 for s in steps)] if device.type == "cuda" else [0]
    # Networks this small are often quicker on one processor thread than on all.
    counts = sorted({1, arguments.threads}) if device.type == "cpu" else [arguments.threads]
    settings = itertools.product(variants, lengths[:1] if mixed else lengths, counts)
    best, tried = None, {}
    for variant, length, threads in settings:
        name = f"{variant + ', ' if variant else ''}{f'CUDA graph of {length}' if length else f'threads: {threads}'}"
        torch.set_num_threads(threads)
        try:
            fleet = Fleet(make(variant), work, device, length, tolerance)
        except (RuntimeError, ImportError) as error:  # a compiler that this machine lacks, memory
            tried[name] = {"failed": f"{type(error).__name__}: {str(error)[:300]}"}
            continue
        job = fleet.compile_seconds + arguments.epochs * fleet.epoch_seconds
        tried[name] = {"groups": len(fleet.groups), "compile_seconds": fleet.compile_seconds,
                       "epoch_seconds": fleet.epoch_seconds, "job_seconds": job, "worst_difference": fleet.worst}
        if best is None or (job < best[2] if mixed else fleet.epoch_seconds < best[1].epoch_seconds):
            best = (name, fleet, job, threads)
    if best is None:
        raise SystemExit(f"{peer}: no setting ran: {json.dumps(tried)}")
    name, fleet, _, threads = best
    torch.set_num_threads(threads)
    common.serve(
        {"peer": peer, "version": f"torch {torch.__version__}", "device": device_name(device), "threads": threads,
         "precision": arguments.precision, "setting": name, "tried": tried, "compile_seconds": fleet.compile_seconds,
         "worst_difference": fleet.worst, "members_compared": len(work.members)},
        common.rounds_of_epochs(work, fleet.run, fleet.epoch_seconds, arguments.seconds),
    )
