"""What both exporters of classifiers share: the pixels, and what is kept of each classifier."""
import json

import numpy

FILMS = 2


def pictures(size):
    """Coarse random pictures [16, 3, size, size], whose statistics a network's norms take on."""
    coarse = numpy.random.default_rng(5).normal(size=(16, 3, 4, 4))
    return numpy.kron(coarse, numpy.ones((1, 1, size // 4, size // 4))).astype(numpy.float32)


def images(size):
    """Those that features are compared on: others can blow up in a network of such norms."""
    return pictures(size)[:FILMS]


def keep(folder, name, size, features):
    """Writes pixels and features [N, C, h, w] or [N, C] beside NAME.onnx; returns what says so."""
    features = numpy.ascontiguousarray(features, dtype=numpy.float32)
    images(size).tofile(folder / f"{name}.images")
    features.tofile(folder / f"{name}.features")
    return {"name": name, "size": size, "films": FILMS, "shape": list(features.shape)}


def write_list(folder, exported):
    (folder / "exported.json").write_text(json.dumps(exported))
