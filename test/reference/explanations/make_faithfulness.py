"""Makes faithfulness.json: deletion, insertion and likeness of maps by NumPy, SciPy and scikit-image.

    pip install numpy scipy scikit-image
    python test/reference/explanations/make_faithfulness.py

The network is make.py's small one on weights by a formula, written out in NumPy in double precision; the
picture is a formula's as well, and so are the maps. Pixels go in 8 equal shares; the baseline of deletion
is the picture's mean, of insertion scipy's Gaussian of a sixteenth of the side, ended at three deviations.
"""
import json
import pathlib
import sys

import numpy
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from formula import hashes, values, weight

SIDE = 32
STEPS = 8


def conv(x, kernel, bias):
    height, width = x.shape[1:]
    padded = numpy.pad(x, ((0, 0), (1, 1), (1, 1)))
    total = numpy.broadcast_to(bias[:, None, None], (len(kernel), height, width)).copy()
    for dy in range(3):
        for dx in range(3):
            total += numpy.tensordot(kernel[:, :, dy, dx], padded[:, dy:dy + height, dx:dx + width], 1)
    return total


def pooled(x):
    channels, height, width = x.shape
    return x.reshape(channels, height // 2, 2, width // 2, 2).max((2, 4))


def probability(picture):
    x = picture[None]
    for stage, (before, after) in enumerate([(1, 8), (8, 16), (16, 32)]):
        kernel = weight(f"conv{stage}.weight", [after, before, 3, 3])
        x = numpy.maximum(pooled(conv(x, kernel, weight(f"conv{stage}.bias", [after]))), 0)
    x = numpy.maximum(weight("dense.weight", [32, 512]) @ x.flatten() + weight("dense.bias", [32]), 0)
    logit = weight("head.weight", [1, 32]) @ x + weight("head.bias", [1])
    return 1 / (1 + numpy.exp(-logit[0]))


def along(before, after, order):
    found = []
    for step in range(STEPS + 1):
        picture = before.flatten()
        chosen = order[:round(step * len(order) / STEPS)]
        picture[chosen] = after.flatten()[chosen]
        found.append(probability(picture.reshape(SIDE, SIDE)))
    return found


def rounded(array):
    return [float(f"{value:.9g}") for value in numpy.asarray(array).flatten()]


film = (hashes("films", SIDE * SIDE) % 256).astype(numpy.float64).reshape(SIDE, SIDE)
picture = film / 127.5 - 1
saliency = values("saliency", [SIDE, SIDE])
order = numpy.argsort(-saliency.flatten(), kind="stable")
flat = numpy.full_like(picture, picture.mean())
blurred = gaussian_filter(picture, SIDE / 16, mode="nearest", truncate=3)
curves = {"deletion": along(picture, flat, order), "insertion": along(blurred, picture, order)}

# Ties, as a map after a ReLU has them.
one = numpy.maximum(values("one", [SIDE, SIDE]), 0)
other = numpy.maximum(0.5 * one + values("other", [SIDE, SIDE], 0.5), 0)
scaled = [array / array.max() for array in (one, other)]
similarity = structural_similarity(*scaled, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
found = {
    "steps": STEPS,
    "curves": {name: {"probabilities": rounded(curve), "area": rounded(numpy.trapezoid(curve, dx=1 / STEPS))[0]}
               for name, curve in curves.items()},
    "rankCorrelation": float(spearmanr(one.flatten(), other.flatten()).statistic),
    "ssim": float(similarity),
}
print(found["curves"], found["rankCorrelation"], found["ssim"])
pathlib.Path(__file__).with_name("faithfulness.json").write_text(f"{json.dumps(found, indent=1)}\n")
