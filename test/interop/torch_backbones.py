"""Exports classifiers of torchvision and timm for Hilum to read: `python torch_backbones.py FOLDER [NAME ...]`.

Seeded random weights, as today's exporter writes them, with a batch of any size or of one.
"""
import pathlib
import sys
import warnings

import timm
import torch
import torchvision
from exported import images, keep, pictures, write_list

SIZE = 64


def with_statistics(model):
    """Scales and biases that are not all alike, and the statistics that go with them."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1 and name.endswith(("weight", "gamma")):
                parameter.uniform_(0.5, 1.5)
            elif parameter.ndim == 1:
                parameter.uniform_(-0.2, 0.2)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        model.train()(torch.from_numpy(pictures(SIZE)))
    return model.eval()


def export(folder, name, make, features, is_batch_free):
    model = with_statistics(make())
    pixels = torch.from_numpy(images(SIZE))
    example = pixels if is_batch_free else pixels[:1]
    batch = ({0: torch.export.Dim("batch")},) if is_batch_free else None
    path = str(folder / f"{name}.onnx")
    torch.onnx.export(model, (example,), path, dynamo=True, verbose=False, dynamic_shapes=batch)
    with torch.no_grad():
        return keep(folder, name, SIZE, features(model, pixels).numpy())


def resnet_features(model, x):
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    return model.layer4(model.layer3(model.layer2(model.layer1(x))))


def densenet_features(model, x):
    return torch.relu(model.features(x))


def maps(model, x):
    return model.features(x)


def timm_maps(model, x):
    return model.forward_features(x)


def timm_vector(model, x):
    return model.forward_head(model.forward_features(x), pre_logits=True)


def torchvision_model(name):
    return lambda: torchvision.models.get_model(name, weights=None)


def timm_model(name, **options):
    return lambda: timm.create_model(name, **options)


CLASSIFIERS = {
    "torchvision-resnet18": (torchvision_model("resnet18"), resnet_features, True),
    "torchvision-mobilenet-v2": (torchvision_model("mobilenet_v2"), maps, False),
    "torchvision-densenet121": (torchvision_model("densenet121"), densenet_features, True),
    "timm-vit-tiny": (timm_model("vit_tiny_patch16_224", img_size=SIZE), timm_vector, True),
    "timm-convnext-atto": (timm_model("convnext_atto"), timm_maps, False),
    "timm-efficientnet-b0": (timm_model("efficientnet_b0"), timm_maps, True),
}


def main():
    warnings.simplefilter("ignore")
    folder, *chosen = sys.argv[1:]
    exported = []
    for name in chosen or CLASSIFIERS:
        torch.manual_seed(0)
        exported.append(export(pathlib.Path(folder), name, *CLASSIFIERS[name]))
    write_list(pathlib.Path(folder), exported)


main()
