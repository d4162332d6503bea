"""Makes losses.json: loss and gradient by the logits, from PyTorch in double precision.

    pip install torch
    python test/reference/losses/make.py

`weights` are per label: a class's weight, zero where a label is missing. PyTorch's own functions
compute every loss; focal loss, which it lacks, is put together from them.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(4)


def draw(*dims, scale=1.0):
    """Values that single precision holds exactly."""
    return (scale * torch.randn(dims, generator=generator)).float().double()


def smoothed(targets, amount):
    return targets * (1 - amount) + amount / 2


def binary(z, t, w, labelSmoothing=0.0):
    total = F.binary_cross_entropy_with_logits(z, smoothed(t, labelSmoothing), w, reduction="sum")
    return total / w.sum()


def focal(z, t, w, gamma=2.0, labelSmoothing=0.0):
    t = smoothed(t, labelSmoothing)
    p = torch.sigmoid(z)
    p_t = p * t + (1 - p) * (1 - t)
    each = F.binary_cross_entropy_with_logits(z, t, w, reduction="none") * (1 - p_t) ** gamma
    return each.sum() / w.sum()


def softmax(z, t, w, labelSmoothing=0.0):
    each = F.cross_entropy(z, t, reduction="none", label_smoothing=labelSmoothing)
    return (each * w[:, 0]).sum() / w[:, 0].sum()


LOSSES = {"binaryCrossEntropy": binary, "focal": focal, "softmaxCrossEntropy": softmax}


def case(title, loss, z, t, w, **options):
    z = z.clone().requires_grad_()
    value = LOSSES[loss](z, t, w, **options)
    value.backward()
    return {
        "title": title,
        "loss": loss,
        "options": options,
        "logits": z.tolist(),
        "targets": t.tolist(),
        "weights": w.tolist(),
        "value": value.item(),
        "gradient": z.grad.tolist(),
    }


def cases():
    z = draw(6, 4, scale=2)
    t = (torch.rand(6, 4, generator=generator) < 0.4).double()
    ones = torch.ones(6, 4)
    mask = (torch.rand(6, 4, generator=generator) < 0.6).double()
    mask[0] = 0
    weighted = mask * torch.tensor([0.5, 1.0, 2.0, 3.5])
    soft = (0.875 * t + 0.125 * t.roll(1, 0)).float().double()
    for name in ("binaryCrossEntropy", "focal"):
        yield case("all labels", name, z, t, ones)
        yield case("one label", name, z[:, :1], t[:, :1], ones[:, :1])
        yield case("missing labels", name, z, t, mask)
        yield case("missing labels and weights", name, z, t, weighted)
        yield case("smoothed", name, z, t, ones, labelSmoothing=0.1)
        yield case("smoothed, missing labels and weights", name, z, t, weighted, labelSmoothing=0.2)
        yield case("mixed targets, weights", name, z, soft, weighted)
        yield case("large logits", name, 8 * z, t, ones)
    for gamma in (0.0, 0.5, 1.0, 3.0):
        yield case(f"gamma {gamma}, weights", "focal", z, t, weighted, gamma=gamma)
    yield case("gamma 1.5, smoothed", "focal", z, t, ones, gamma=1.5, labelSmoothing=0.1)
    classes = torch.tensor([0, 3, 1, 2, 2, 0])
    one_hot = F.one_hot(classes, 4).double()
    by_class = torch.tensor([0.5, 1.0, 2.0, 3.5])[classes][:, None].expand(6, 4)
    name = "softmaxCrossEntropy"
    yield case("all images", name, z, one_hot, ones)
    yield case("class weights", name, z, one_hot, by_class)
    yield case("images masked by their first weight", name, z, one_hot, mask)
    yield case("smoothed", name, z, one_hot, ones, labelSmoothing=0.1)
    yield case("smoothed, class weights", name, z, one_hot, by_class, labelSmoothing=0.3)
    mixed = (0.75 * one_hot + 0.25 * one_hot.roll(1, 0)).float().double()
    yield case("mixed targets", name, z, mixed, ones)
    yield case("two classes", name, z[:, :2], F.one_hot(classes % 2, 2).double(), ones[:, :2])
    yield case("large logits", name, 20 * z, one_hot, ones)


text = ",\n".join(json.dumps(entry) for entry in cases())
pathlib.Path(__file__).with_name("losses.json").write_text(f"[\n{text}\n]\n")
