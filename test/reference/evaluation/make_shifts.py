"""Makes shifts.json: Kolmogorov-Smirnov, energy distance, stability index and MMD by SciPy and NumPy.

    pip install scipy==1.17.1 numpy==1.26.4
    python test/reference/evaluation/make_shifts.py
"""
import json
import pathlib

import numpy
import scipy.spatial.distance
import scipy.special
import scipy.stats

HERE = pathlib.Path(__file__).parent


def case(title, a, b):
    en = len(a) * len(b) / (len(a) + len(b))
    d = scipy.stats.ks_2samp(a, b).statistic
    edges = numpy.unique(numpy.quantile(a, numpy.arange(1, 10) / 10))
    share = lambda v: numpy.maximum(1e-4, numpy.bincount(numpy.digitize(v, edges, right=True), minlength=len(edges) + 1) / len(v))
    p, q = share(a), share(b)
    return {"title": title, "a": a.tolist(), "b": b.tolist(), "statistic": float(d),
            "p": float(scipy.special.kolmogorov(en**0.5 * d)),
            "energy": float(scipy.stats.energy_distance(a, b)), "stability": float(((q - p) * numpy.log(q / p)).sum())}


def mmd():
    rng = numpy.random.default_rng(5)
    a, b = rng.normal(size=(14, 3)).round(3), (rng.normal(size=(11, 3)) + 0.6).round(3)
    squares = scipy.spatial.distance.cdist(numpy.vstack([a, b]), numpy.vstack([a, b]), "sqeuclidean")
    pairs = numpy.sort(squares[numpy.tril_indices(25, -1)])
    k = numpy.exp(-squares / pairs[len(pairs) // 2])
    off = lambda m: (m.sum() - numpy.trace(m)) / (len(m) * (len(m) - 1))
    return {"a": a.tolist(), "b": b.tolist(), "mmd": float(off(k[:14, :14]) + off(k[14:, 14:]) - 2 * k[:14, 14:].mean())}


rng = numpy.random.default_rng(1)
fixture = {"numbers": [
    case("shifted", rng.normal(size=70).round(3), (rng.normal(size=50) + 0.7).round(3)),
    case("alike", rng.random(40).round(3), rng.random(60).round(3)),
    case("ties", rng.integers(0, 5, 50).astype(float), rng.integers(1, 6, 30).astype(float)),
], "mmd": mmd()}
(HERE / "shifts.json").write_text(json.dumps(fixture) + "\n")
