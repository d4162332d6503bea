"""Weights and images from a hash of a name and a position, which trajectories/formula.ts and backbones/formula.ts repeat."""
import math

import numpy


def hashes(name, count):
    """A 32-bit hash per position (FNV-1a of the name, then the lowbias32 mixer)."""
    start = 0x811C9DC5
    for byte in name.encode():
        start = ((start ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = (numpy.arange(count, dtype=numpy.uint64) * 0x9E3779B9 + start) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def values(name, dims, scale=1.0, offset=0.0):
    """Uniform in offset +- scale, rounded to single precision."""
    unit = hashes(name, math.prod(dims)).astype(numpy.float64) / 2**31 - 1
    return (offset + scale * unit).astype(numpy.float32).astype(numpy.float64).reshape(dims)


def weight(name, dims):
    """A parameter of a backbone by its name here: "conv1.weight", "bn1.scale", "bn1.mean" ..., in ONNX's layout."""
    kind = name.rsplit(".", 1)[-1]
    if kind in ("scale", "layer_scale", "variance"):
        return values(name, dims, 0.25, 1.0)
    if kind in ("bias", "mean", "cls_token", "pos_embed"):
        return values(name, dims, 0.25)
    return values(name, dims, math.sqrt(6 / math.prod(dims[1:])))
