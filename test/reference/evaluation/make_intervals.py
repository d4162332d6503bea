"""Makes intervals.json: normal distribution, Wilson, BCa and DeLong by SciPy, statsmodels and NumPy.

    pip install scipy==1.17.1 statsmodels==0.15.0 numpy==1.26.4
    python test/reference/evaluation/make_intervals.py

The ovarian cancer data are those of DeLong, DeLong and Clarke-Pearson 1988 as printed in the SAS/STAT
User's Guide, "Comparing Receiver Operating Characteristic Curves" (albumin, total protein, K-G score).
DeLong's variances are written out here from the paper's definition, by all pairs and with fractions,
not by the ranks that Hilum uses.
"""
import itertools
import json
import pathlib

import numpy
import scipy.stats
from statsmodels.stats.proportion import proportion_confint

HERE = pathlib.Path(__file__).parent

OVARIAN = """3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0
1.6 5.6 5 1 3.8 5.7 5 1 3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1
3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1
3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0
1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0
4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1"""


def placements(labels, scores):
    """The share of the other class that each film beats, ties halved: V10 and V01 of the paper."""
    kernel = lambda x, y: float(x > y) + 0.5 * float(x == y)
    xs = [s for l, s in zip(labels, scores) if l == 1]
    ys = [s for l, s in zip(labels, scores) if l == 0]
    v10 = numpy.array([numpy.mean([kernel(x, y) for y in ys]) for x in xs])
    v01 = numpy.array([numpy.mean([kernel(x, y) for x in xs]) for y in ys])
    return v10, v01


def ovarian():
    rows = numpy.array(OVARIAN.split(), float).reshape(-1, 4)
    labels = rows[:, 3].astype(int)
    tests = {"albumin": rows[:, 0], "protein": rows[:, 1], "kg": 10 - rows[:, 2]}
    v = {name: placements(labels, scores) for name, scores in tests.items()}
    cov = lambda a, b: sum(numpy.cov(v[a][k], v[b][k])[0, 1] / len(v[a][k]) for k in (0, 1))
    z = scipy.stats.norm.ppf(0.975)
    areas = {}
    for name in tests:
        area, se = v[name][0].mean(), cov(name, name) ** 0.5
        areas[name] = {"area": area, "variance": se**2, "low": max(0, area - z * se), "high": min(1, area + z * se)}
    pairs = []
    for a, b in itertools.combinations(tests, 2):
        difference = areas[a]["area"] - areas[b]["area"]
        se = (cov(a, a) + cov(b, b) - 2 * cov(a, b)) ** 0.5
        pairs.append({"a": a, "b": b, "difference": difference, "low": difference - z * se,
                      "high": difference + z * se, "p": 2 * scipy.stats.norm.sf(abs(difference / se))})
    return {"labels": labels.tolist(), "tests": {k: s.tolist() for k, s in tests.items()}, "areas": areas, "pairs": pairs}


def bca():
    cases = []
    for name, sample, statistic, rounds in [
        ("mean of a skewed sample", numpy.random.default_rng(1).exponential(size=18).round(4), numpy.mean, 250),
        ("standard deviation", numpy.random.default_rng(2).normal(size=15).round(4), numpy.std, 250),
        ("median, with ties", numpy.random.default_rng(3).integers(0, 9, size=13).astype(float), numpy.median, 250),
    ]:
        for level in (0.95, 0.8):
            result = scipy.stats.bootstrap((sample,), statistic, n_resamples=rounds, confidence_level=level,
                                           method="BCa", vectorized=False, rng=numpy.random.default_rng(4))
            cases.append({
                "title": f"{name}, {level}", "level": level, "estimate": float(statistic(sample)),
                "replicates": result.bootstrap_distribution.tolist(),
                "jackknife": [float(statistic(numpy.delete(sample, i))) for i in range(len(sample))],
                "low": float(result.confidence_interval.low), "high": float(result.confidence_interval.high),
            })
    return cases


def main():
    z = [-36, -12.3, -7.1, -7.07, -5, -3.1, -1.959963984540054, -0.7, -0.1, 0, 0.3, 1, 2.5, 4.4, 6, 8.2]
    p = [1e-300, 1e-30, 1e-12, 1e-5, 0.001, 0.025, 0.074, 0.0751, 0.3, 0.5, 0.6, 0.925, 0.975, 0.9999, 1 - 1e-12]
    wilson = [[k, n, level, *map(float, proportion_confint(k, n, alpha=1 - level, method="wilson"))]
              for k, n, level in [(81, 263, 0.95), (15, 148, 0.95), (0, 20, 0.95), (1, 29, 0.95), (29, 29, 0.95),
                                  (1, 1, 0.9), (199999, 200000, 0.99), (5, 9, 0.8)]]
    fixture = {
        "normal": {"cdf": [[x, float(scipy.stats.norm.cdf(x))] for x in z],
                   "quantile": [[x, float(scipy.stats.norm.ppf(x))] for x in p]},
        "wilson": wilson, "bca": bca(), "ovarian": ovarian(),
    }
    (HERE / "intervals.json").write_text(json.dumps(fixture) + "\n")


main()
