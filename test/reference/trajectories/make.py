"""Makes trajectories.json: 20 training steps of four small networks in PyTorch, in double precision.

    pip install torch numpy
    python test/reference/trajectories/make.py

Weights, images and targets come from the formula of ../formula.py, which formula.ts repeats; the
networks are those of networks.ts. Nothing else is shared with the TypeScript side.
"""
import json
import math
import pathlib
import sys

import numpy
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from formula import hashes, values

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
BATCH, SIZE, STEPS, MOMENTUM = 8, 16, 20, 0.9


def labels(step, classes):
    return (hashes(f"class:{step}", BATCH) % classes).astype(int)


def images(step, classes):
    """Noise and the pattern of the image's class."""
    noise = values(f"noise:{step}", [BATCH, 1, SIZE, SIZE])
    patterns = [values(f"pattern:{k}", [1, SIZE, SIZE], 0.5) for k in range(classes)]
    pictures = noise + numpy.stack([patterns[k] for k in labels(step, classes)])
    return torch.tensor(pictures.astype(numpy.float32).astype(numpy.float64))


class Network:
    """Parameters and running statistics by name, made where a layer first asks for them."""

    def __init__(self):
        self.parameters, self.statistics, self.counts = {}, {}, {}

    def parameter(self, name, dims, scale, offset=0.0):
        if name not in self.parameters:
            self.parameters[name] = torch.tensor(values(name, dims, scale, offset), requires_grad=True)
        return self.parameters[name]

    def conv(self, x, name, channels, kernel, stride=1, pad=0, group=1, bias=False):
        fan = x.shape[1] // group * kernel**2
        weight = self.parameter(f"{name}.weight", [channels, x.shape[1] // group, kernel, kernel], math.sqrt(6 / fan))
        shift = self.parameter(f"{name}.bias", [channels], 0.1) if bias else None
        return F.conv2d(x, weight, shift, stride, pad, 1, group)

    def dense(self, x, name, outputs):
        weight = self.parameter(f"{name}.weight", [outputs, x.shape[-1]], math.sqrt(3 / x.shape[-1]))
        return F.linear(x, weight, self.parameter(f"{name}.bias", [outputs], 0.1))

    def batch_norm(self, x, name):
        channels = x.shape[1]
        scale = self.parameter(f"{name}.scale", [channels], 0.2, 1.0)
        bias = self.parameter(f"{name}.bias", [channels], 0.1)
        if name not in self.statistics:
            self.statistics[name] = (torch.zeros(channels), torch.ones(channels))
            self.counts[name] = x.numel() // channels
        mean, variance = self.statistics[name]
        return F.batch_norm(x, mean, variance, scale, bias, True, 1 - MOMENTUM, 1e-5)

    def layer_norm(self, x, name):
        width = x.shape[-1]
        scale = self.parameter(f"{name}.scale", [width], 0.2, 1.0)
        return F.layer_norm(x, [width], scale, self.parameter(f"{name}.bias", [width], 0.1), 1e-5)


def cnn(net, x):
    y = F.max_pool2d(F.relu(net.conv(x, "conv0", 8, 3, pad=1, bias=True)), 2)
    y = F.max_pool2d(F.relu(net.conv(y, "conv1", 12, 3, pad=1, bias=True)), 3, 2, 1)
    y = F.relu(net.conv(y, "conv2", 16, 3, stride=2, bias=True))
    return net.dense(y.flatten(1), "head", 1)


def residual(net, x):
    y = F.relu(net.batch_norm(net.conv(x, "stem", 8, 3, pad=1), "stem-norm"))
    for name, channels, stride in (("block0", 8, 1), ("block1", 16, 2)):
        z = F.relu(net.batch_norm(net.conv(y, f"{name}/conv0", channels, 3, stride, 1), f"{name}/norm0"))
        z = net.batch_norm(net.conv(z, f"{name}/conv1", channels, 3, pad=1), f"{name}/norm1")
        if stride > 1:
            y = net.batch_norm(net.conv(F.avg_pool2d(y, 2), f"{name}/shortcut", channels, 1), f"{name}/norm2")
        y = F.relu(z + y)
    return net.dense(y.mean((2, 3)), "head", 3)


def depthwise(net, x):
    y = F.hardswish(net.batch_norm(net.conv(x, "stem", 8, 3, 2, 1), "stem-norm"))
    y = F.hardswish(net.batch_norm(net.conv(y, "depthwise0", 8, 3, 1, 1, 8), "norm0"))
    y = net.batch_norm(net.conv(y, "pointwise0", 16, 1), "norm1")
    y = F.relu(net.batch_norm(net.conv(y, "depthwise1", 16, 5, 2, 2, 16), "norm2"))
    squeezed = F.relu(net.conv(y.mean((2, 3), keepdim=True), "squeeze", 4, 1, bias=True))
    y = y * F.hardsigmoid(net.conv(squeezed, "excite", 16, 1, bias=True))
    y = F.hardswish(net.batch_norm(net.conv(y, "pointwise1", 24, 1), "norm3"))
    return net.dense(y.mean((2, 3)), "head", 2)


def transformer(net, x, width=24, heads=3):
    y = net.conv(x, "patches", width, 4, stride=4, bias=True).flatten(2).transpose(1, 2)
    y = torch.cat([net.parameter("class-token", [1, 1, width], 0.5).expand(BATCH, 1, width), y], 1)
    tokens = y.shape[1]
    y = y + net.parameter("positions", [1, tokens, width], 0.5)
    for name in ("block0", "block1"):
        z = net.layer_norm(y, f"{name}/norm0")
        q, k, v = (
            net.dense(z, f"{name}/{part}", width).reshape(BATCH, tokens, heads, width // heads).transpose(1, 2)
            for part in "qkv"
        )
        attention = (q @ k.transpose(2, 3) / math.sqrt(width // heads)).softmax(-1)
        joined = (attention @ v).transpose(1, 2).reshape(BATCH, tokens, width)
        y = y + net.dense(joined, f"{name}/join", width)
        z = F.gelu(net.dense(net.layer_norm(y, f"{name}/norm1"), f"{name}/up", 2 * width))
        y = y + net.dense(z, f"{name}/down", width)
    return net.dense(net.layer_norm(y[:, 0], "norm"), "head", 3)


def binary(logits, step):
    """The class as bits; every seventh label is masked, class weights 1 and 2."""
    outputs = logits.shape[1]
    target = torch.tensor([[float(k >> bit & 1) for bit in range(outputs)] for k in labels(step, 2**outputs)])
    masked = torch.tensor((hashes(f"mask:{step}", BATCH * outputs) % 7 == 0).reshape(BATCH, outputs))
    weight = torch.where(masked, 0.0, 1.0 + target)
    return F.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum") / weight.sum()


def softmax(logits, step):
    return F.cross_entropy(logits, torch.tensor(labels(step, 3)), label_smoothing=0.1)


def adamw(groups):
    return torch.optim.AdamW(groups, lr=3e-3)


NETWORKS = {
    "cnn": (cnn, binary, 2, lambda g: torch.optim.SGD([p for x in g for p in x["params"]], 0.05, 0.9), None),
    "residual": (residual, softmax, 3, adamw, None),
    "depthwise": (
        depthwise,
        binary,
        4,
        lambda g: torch.optim.SGD([p for x in g for p in x["params"]], 0.05, 0.9, nesterov=True),
        None,
    ),
    "transformer": (transformer, softmax, 3, adamw, 0.5),
}


def population(name, variance, net):
    """PyTorch gathers the unbiased variance, ONNX that of the population: n / (n - 1) apart."""
    n, kept = net.counts[name], MOMENTUM**STEPS
    return (variance - kept) * (n - 1) / n + kept


def trajectory(forward, loss_of, classes, optimizer_of, clip):
    net = Network()
    with torch.no_grad():
        forward(net, images(0, classes))
    net.statistics.clear()
    groups = [
        {"params": [p for p in net.parameters.values() if p.dim() >= 2], "weight_decay": 0.05},
        {"params": [p for p in net.parameters.values() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = optimizer_of(groups)
    losses, norms = [], []
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        loss = loss_of(forward(net, images(step, classes)), step)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters.values(), clip or math.inf)
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm.item())
    state = {name: p.detach() for name, p in net.parameters.items()}
    for name, (mean, variance) in net.statistics.items():
        state[f"{name}.mean"] = mean
        state[f"{name}.variance"] = population(name, variance, net)
    return {
        "losses": losses,
        "gradientNorms": norms,
        # A sum and a Euclidean norm for each tensor after the last step.
        "state": {name: [x.sum().item(), x.norm().item()] for name, x in state.items()},
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else float(f"{value:.10g}")


made = {name: rounded(trajectory(*entry)) for name, entry in NETWORKS.items()}
target = pathlib.Path(__file__).with_name("trajectories.json")
target.write_text(json.dumps(made, indent=1) + "\n")
for name, result in made.items():
    print(name, *[f"{loss:.4f}" for loss in result["losses"]])
