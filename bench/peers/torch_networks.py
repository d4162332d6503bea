"""The works' networks as PyTorch's users write them (torchvision's structure, one grey channel, one logit)."""

from torch import nn


def cnn(size: int) -> nn.Module:
    layers, channels = [], 1
    for width in (32, 64, 128):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        channels, size = width, size // 2
    dense = [nn.Flatten(), nn.Linear(channels * size * size, 128), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, *dense, nn.Dropout(0.5), nn.Linear(128, 1))


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


def resnet18(size: int) -> nn.Module:
    layers = [nn.Conv2d(1, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    layers.append(nn.MaxPool2d(3, 2, 1))
    channels = 64
    for width in (64, 128, 256, 512):
        for block in range(2):
            layers.append(BasicBlock(channels, width, 2 if width > 64 and block == 0 else 1))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1))


def conv_norm(inputs, outputs, kernel=3, stride=1, groups=1):
    padding = kernel // 2
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        layers = []
        if expansion > 1:
            layers += [*conv_norm(inputs, inner, 1), nn.ReLU6(inplace=True)]
        layers += [*conv_norm(inner, inner, 3, stride, inner), nn.ReLU6(inplace=True)]
        self.conv = nn.Sequential(*layers, *conv_norm(inner, outputs, 1))
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.is_residual else self.conv(x)


MOBILENET_STAGES = [
    # expansion, channels, blocks, stride
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]


def mobilenetv2(size: int) -> nn.Module:
    layers, channels = [*conv_norm(1, 32, 3, 2), nn.ReLU6(inplace=True)], 32
    for expansion, outputs, blocks, stride in MOBILENET_STAGES:
        for block in range(blocks):
            layers.append(InvertedResidual(channels, outputs, stride if block == 0 else 1, expansion))
            channels = outputs
    layers += [*conv_norm(channels, 1280, 1), nn.ReLU6(inplace=True)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 1)]
    return nn.Sequential(*layers, *head)


NETWORKS = {"cnn": cnn, "resnet18": resnet18, "mobilenetv2": mobilenetv2}
