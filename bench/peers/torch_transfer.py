"""Pretrained networks as PyTorch's users have them, from torchvision and timm; random weights, three equal channels."""

import timm
import torch
import torchvision
from torch import nn
from torchvision import models

from serve import arguments, serve
from torch_steps import prepare, training_step


def inception_v3(outputs: int) -> nn.Module:
    model = models.inception_v3(weights=None, aux_logits=False, init_weights=True, dropout=0.2)
    model.fc = nn.Linear(2048, outputs) if outputs else nn.Identity()
    return model


def mobilenet_v2(outputs: int) -> nn.Module:
    model = models.mobilenet_v2(weights=None)
    model.classifier = nn.Linear(1280, outputs) if outputs else nn.Identity()
    return model


def of_timm(name: str):
    return lambda outputs: timm.create_model(name, num_classes=outputs, drop_rate=0.2)


# `outputs` of 0 leaves the pooled features.
NETWORKS = {
    "xception": of_timm("legacy_xception"),
    "inception-v3": inception_v3,
    "efficientnet-lite0": of_timm("efficientnet_lite0"),
    "mobilenet-v2": mobilenet_v2,
}

# What trains: two blocks and the head, or everything.
TRAINED = {
    "xception": ["block12", "conv3", "bn3", "conv4", "bn4", "fc"],
    "inception-v3": ["Mixed_7b", "Mixed_7c", "fc"],
    "efficientnet-lite0": [""],
}


def main() -> None:
    options = arguments()
    memory_format = prepare(options)
    is_frozen = options.task == "features"
    model = NETWORKS[options.work](0 if is_frozen else 1).to(memory_format=memory_format)
    grey = torch.randn(options.batch, 1, options.size, options.size)
    images = grey.expand(-1, 3, -1, -1).contiguous(memory_format=memory_format)
    step = features(model, images) if is_frozen else fine_tuning(model, images, options.work)
    shapes = [one.shape for one in model.parameters() if one.requires_grad or is_frozen]
    versions = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "timm": timm.__version__,
    }
    serve(step, shapes, versions)


def features(model, images):
    model.eval()

    @torch.inference_mode()
    def step():
        return model(images).numpy()

    return step


def fine_tuning(model, images, work):
    model.requires_grad_(False)
    for name in TRAINED[work]:
        model.get_submodule(name).requires_grad_(True)
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return training_step(model, images, optimizer)


main()
