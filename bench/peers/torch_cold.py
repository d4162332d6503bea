"""The least that a PyTorch user needs for one film: load weights, read, resize, predict.

torch_cold.py WORK SIZE WEIGHTS FILM; without FILM it writes the initial weights.
"""

import sys

import numpy as np
import torch
from PIL import Image

from torch_networks import NETWORKS

work, size, weights, *films = sys.argv[1:]
model = NETWORKS[work](int(size))
if films:
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    image = Image.open(films[0]).convert("L").resize((int(size), int(size)), Image.BILINEAR)
    x = torch.from_numpy(np.asarray(image, dtype=np.float32).copy())[None, None]
    x = (x - x.mean()) / x.std()
    with torch.inference_mode():
        print(f"{torch.sigmoid(model(x)).item():.4f}")
else:
    torch.save(model.state_dict(), weights)
