"""Makes the stored importances that src/report/importance/ is compared with.

    python -m venv venv && venv/bin/pip install optuna==5.0.0 scikit-learn==1.9.1
    venv/bin/python tests/reference/make_importance.py

`ped_anova` is what Optuna's PedAnovaImportanceEvaluator says, divided by its sum as `get_param_importances` does;
`fanova` the mean of its FanovaImportanceEvaluator over ten seeds, not divided; null where a case has what it does not
take alike (logarithmic ranges, conditions). A trial that diverged is one of a value worse than all others: PED-ANOVA
looks at ranks alone.
"""

import json
import math
import pathlib
import random

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

optuna.logging.set_verbosity(optuna.logging.ERROR)


def spaces():
    plain = {
        "x": ({"uniform": [-2.0, 3.0]}, FloatDistribution(-2.0, 3.0), None),
        "y": ({"uniform": [0.0, 1.0]}, FloatDistribution(0.0, 1.0), None),
        "k": ({"int": [1, 12]}, IntDistribution(1, 12), None),
        "idle": ({"uniform": [0.0, 4.0]}, FloatDistribution(0.0, 4.0), None),
    }
    mixed = {
        "rate": ({"log_uniform": [1e-5, 1e-1]}, FloatDistribution(1e-5, 1e-1, log=True), None),
        "width": ({"int": [4, 300], "log": True}, IntDistribution(4, 300, log=True), None),
        "step": ({"uniform": [0.0, 1.0], "step": 0.25}, FloatDistribution(0.0, 1.0, step=0.25), None),
        "many": ({"int": [0, 200]}, IntDistribution(0, 200), None),
        "kind": (["a", "b", "c"], CategoricalDistribution(["a", "b", "c"]), None),
        "momentum": ({"uniform": [0.0, 0.9]}, FloatDistribution(0.0, 0.9), ("kind", "b")),
    }
    return {"plain": plain, "mixed": mixed}


def draw(space, generator):
    found = {}
    for name, (_, distribution, when) in space.items():
        if when is not None and found[when[0]] != when[1]:
            continue
        if isinstance(distribution, CategoricalDistribution):
            found[name] = generator.choice(distribution.choices)
        elif isinstance(distribution, IntDistribution):
            low, high = distribution.low, distribution.high
            value = low + (high - low) * generator.random()
            if distribution.log:
                value = math.exp(math.log(low) + (math.log(high) - math.log(low)) * generator.random())
            found[name] = int(value)
        elif distribution.step is not None:
            found[name] = distribution.low + distribution.step * generator.randrange(5)
        elif distribution.log:
            found[name] = math.exp(generator.uniform(math.log(distribution.low), math.log(distribution.high)))
        else:
            found[name] = generator.uniform(distribution.low, distribution.high)
    return found


def plain_value(p):
    return (p["x"] - 1) ** 2 + 0.4 * p["k"] + 3 * p["y"] * (p["x"] > 0)


def mixed_value(p):
    value = (math.log10(p["rate"]) + 3) ** 2 + 0.1 * abs(p["many"] - 60) ** 0.5 + (p["kind"] == "c")
    value += 4 * abs(p.get("momentum", 0.45) - 0.7) - 0.2 * math.log(p["width"])
    return value


def case(name, space, value, count, direction, seed, ties=None, diverged=0.0):
    generator = random.Random(seed)
    distributions = spaces()[space]
    study = optuna.create_study(direction=direction)
    trials = []
    for _ in range(count):
        parameters = draw(distributions, generator)
        found = value(parameters)
        found = found if ties is None else round(found * ties) / ties
        found = found if direction == "minimize" else -found
        is_diverged = generator.random() < diverged
        worst = 1e9 if direction == "minimize" else -1e9
        study.add_trial(optuna.trial.create_trial(
            params=parameters,
            distributions={key: distributions[key][1] for key in parameters},
            value=worst if is_diverged else found,
        ))
        trials.append({"value": None if is_diverged else found, "hyperparameters": parameters})
    ped = PedAnovaImportanceEvaluator().evaluate(study)
    whole = sum(ped.values())
    fanova = None
    if space == "plain" and not diverged:
        runs = [FanovaImportanceEvaluator(seed=seed).evaluate(study) for seed in range(10)]
        fanova = {key: sum(run[key] for run in runs) / len(runs) for key in runs[0]}
    return {
        "name": name,
        "direction": direction,
        "space": {key: {"domain": domain, "when": when} for key, (domain, _, when) in distributions.items()},
        "trials": trials,
        "ped_anova": {key: importance / whole for key, importance in ped.items()},
        "fanova": fanova,
    }


def main():
    cases = [
        case("plain", "plain", plain_value, 200, "minimize", 1),
        case("upward", "plain", plain_value, 60, "maximize", 2),
        case("few", "plain", plain_value, 12, "minimize", 3),
        case("ties", "plain", plain_value, 80, "minimize", 4, ties=0.5),
        case("mixed", "mixed", mixed_value, 150, "minimize", 5),
        case("diverged", "mixed", mixed_value, 120, "maximize", 6, diverged=0.2),
    ]
    path = pathlib.Path(__file__).parent / "importance.json"
    path.write_text(json.dumps({"optuna": optuna.__version__, "cases": cases}) + "\n")
    for found in cases:
        print(found["name"], found["ped_anova"], found["fanova"])


main()
