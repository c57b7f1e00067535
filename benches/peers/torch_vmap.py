"""PyTorch's torch.func: vmap over functional_call of one module, with stacked state and Adam by hand.

    torch_vmap.py FOLDER W1|W2|W3|W4 [--threads N] [--seconds S] [--device cpu|cuda] [--precision fp32|tf32]

As in PyTorch's own tutorial on model ensembling (stack_module_state, functional_call, vmap), with gradients by
grad_and_value. On a GPU the step is also replayed from a CUDA graph, which the tutorial does not do.
"""

import common

arguments = common.arguments(__doc__)

import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

import torch_group


def network(sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class Vmapped(torch_group.Group):
    def __init__(self, work, members, device):
        super().__init__(work, members, device)
        model = network(members[0].sizes).to(device)
        self.parameters, _ = stack_module_state([model] * len(members))
        self.parameters = {name: p.detach() for name, p in self.parameters.items()}
        flat = [a for weights, bias in torch_group.stacked(work, members, device) for a in [weights.mT, bias]]
        self.initial = dict(zip(self.parameters, flat))  # a Linear keeps (output, input)
        zeros = lambda: {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.m, self.v = zeros(), zeros()

        def loss(parameters, x, y):
            return torch.nn.functional.cross_entropy(functional_call(model, parameters, (x,)), y)

        self.gradients = vmap(grad_and_value(loss), in_dims=(0, None, None))

    def reset(self):
        for name, p in self.parameters.items():
            p.copy_(self.initial[name])
            self.m[name].zero_(), self.v[name].zero_()
        self.count.zero_()

    def step(self, rows):
        gradients, losses = self.gradients(self.parameters, self.features[rows], self.classes[rows])
        correction1, correction2 = self.corrections()
        for name, w in self.parameters.items():
            g, m, v = gradients[name], self.m[name], self.v[name]
            rates, momenta = (a.view(-1, *[1] * (w.dim() - 1)) for a in [self.rates, self.momenta])
            if self.is_adam:
                m.mul_(common.BETA1).add_(g, alpha=1 - common.BETA1)
                v.mul_(common.BETA2).addcmul_(g, g, value=1 - common.BETA2)
                w.sub_(rates * (m * correction1) / ((v * correction2).sqrt() + common.EPSILON))
            else:
                m.mul_(momenta).add_(g)
                w.sub_(rates * m)
        return losses


torch_group.serve("PyTorch torch.func vmap", lambda variant: Vmapped, arguments)
