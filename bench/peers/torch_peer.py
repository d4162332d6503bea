"""PyTorch as its users run it: eager, AdamW, in either memory layout."""

import torch

from serve import arguments, serve
from torch_networks import NETWORKS


def main() -> None:
    options = arguments()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    layout = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}
    memory_format = layout[options.layout]
    model = NETWORKS[options.work](options.size).to(memory_format=memory_format)
    images = torch.randn(options.batch, 1, options.size, options.size)
    images = images.to(memory_format=memory_format)
    step = {"training": training, "inference": inference}[options.task](model, images)
    shapes = [parameter.shape for parameter in model.parameters()]
    serve(step, shapes, {"torch": torch.__version__})


def training(model, images):
    targets = (torch.arange(len(images)) % 2).float().unsqueeze(1)
    loss_of = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    model.train()

    def step():
        optimizer.zero_grad()
        loss = loss_of(model(images), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference(model, images):
    model.eval()

    @torch.inference_mode()
    def step():
        return torch.sigmoid(model(images)).numpy()

    return step


main()
