"""Makes torch.json: what torchvision's and timm's networks return on weights by a formula.

    pip install torch torchvision timm numpy
    python test/reference/backbones/make_torch.py

In double precision on weights of single precision. `gradients` are Euclidean norms: of the gradient of the weighted sum
of the logits by each of some parameters, named as here, and by all of them (`total`), norms keeping their statistics. `full` is at the published input size, `small`
at a size that leaves odd maps. EfficientNet-Lite is timm's port of TensorFlow's.
"""
import json
import math
import pathlib
import sys

import numpy
import timm
import torch
import torchvision

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from formula import values, weight

torch.set_num_threads(1)
NORMS = (torch.nn.BatchNorm2d, torch.nn.LayerNorm)
KINDS = {"running_mean": "mean", "running_var": "variance"}


def module_names(model):
    """Names as the modules have them."""
    return {name: name for name, _ in model.named_modules()}


def lite_names(model):
    """efficientnet-pytorch's names of timm's modules."""
    names = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    index = 0
    for stage_index, stage in enumerate(model.blocks):
        for block_index, block in enumerate(stage):
            convs = ["conv_dw", "conv_pw"] if hasattr(block, "conv_dw") and not hasattr(block, "conv_pwl") else ["conv_pw", "conv_dw", "conv_pwl"]
            ours = ["_expand_conv", "_depthwise_conv", "_project_conv"][-len(convs):]
            norms = ["_bn0", "_bn1", "_bn2"][-len(convs):]
            for number, (conv, name, norm) in enumerate(zip(convs, ours, norms), 1):
                names[f"blocks.{stage_index}.{block_index}.{conv}"] = f"_blocks.{index}.{name}"
                names[f"blocks.{stage_index}.{block_index}.bn{number}"] = f"_blocks.{index}.{norm}"
            index += 1
    return names


def load_formula(model, names):
    modules = dict(model.named_modules())
    state, ours = {}, {}
    for key, tensor in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        path, _, kind = key.rpartition(".")
        kind = KINDS.get(kind, "scale" if isinstance(modules[path], NORMS) and kind == "weight" else kind)
        name = f"{names[path]}.{kind}" if path else kind
        ours[key] = name
        state[key] = torch.tensor(weight(name, list(tensor.shape))).reshape(tensor.shape)
    model.double().eval().load_state_dict(state, strict=False)
    return ours


def digits(value):
    return float(f"{value:.7g}")


def gradients(model, names, x):
    logits = model(x)
    (logits * torch.tensor(values("weights", [1, 1000]))).sum().backward()
    norms = {names[key]: parameter.grad.norm().item() for key, parameter in model.named_parameters()}
    keys = list(norms)
    places = numpy.linspace(0, len(keys) - 1, 12).round().astype(int)
    total = math.sqrt(sum(norm**2 for norm in norms.values()))
    return {"total": digits(total), **{keys[place]: digits(norms[keys[place]]) for place in places}}


def spread(tensor, count):
    """Numbers at even distances, and what all of them have in common."""
    flat = tensor.flatten().numpy()
    places = numpy.linspace(0, len(flat) - 1, min(count, len(flat))).round().astype(int)
    return {
        "shape": list(tensor.shape),
        "mean": digits(flat.mean()),
        "deviation": digits(flat.std()),
        "largest": digits(numpy.abs(flat).max()),
        "values": [digits(value) for value in flat[places]],
    }


def outputs(make, names_of, features_of, size, with_gradients=False):
    model = make(size)
    names = load_formula(model, names_of(model))
    x = torch.tensor(values("image", [1, 3, size, size]))
    with torch.no_grad():
        features, logits = features_of(model, x), model(x)
    found = {"size": size, "features": spread(features, 60), "logits": spread(logits, 20)}
    return {**found, "gradients": gradients(model, names, x)} if with_gradients else found


def torchvision_case(name, small, features_of, weights):
    make = lambda size: torchvision.models.get_model(name, weights=None)
    published = torchvision.models.get_weight(weights).meta["num_params"]
    return [make, module_names, features_of, small, published, f"torchvision {torchvision.__version__} {name}"]


def timm_case(name, small, names_of, features_of, published, **options):
    make = lambda size: timm.create_model(name, **(dict(options, img_size=size) if options else {}))
    return [make, names_of, features_of, small, published, f"timm {timm.__version__} {name}"]


def resnet_features(model, x):
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    return model.layer4(model.layer3(model.layer2(model.layer1(x))))


lite = lambda model, x: model.forward_features(x)
maps = lambda model, x: model.features(x)
token = lambda model, x: model.forward_features(x)[:, 0]
VIT = {"pretrained": False}
# Parameters of EfficientNet-Lite: those of its publisher's package; of ViT: timm's own, as Steiner et al. 2022, table 2 (5.8 M, 22.2 M).
CASES = {
    "efficientnet-lite0": timm_case("tf_efficientnet_lite0", 75, lite_names, lite, 4652008),
    "efficientnet-lite1": timm_case("tf_efficientnet_lite1", 72, lite_names, lite, 5416680),
    "efficientnet-lite2": timm_case("tf_efficientnet_lite2", 70, lite_names, lite, 6092072),
    "mobilenet-v2": torchvision_case("mobilenet_v2", 75, maps, "MobileNet_V2_Weights.IMAGENET1K_V1"),
    "resnet18": torchvision_case("resnet18", 75, resnet_features, "ResNet18_Weights.IMAGENET1K_V1"),
    "resnet34": torchvision_case("resnet34", 70, resnet_features, "ResNet34_Weights.IMAGENET1K_V1"),
    "resnet50": torchvision_case("resnet50", 75, resnet_features, "ResNet50_Weights.IMAGENET1K_V1"),
    "densenet121": torchvision_case("densenet121", 75, lambda model, x: model.features(x).relu(), "DenseNet121_Weights.IMAGENET1K_V1"),
    "convnext-tiny": torchvision_case("convnext_tiny", 75, maps, "ConvNeXt_Tiny_Weights.IMAGENET1K_V1"),
    "vit-tiny": timm_case("vit_tiny_patch16_224", 64, module_names, token, 5717416, **VIT),
    "vit-small": timm_case("vit_small_patch16_224", 64, module_names, token, 22050664, **VIT),
}
FULL = {"efficientnet-lite1": 240, "efficientnet-lite2": 260}

found = {}
for name, (make, names_of, features_of, small, published, source) in CASES.items():
    full = FULL.get(name, 224)
    counted = sum(parameter.numel() for parameter in make(full).parameters())
    assert counted == published, (name, counted, published)
    found[name] = {
        "source": source,
        "parameters": published,
        "small": outputs(make, names_of, features_of, small, with_gradients=True),
        "full": outputs(make, names_of, features_of, full),
    }
    print(name, counted, found[name]["full"]["features"]["shape"], found[name]["full"]["logits"]["largest"])

lines = ",\n".join(f' "{name}": {json.dumps(case)}' for name, case in found.items())
pathlib.Path(__file__).with_name("torch.json").write_text(f"{{\n{lines}\n}}\n")
