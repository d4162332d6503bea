"""Makes explanations.json: heat maps of PyTorch networks on weights by a formula.

    pip install torch torchvision timm numpy grad-cam captum
    python test/reference/explanations/make.py

In double precision on weights of single precision. Grad-CAM and Layer-CAM are pytorch-grad-cam's before it scales
and enlarges them; Grad-CAM++, where that library adds 1e-6 below the line, is written out here. Integrated gradients
(middle of 32 steps, from each film's mean) and occlusion (by the mean, windows of two cells) are captum's.
`class` is the index of the logit that is explained; null is the largest of each film.
"""
import json
import pathlib
import sys

import captum.attr
import numpy
import pytorch_grad_cam
import timm
import torch
import torchvision

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from formula import hashes, values, weight

torch.set_num_threads(1)
NORMS = (torch.nn.BatchNorm2d, torch.nn.LayerNorm)
KINDS = {"running_mean": "mean", "running_var": "variance"}
FILMS = 2
STEPS = 32


class Grey(torch.nn.Module):
    """A network of colour images on grey ones, without its classifier."""

    def __init__(self, network, channels):
        super().__init__()
        self.network, self.channels = network, channels

    def forward(self, x):
        return self.network(x.expand(-1, self.channels, -1, -1))


class SmallCnn(torch.nn.Module):
    """models/small-cnn.ts at a quarter of its width, without the last layer."""

    def __init__(self, size):
        super().__init__()
        for stage, (before, after) in enumerate([(1, 8), (8, 16), (16, 32)]):
            self.add_module(f"conv{stage}", torch.nn.Conv2d(before, after, 3, padding=1))
        self.dense = torch.nn.Linear(32 * (size // 8) ** 2, 32)
        self.map = torch.nn.Identity()

    def forward(self, x):
        for conv in (self.conv0, self.conv1, self.conv2):
            x = torch.nn.functional.max_pool2d(conv(x), 2).relu()
        return self.dense(self.map(x).flatten(1)).relu()


def lite_names(model):
    """efficientnet-pytorch's names of timm's modules."""
    names = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
    index = 0
    for stage_index, stage in enumerate(model.blocks):
        for block_index, block in enumerate(stage):
            convs = ["conv_pw", "conv_dw", "conv_pwl"] if hasattr(block, "conv_pwl") else ["conv_dw", "conv_pw"]
            ours = ["_expand_conv", "_depthwise_conv", "_project_conv"][-len(convs):]
            norms = ["_bn0", "_bn1", "_bn2"][-len(convs):]
            for number, (conv, name, norm) in enumerate(zip(convs, ours, norms), 1):
                names[f"blocks.{stage_index}.{block_index}.{conv}"] = f"_blocks.{index}.{name}"
                names[f"blocks.{stage_index}.{block_index}.bn{number}"] = f"_blocks.{index}.{norm}"
            index += 1
    return names


def load_formula(model, names):
    modules = dict(model.named_modules())
    state = {}
    for key, tensor in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        path, _, kind = key.rpartition(".")
        kind = KINDS.get(kind, "scale" if path and isinstance(modules[path], NORMS) and kind == "weight" else kind)
        name = f"{names.get(path, path)}.{kind}" if path else kind
        state[key] = torch.tensor(weight(name, list(tensor.shape))).reshape(tensor.shape)
    model.load_state_dict(state, strict=False)


def classifier(network, names, channels, features, outputs):
    load_formula(network, names)
    head = torch.nn.Linear(features, outputs)
    head.weight.data = torch.tensor(weight("head.weight", [outputs, features]))
    head.bias.data = torch.tensor(weight("head.bias", [outputs]))
    return torch.nn.Sequential(Grey(network, channels), head).double().eval()


def films(size):
    pixels = (hashes("films", FILMS * size * size) % 256).astype(numpy.float64).reshape(FILMS, 1, size, size)
    return torch.tensor(pixels / 127.5 - 1)


def tokens(x):
    side = int((x.shape[1] - 1) ** 0.5)
    return x[:, 1:].reshape(len(x), side, side, -1).permute(0, 3, 1, 2)


def plus_plus(a, g):
    """Chattopadhay et al. 2018, equations 1, 5 and 19, without the factor exp(logit)."""
    below = 2 * g**2 + a.sum((2, 3), keepdim=True) * g**3
    share = torch.where(g == 0, torch.zeros_like(g), g**2 / torch.where(g == 0, torch.ones_like(g), below))
    return ((share * g.relu()).sum((2, 3), keepdim=True) * a).sum(1).relu()


def cams(model, layer, x, index, reshape):
    found = {}
    for name, method in (("grad-cam", pytorch_grad_cam.GradCAM), ("layer-cam", pytorch_grad_cam.LayerCAM)):
        cam = method(model, [layer], reshape_transform=reshape)
        logits = cam.activations_and_grads(x)
        (logits[:, index] if index is not None else logits.amax(1)).sum().backward()
        [a], [g] = cam.activations_and_grads.activations, cam.activations_and_grads.gradients
        heat = cam.get_cam_image(x, layer, None, a.numpy(), g.numpy(), False)
        found[name] = numpy.maximum(heat, 0)
        cam.activations_and_grads.release()
    found["grad-cam++"] = plus_plus(a, g).numpy()
    return found


def logit_of(model, index):
    return lambda x: model(x)[:, index]


def perturbed(model, x, index):
    baseline = x.mean((1, 2, 3), keepdim=True).expand_as(x)
    forward = logit_of(model, index)
    gradients = captum.attr.IntegratedGradients(forward).attribute(x, baseline, n_steps=STEPS, method="riemann_middle")
    cell = x.shape[-1] // 8
    occlusion = captum.attr.Occlusion(forward).attribute(
        x, (1, 2 * cell, 2 * cell), strides=(1, cell, cell), baselines=baseline)
    return {"integrated-gradients": gradients[:, 0].detach().numpy(), "occlusion": occlusion[:, 0, ::cell, ::cell].detach().numpy()}


def rounded(array):
    return {"dims": list(array.shape), "data": [float(f"{value:.7g}") for value in array.flatten()]}


def case(network, layer, size, features, outputs=1, index=0, names=None, channels=3, reshape=None, has_pixels=False):
    model = classifier(network, names or {}, channels, features, outputs)
    x = films(size)
    maps = cams(model, layer(network), x, index, reshape)
    if has_pixels:
        maps |= perturbed(model, x, index)
    return {"size": size, "outputs": outputs, "class": index, "logits": rounded(model(x).detach().numpy()),
            "maps": {name: rounded(array) for name, array in maps.items()}}


def without_classifier(network, name):
    setattr(network, name, torch.nn.Identity())
    return network


def convnext():
    network = torchvision.models.convnext_tiny(weights=None)
    network.classifier = torch.nn.Flatten(1)
    return network


lite = timm.create_model("tf_efficientnet_lite0", num_classes=0)
vit = timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=0)
CASES = {
    "cnn": case(SmallCnn(32), lambda m: m.map, 32, 32, channels=1, has_pixels=True),
    "cnn of three": case(SmallCnn(32), lambda m: m.map, 32, 32, outputs=3, index=1, channels=1),
    "cnn, the most probable of three": case(SmallCnn(32), lambda m: m.map, 32, 32, outputs=3, index=None, channels=1),
    "resnet18": case(without_classifier(torchvision.models.resnet18(weights=None), "fc"), lambda m: m.layer4[-1], 96, 512),
    "efficientnet-lite0": case(lite, lambda m: m.bn2, 96, 1280, names=lite_names(lite)),
    "convnext-tiny": case(convnext(), lambda m: m.features[-1][-1], 96, 768),
    "vit-tiny": case(vit, lambda m: m.blocks[-1].norm1, 64, 192, reshape=tokens),
}
for name, found in CASES.items():
    print(name, found["logits"]["data"], {key: (value["dims"], max(value["data"])) for key, value in found["maps"].items()})
lines = ",\n".join(f' "{name}": {json.dumps(found)}' for name, found in CASES.items())
pathlib.Path(__file__).with_name("explanations.json").write_text(f"{{\n{lines}\n}}\n")
