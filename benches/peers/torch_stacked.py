"""PyTorch, stacked by hand: forward, backward and the optimizer of all equal members as `baddbmm` on one
tensor a layer, replayed from a CUDA graph on a GPU. The strongest form of this in plain PyTorch.

    torch_stacked.py FOLDER W1|W2|W3|W4 [--threads N] [--seconds S] [--device cpu|cuda] [--precision fp32|tf32]

All parameters of the members lie in one tensor (member, parameter), so that the optimizer is a few kernels
whatever the depth; on a GPU it is also tried fused by torch.compile. Mixed members (W4) are bucketed by shape,
minibatch size and optimizer, one graph each.
"""

import common

arguments = common.arguments(__doc__)

import torch

import torch_group


def update(is_adam, w, g, m, v, rates, momenta, correction1, correction2):
    """In place, on (member, parameter)."""
    if not is_adam:
        m.mul_(momenta).add_(g)
        w.sub_(rates * m)
        return
    m.mul_(common.BETA1).add_(g, alpha=1 - common.BETA1)
    v.mul_(common.BETA2).addcmul_(g, g, value=1 - common.BETA2)
    w.sub_(rates * (m * correction1) / ((v * correction2).sqrt() + common.EPSILON))


class Stacked(torch_group.Group):
    update = staticmethod(update)

    def __init__(self, work, members, device):
        super().__init__(work, members, device)
        self.initial = torch.cat([a.flatten(1) for layer in torch_group.stacked(work, members, device) for a in layer], dim=1)
        self.w, self.g, self.m, self.v = (torch.zeros_like(self.initial) for _ in range(4))
        self.layers, self.gradients = (self.views(flat, members[0].sizes) for flat in [self.w, self.g])

    def views(self, flat, sizes):
        """[(weights (member, input, output), bias (member, 1, output))] inside (member, parameter)."""
        found, at = [], 0
        for a, b in zip(sizes, sizes[1:]):
            weights, bias = flat[:, at : at + a * b], flat[:, at + a * b : at + a * b + b]
            found.append((weights.view(-1, a, b), bias.view(-1, 1, b)))
            at += a * b + b
        return found

    def reset(self):
        self.w.copy_(self.initial)
        for tensor in [self.m, self.v, self.count]:
            tensor.zero_()

    def step(self, rows):
        y = self.classes[rows]
        inputs = [self.features[rows].expand(len(self.members), -1, -1)]  # (member, row, feature), no copy
        for weights, bias in self.layers[:-1]:
            inputs.append(torch.baddbmm(bias, inputs[-1], weights).relu_())
        weights, bias = self.layers[-1]
        logs = torch.log_softmax(torch.baddbmm(bias, inputs[-1], weights), dim=2)
        place = y.expand(len(self.members), -1)[:, :, None]
        losses = -logs.gather(2, place).mean(dim=(1, 2))
        d = logs.exp()
        d.scatter_add_(2, place, torch.full_like(place, -1, dtype=d.dtype))
        d /= len(rows)
        for layer in reversed(range(len(self.layers))):
            d_weights, d_bias = self.gradients[layer]
            d_weights.copy_(torch.bmm(inputs[layer].mT, d))
            d_bias.copy_(d.sum(dim=1, keepdim=True))
            if layer > 0:
                d = torch.bmm(d, self.layers[layer][0].mT).mul_(inputs[layer] > 0)
        corrections = self.corrections()
        self.update(self.is_adam, self.w, self.g, self.m, self.v, self.rates, self.momenta, *corrections)
        return losses


class StackedCompiled(Stacked):
    update = staticmethod(torch.compile(update))


VARIANTS = {"optimizer in eager kernels": Stacked, "optimizer compiled": StackedCompiled}
torch_group.serve("PyTorch baddbmm", VARIANTS.get, arguments, VARIANTS if arguments.device == "cuda" else [*VARIANTS][:1])
