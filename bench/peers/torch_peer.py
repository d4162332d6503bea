"""PyTorch as its users run it: eager, AdamW, in either memory layout."""

import torch

from serve import arguments, serve
from torch_networks import NETWORKS
from torch_steps import prepare, training_step


def main() -> None:
    options = arguments()
    memory_format = prepare(options)
    model = NETWORKS[options.work](options.size).to(memory_format=memory_format)
    images = torch.randn(options.batch, 1, options.size, options.size)
    images = images.to(memory_format=memory_format)
    step = {"training": training, "inference": inference}[options.task](model, images)
    shapes = [parameter.shape for parameter in model.parameters()]
    serve(step, shapes, {"torch": torch.__version__})


def training(model, images):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    model.train()
    return training_step(model, images, optimizer)


def inference(model, images):
    model.eval()

    @torch.inference_mode()
    def step():
        return torch.sigmoid(model(images)).numpy()

    return step


main()
