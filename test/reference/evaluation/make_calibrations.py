"""Makes calibrations.json: Platt and isotonic by scikit-learn, beta by betacal, temperature by SciPy.

    pip install scikit-learn==1.9.1 scipy==1.17.1 betacal==1.1.0 numpy==1.26.4
    python test/reference/evaluation/make_calibrations.py
"""
import json
import pathlib
import warnings

import numpy
import scipy.optimize
import scipy.special
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

warnings.simplefilter("ignore")
from betacal import BetaCalibration  # noqa: E402

HERE = pathlib.Path(__file__).parent
GRID = [0.001, 0.02, 0.1, 0.25, 0.4, 0.5, 0.61, 0.75, 0.9, 0.97, 0.999]


def binary(title, seed, n, scale, shift, digits):
    rng = numpy.random.default_rng(seed)
    z = rng.normal(size=n) * 1.5
    labels = (rng.random(n) < scipy.special.expit(z)).astype(int)
    scores = scipy.special.expit(scale * z + shift).round(digits).clip(0.001, 0.999)
    logits = scipy.special.logit(scores)
    a, b = _sigmoid_calibration(logits, labels, max_abs_prediction_threshold=1e9)
    loss = lambda s: float(numpy.mean(numpy.logaddexp(0, -(2 * labels - 1) * logits * s)))
    slope = scipy.optimize.minimize_scalar(loss, bounds=(0.01, 20), method="bounded", options={"xatol": 1e-10}).x
    beta = BetaCalibration("abm").fit(scores.reshape(-1, 1), labels)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    grid = numpy.array(GRID)
    g = scipy.special.logit(grid)
    return {"title": title, "labels": labels.tolist(), "scores": scores.tolist(), "grid": GRID,
            "platt": scipy.special.expit(-(a * g + b)).tolist(),
            "temperature": scipy.special.expit(slope * g).tolist(),
            "beta": beta.predict(grid.reshape(-1, 1)).tolist(),
            "isotonic": isotonic.predict(grid).tolist()}


def several():
    rng = numpy.random.default_rng(9)
    z = rng.normal(size=(90, 3)) * 2
    labels = [int(rng.choice(3, p=p)) for p in scipy.special.softmax(z / 1.7, axis=1)]
    probabilities = scipy.special.softmax(z, axis=1)
    logs = numpy.log(probabilities)
    loss = lambda t: -float(numpy.mean(scipy.special.log_softmax(logs / t, axis=1)[range(90), labels]))
    t = scipy.optimize.minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-10}).x
    return {"labels": labels, "probabilities": probabilities.tolist(), "temperature": float(t),
            "calibrated": scipy.special.softmax(logs / t, axis=1)[:5].tolist()}


fixture = {
    "binary": [binary("twice too sure", 1, 120, 2.0, 0.0, 3), binary("too shy and shifted", 2, 80, 0.4, 0.8, 3),
               binary("with ties", 3, 100, 1.4, -0.5, 1)],
    "several": several(),
}
(HERE / "calibrations.json").write_text(json.dumps(fixture) + "\n")
