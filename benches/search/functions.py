"""Test functions whose optimum is moved, by another shift for each seed, and whose minimum stays known exactly.

    python benches/search/functions.py        checks the stated minima, and that shifts keep them inside

A strategy that starts from the middle of its ranges is flattered by an optimum that lies there. So each seed
evaluates f(x - s) on the function's own domain: the domain stays, the optimum moves by s, and nothing wraps around.

The simple regret (best value found minus the minimum) is exact, because each minimum is the function's lowest value
on the whole of R^d, and s is bounded so that a place where it is taken stays inside the domain:

- Branin is 10/(8 pi) or more everywhere: its square is 0 or more, and its cosine term is at least -10 (1 - 1/(8 pi)).
  The shifts keep all three optima inside.
- Hartmann6 is minus a sum of Gaussians. Where its gradient vanishes, each coordinate is a positively weighted mean of
  the centres' coordinates, so no lower point lies outside the cube; at infinity it tends to 0.
- Ackley and Rosenbrock are 0 at one point and positive elsewhere.

Formulas: Surjanovic and Bingham, Virtual Library of Simulation Experiments.
"""

import dataclasses
import math
import random
from typing import Callable


@dataclasses.dataclass(frozen=True)
class Function:
    """f over a box, to be minimised. Only the argument is shifted, never the box."""

    name: str
    box: tuple  # (low, high) of each coordinate
    formula: Callable
    minimum: float
    optima: tuple  # unshifted
    known: tuple  # (place, value) as published elsewhere: the coefficients that the minimum does not show
    shifts: Callable  # random.Random -> the shift s, one number a coordinate

    def shift(self, seed):
        """The same for every contender. `random.Random` of a text repeats on every platform and version."""
        return self.shifts(random.Random(f"{self.name} {seed}"))

    def space(self):
        return {f"x{i}": ("uniform", low, high) for i, (low, high) in enumerate(self.box)}

    def objective(self, seed):
        """Hyperparameters -> value."""
        shift = self.shift(seed)
        names = list(self.space())
        return lambda chosen: self.formula([chosen[name] - s for name, s in zip(names, shift)])


def branin(x):
    a, b = x
    square = b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6
    return square**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


WEIGHTS = (1.0, 1.2, 3.0, 3.2)
SCALES = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
CENTRES = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann6(x):
    exponent = lambda scales, centres: sum(a * (v - p) ** 2 for a, v, p in zip(scales, x, centres))
    return -sum(w * math.exp(-exponent(a, p)) for w, a, p in zip(WEIGHTS, SCALES, CENTRES))


def ackley(x):
    root = math.sqrt(sum(v * v for v in x) / len(x))
    waves = sum(math.cos(2 * math.pi * v) for v in x) / len(x)
    # The first two of the four terms as one: expm1 keeps the digits near the optimum.
    return -20 * math.expm1(-0.2 * root) - math.exp(waves) + math.e


def rosenbrock(x):
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def uniform(*bounds):
    return lambda generator: [generator.uniform(low, high) for low, high in bounds]


def away_from_centre(generator):
    """Ackley's optimum is the centre: every coordinate moves by a quarter to a half of the half-width, either way."""
    return [generator.choice([-1, 1]) * generator.uniform(0.25, 0.5) * 32.8 for _ in range(5)]


ALL = {
    function.name: function
    for function in [
        Function("branin", ((-5.0, 10.0), (0.0, 15.0)), branin, 10 / (8 * math.pi),
                 ((-math.pi, 12.275), (math.pi, 2.275), (3 * math.pi, 2.475)),
                 ((0.0, 0.0), 55.602113), uniform((-1.5, 0.5), (-2.0, 2.0))),
        Function("hartmann6", ((0.0, 1.0),) * 6, hartmann6, -3.322368011415515,
                 ((0.20168952, 0.15001069, 0.47687398, 0.27533243, 0.31165162, 0.65730054),),
                 ((0.0,) * 6, -0.00508911), uniform(*[(-0.1, 0.1)] * 6)),
        Function("ackley5", ((-32.8, 32.8),) * 5, ackley, 0.0, ((0.0,) * 5,),
                 ((1.0,) * 5, 3.6253849), away_from_centre),
        Function("rosenbrock4", ((-5.0, 10.0),) * 4, rosenbrock, 0.0, ((1.0,) * 4,),
                 ((0.0, 2.0, -1.0, 0.0), 3006.0), uniform(*[(-2.0, 2.0)] * 4)),
    ]
}


def check(function, seeds=200):
    """Stops where an optimum does not give the minimum, leaves the box, or where descent finds something lower."""
    import numpy
    from scipy.optimize import minimize

    place, value = function.known
    assert abs(function.formula(place) - value) <= 1e-6, (function.name, place, function.formula(place))
    for optimum in function.optima:
        value = function.formula(optimum)
        # The optima are stated to 8 digits, which is off by their square in the value.
        assert abs(value - function.minimum) <= 1e-10, (function.name, optimum, value)
    for seed in range(seeds):
        shift, objective = function.shift(seed), function.objective(seed)
        for optimum in function.optima:
            moved = {f"x{i}": v + s for i, (v, s) in enumerate(zip(optimum, shift))}
            assert all(low <= v <= high for v, (low, high) in zip(moved.values(), function.box)), (function.name, seed)
            assert abs(objective(moved) - function.minimum) <= 1e-10, (function.name, seed)
        if seed < 20:
            generator = numpy.random.default_rng(seed)
            lowest = min(
                minimize(lambda x: objective({f"x{i}": v for i, v in enumerate(x)}),
                         [generator.uniform(low, high) for low, high in function.box], bounds=function.box).fun
                for _ in range(10)
            )
            assert lowest >= function.minimum - 1e-12, (function.name, seed, lowest)


if __name__ == "__main__":
    for one in ALL.values():
        check(one)
        print(f"{one.name}: minimum {one.minimum:.12g}, in the box under all shifts")
