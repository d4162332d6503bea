"""Makes sweep.json: what Optuna 5.0.0 and SciPy 1.17.1 compute for samplers and pruners.

    pip install optuna==5.0.0 scipy==1.17.1 && python make.py
"""
import json
import pathlib
import unittest.mock

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_weights
from optuna.trial import TrialState, create_trial
from scipy.stats import qmc

optuna.logging.set_verbosity(optuna.logging.ERROR)
RNG = np.random.default_rng(7)

SPACE = {
    "mixup": FloatDistribution(0.0, 1.0),
    "lr": FloatDistribution(1e-5, 1e-1, log=True),
    "epochs": IntDistribution(2, 12),
    "batch": IntDistribution(4, 256, log=True),
    "labelSmoothing": FloatDistribution(0.0, 0.3, step=0.1),
    "augmentation": CategoricalDistribution(["none", "light", "strong"]),
}
ARGSORT = np.argsort
CHOICES = ["none", "light", "strong"]
PARAMETERS = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)


def draw():
    return {
        "mixup": float(RNG.uniform()),
        "lr": float(10 ** RNG.uniform(-5, -1)),
        "epochs": int(RNG.integers(2, 13)),
        "batch": int(np.exp(RNG.uniform(np.log(4), np.log(256)))),
        "labelSmoothing": round(0.1 * int(RNG.integers(0, 4)), 1),
        "augmentation": CHOICES[int(RNG.integers(3))],
    }


def internal(rows):
    return {
        name: np.array([dist.to_internal_repr(row[name]) for row in rows], dtype=float)
        for name, dist in SPACE.items()
    }


def parzen(count):
    observations, points = [draw() for _ in range(count)], [draw() for _ in range(12)]
    # Which of equal observations gets which kernel is left to NumPy's sort, which is not stable.
    with unittest.mock.patch("numpy.argsort", lambda a: ARGSORT(a, kind="stable")):
        estimator = _ParzenEstimator(internal(observations), SPACE, PARAMETERS)
    return {
        "observations": observations,
        "points": points,
        "logDensities": estimator.log_pdf(internal(points)).tolist(),
    }


def study_of(trials):
    study = optuna.create_study(direction="minimize")
    study.add_trials(trials)
    return study


def split(complete, pruned, running):
    states = ["complete"] * complete + ["pruned"] * pruned + ["running"] * running
    RNG.shuffle(states)
    trials, made = [], []
    for state in states:
        steps = int(RNG.integers(0, 6)) if state == "pruned" else 6
        values = [round(float(RNG.uniform()), 3) for _ in range(steps)]
        reports = {step + 1: value for step, value in enumerate(values)}
        trials.append(
            {
                "state": state,
                "value": values[-1] if state == "complete" else None,
                "reports": values,
            }
        )
        made.append(
            create_trial(
                state=TrialState[state.upper()],
                value=values[-1] if state == "complete" else None,
                params={},
                distributions={},
                intermediate_values=reports,
            )
        )
    study = study_of(made)
    below, _ = _split_trials(study, study.trials, default_gamma(complete + pruned))
    return {"trials": trials, "good": [trial.number for trial in below]}


def pruning(pruner):
    """Forty trials one after another: what each would report, and after which report it was stopped."""
    study = optuna.create_study(direction="minimize", pruner=pruner)
    rows = []
    for _ in range(40):
        start = RNG.uniform(0.3, 1.0)
        values = [round(float(start / (1 + 0.1 * s) + RNG.normal(0, 0.03)), 4) for s in range(27)]
        trial = study.ask()
        stopped = None
        for step, value in enumerate(values, 1):
            trial.report(value, step)
            if trial.should_prune():
                stopped = step
                break
        if stopped is None:
            study.tell(trial, values[-1])
        else:
            study.tell(trial, state=TrialState.PRUNED)
        rows.append({"values": values, "stopped": stopped})
    return rows


def main():
    made = {
        "sobol": qmc.Sobol(32, scramble=False).random(64).tolist(),
        "parzen": [parzen(count) for count in (0, 1, 2, 7, 60)],
        "splits": [split(30, 0, 0), split(12, 25, 3), split(1, 40, 0), split(300, 20, 2)],
        "asha": pruning(
            optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
        ),
        "median": pruning(optuna.pruners.MedianPruner()),
    }
    path = pathlib.Path(__file__).with_name("sweep.json")
    path.write_text(json.dumps(made, separators=(",", ":")) + "\n")


main()
