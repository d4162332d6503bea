"""One study of Optuna over a space that the first line gives: each trial's losses are asked for and come as a line."""

import json
import sys

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)


def say(message) -> None:
    print(json.dumps(message), flush=True)


def hear():
    return json.loads(sys.stdin.readline())


def params_of(trial, dimensions):
    params = {}
    for one in dimensions:
        when = one["when"]
        if when and params.get(when["name"]) not in when["values"]:
            continue
        if one["kind"] == "choice":
            params[one["name"]] = trial.suggest_categorical(one["name"], one["choices"])
        else:
            params[one["name"]] = trial.suggest_float(
                one["name"], one["low"], one["high"], log=one["isLog"], step=one["step"]
            )
    return params


def main() -> None:
    given = hear()
    own = {"multivariate": True, "group": True} if given["isMultivariate"] else {}
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=given["seed"], **own),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    )
    say({"kind": "ready", "version": optuna.__version__})
    goes_on = True
    while goes_on:
        trial = study.ask()
        say({"kind": "trial", "params": params_of(trial, given["dimensions"])})
        losses = hear()["losses"]
        epochs = 0
        for loss in losses:
            epochs += 1
            trial.report(loss, epochs)
            if trial.should_prune():
                break
        is_complete = epochs == len(losses)
        if is_complete:
            study.tell(trial, min(losses))
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        say({"kind": "ended", "epochs": epochs, "isComplete": is_complete})
        goes_on = hear()["goesOn"]


main()
