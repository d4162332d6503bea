"""Makes the ONNX files torchvision-* and timm-* of this folder: small classifiers with random weights as today's exporter writes them, and
torch.json, what the framework computes before the head. Made with torch 2.15.0, torchvision 0.29.2, timm 1.0.31,
onnxscript 0.7.2, onnx 1.23.2:
python -m venv V && V/bin/pip install THESE && V/bin/python make_torch.py

Of a file only the exporter's notes (metadata, doc strings) are left out, which are most of a small file.
"""

import os
import tempfile

import timm
import torch
import torchvision
from kept import images, note, save, write
from torchvision.ops import Conv2dNormActivation
from torchvision.models.resnet import BasicBlock, ResNet


class SmallResNet(ResNet):
    """torchvision's, a sixteenth as wide behind the stem."""

    def __init__(self):
        super().__init__(BasicBlock, [1, 2, 1, 1])
        self.fc = torch.nn.Linear(32, 10)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        return super()._make_layer(block, planes // 16, blocks, stride, dilate)


def randomized(model):
    """Statistics, biases and scales of a trained network are not all alike."""
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not tensor.is_floating_point():
                continue
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.numel() == tensor.shape[0] or name.endswith("gamma"):
                tensor.uniform_(0.5, 1.5) if name.endswith("weight") else tensor.uniform_(-0.2, 0.2)
    return model.eval()


def torch_file(name, model, features, size, batch=None, is_script=False):
    """`batch`: of the export, where it is fixed."""
    model = randomized(model)
    example = (torch.from_numpy(images(batch or 2, size)),)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        if is_script:
            torch.onnx.export(model, example, path, dynamo=False, opset_version=13,
                              do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
        else:
            dynamic = None if batch else ({0: torch.export.Dim("batch")},)
            torch.onnx.export(model, example, path, dynamo=True, external_data=False, dynamic_shapes=dynamic)
        save(path, name)
    with torch.no_grad():
        note(name, features(model, torch.from_numpy(images(2, size))), size=size)


def small_mobilenet():
    setting = [[1, 80, 1, 1], [3, 160, 2, 2], [3, 160, 2, 2]]
    model = torchvision.models.MobileNetV2(width_mult=0.1, inverted_residual_setting=setting)
    model.features[-1] = Conv2dNormActivation(16, 40, 1, activation_layer=torch.nn.ReLU6)
    model.classifier[1] = torch.nn.Linear(40, 10)
    return model


def pre_logits(model, x):
    return model.forward_head(model.forward_features(x), pre_logits=True)


def resnet_features(model, x):
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    return model.layer4(model.layer3(model.layer2(model.layer1(x))))


torch.manual_seed(0)
torch_file("torchvision-resnet.onnx", SmallResNet(), resnet_features, 64)
torch_file("torchvision-mobilenet-v2.onnx", small_mobilenet(), lambda m, x: m.features(x), 32)
torch_file("torchvision-densenet-script.onnx",
           torchvision.models.DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=8, num_classes=10),
           lambda m, x: torch.relu(m.features(x)), 32, batch=1, is_script=True)
torch_file("timm-vit.onnx",
           timm.create_model("vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2,
                             num_classes=10), pre_logits, 32)
torch_file("timm-vit-fixed-batch.onnx",
           timm.create_model("vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=24, depth=1, num_heads=2,
                             num_classes=10), pre_logits, 32, batch=2)
torch_file("timm-convnext.onnx",
           timm.create_model("convnext_tiny", depths=(1, 1, 1, 1), dims=(8, 8, 16, 16), num_classes=10),
           lambda m, x: m.forward_features(x), 64, batch=1)
write("torch.json")
