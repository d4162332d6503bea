"""What both scripts share: the images, and what is kept of a file and of its features."""

import json
import os

import numpy as np
import onnx

HERE = os.path.dirname(os.path.abspath(__file__))
FEATURES = {}


def images(count, size):
    values = np.sin(0.37 * np.arange(count * 3 * size * size, dtype=np.float64))
    return values.astype(np.float32).reshape(count, 3, size, size)


def save(path, name):
    model = onnx.load(path)
    for holder in [model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output,
                   *model.graph.value_info, *model.graph.initializer]:
        holder.doc_string = ""
        holder.ClearField("metadata_props")
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def note(name, features, **facts):
    array = np.asarray(features, np.float32)
    values = [float(f"{value:.7g}") for value in array.ravel()]
    FEATURES[name] = {**facts, "shape": list(array.shape), "features": values}


def write(name):
    with open(os.path.join(HERE, name), "w") as file:
        json.dump(FEATURES, file, separators=(",", ":"))
        file.write("\n")
