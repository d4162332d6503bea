"""Shares of variance by Optuna's fANOVA, on a function of four numbers and on one with a category.

    pip install optuna==5.0.0 scikit-learn==1.9.1 && python make_fanova.py
"""

import json
import math
import random

import optuna
import sklearn
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)
random.seed(3)
NUMBERS = ["a", "b", "c", "d"]
SEEDS = 5


def numbers(params):
    a, b, c, _ = (params[name] for name in NUMBERS)
    return math.sin(5 * a) + 1.5 * b * b + 0.8 * a * c


def mixed(params):
    return params["a"] + {"x": 0.0, "y": 0.6, "z": 0.1}[params["kind"]] * (1 + params["b"])


def case(function, distributions, count):
    study = optuna.create_study()
    trials = []
    for _ in range(count):
        params = {
            name: random.choice(one.choices) if isinstance(one, CategoricalDistribution) else random.random()
            for name, one in distributions.items()
        }
        value = function(params)
        trials.append({"params": params, "value": value})
        study.add_trial(create_trial(params=params, distributions=distributions, value=value))
    found = [FanovaImportanceEvaluator(seed=seed).evaluate(study) for seed in range(SEEDS)]
    shares = {name: sum(one[name] for one in found) / SEEDS for name in distributions}
    return {"trials": trials, "shares": shares}


unit = FloatDistribution(0, 1)
cases = {
    "numbers": case(numbers, {name: unit for name in NUMBERS}, 120),
    "mixed": case(mixed, {"a": unit, "b": unit, "kind": CategoricalDistribution(["x", "y", "z"])}, 120),
}
versions = {"optuna": optuna.__version__, "scikit-learn": sklearn.__version__}
with open("fanova.json", "w") as file:
    json.dump({"versions": versions, **cases}, file, separators=(",", ":"))
    file.write("\n")
