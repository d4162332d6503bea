"""Makes corruptions.json: MedMNIST-C's corruptions without chance, by Pillow and NumPy.

    pip install pillow==13.0.0 numpy==1.26.4
    python test/reference/evaluation/make_corruptions.py

The calls are those of the package medmnistc 0.1.0 (ImageEnhance, Image.BOX); torchvision's gamma table
and Gaussian kernel are written out from torchvision.transforms.functional.
"""
import json
import pathlib

import numpy
from PIL import Image, ImageEnhance

HERE = pathlib.Path(__file__).parent
rng = numpy.random.default_rng(7)
y, x = numpy.mgrid[0:24, 0:32]
pixels = (110 + 90 * numpy.sin(x / 5) * numpy.cos(y / 4) + rng.normal(size=(24, 32)) * 20).clip(0, 255).astype(numpy.uint8)
film = Image.fromarray(pixels)


def pixelate(factor):
    width, height = film.size
    small = film.resize((int(width * factor), int(height * factor)), Image.BOX)
    return small.resize((width, height), Image.BOX)


def gamma(g):
    table = [int(min(255, (255 + 1 - 1e-3) * (v / 255) ** g)) for v in range(256)]
    return film.point(table)


def blur(kernel):
    sigma = 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8
    half = (kernel - 1) / 2
    k = numpy.exp(-0.5 * (numpy.linspace(-half, half, kernel) / sigma) ** 2)
    k /= k.sum()
    p = kernel // 2
    a = numpy.pad(pixels.astype(float), p, mode="reflect")
    a = sum(k[i] * a[i : i + 24, :] for i in range(kernel))
    a = sum(k[i] * a[:, i : i + 32] for i in range(kernel))
    return numpy.round(a)


cases = {
    "brighter": [numpy.array(ImageEnhance.Brightness(film).enhance(f)) for f in (1.1, 1.5)],
    "darker": [numpy.array(ImageEnhance.Brightness(film).enhance(f)) for f in (0.9, 0.5)],
    "more contrast": [numpy.array(ImageEnhance.Contrast(film).enhance(f)) for f in (1.1, 1.6)],
    "less contrast": [numpy.array(ImageEnhance.Contrast(film).enhance(f)) for f in (0.9, 0.4)],
    "higher gamma": [numpy.array(gamma(g)) for g in (1.1, 1.6)],
    "lower gamma": [numpy.array(gamma(g)) for g in (0.9, 0.4)],
    "low resolution": [numpy.array(pixelate(f)) for f in (0.8, 0.4)],
    "blur": [blur(k) for k in (3, 11)],
}
fixture = {"width": 32, "height": 24, "pixels": pixels.ravel().tolist(),
           "corrupted": {name: [numpy.asarray(a).astype(int).ravel().tolist() for a in pair] for name, pair in cases.items()}}
(HERE / "corruptions.json").write_text(json.dumps(fixture) + "\n")
