"""Makes clusters.json: k-means and silhouettes by scikit-learn.

    pip install scikit-learn==1.9.1 numpy
    python test/reference/clusters/make.py

Of fifty beginnings each, so that the inertia is the least there is, or near it: a search that finds
more has stopped early.
"""
import json
import pathlib

import numpy
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples

HERE = pathlib.Path(__file__).parent
rng = numpy.random.default_rng(3)


def case(title, rows, k):
    rows = (rows - rows.mean(axis=0)).round(4)
    found = KMeans(k, n_init=50, random_state=0, algorithm="lloyd", tol=0).fit(rows)
    return {"title": title, "k": k, "rows": rows.tolist(), "clusters": found.labels_.tolist(),
            "inertia": float(found.inertia_),
            "silhouettes": silhouette_samples(rows, found.labels_).tolist()}


centres = rng.normal(size=(4, 6)) * 4
cases = [
    case("groups of unequal size, well apart",
         numpy.vstack([rng.normal(size=(n, 6)) + c for n, c in zip((40, 25, 15, 8), centres)]), 4),
    case("groups that run into one another",
         numpy.vstack([rng.normal(size=(n, 6)) * 2 + c / 2 for n, c in zip((40, 30, 20), centres)]), 3),
    case("one row far off, a cluster of its own",
         numpy.vstack([rng.normal(size=(20, 3)), rng.normal(size=(20, 3)) + 6, [[60, -60, 60]]]), 3),
]
(HERE / "clusters.json").write_text(json.dumps({"cases": cases}) + "\n")
