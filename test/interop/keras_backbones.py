"""Exports classifiers of Keras Applications for Hilum to read: `python keras_backbones.py FOLDER [NAME ...]`.

Seeded random weights. Apart from PyTorch's: the two libraries do not bear each other in one process.
"""
import os
import pathlib
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy
from exported import images, keep, pictures, write_list

SIZE = 64


def set_statistics(model):
    """Scales and biases that are not all alike, and the statistics that go with them."""
    rng = numpy.random.default_rng(2)
    for variable in model.trainable_variables:
        if len(variable.shape) == 1:
            low, high = (0.5, 1.5) if variable.name == "gamma" else (-0.2, 0.2)
            variable.assign(rng.uniform(low, high, variable.shape))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(pictures(SIZE).transpose(0, 2, 3, 1), training=True)


def export(folder, name, make, layer):
    model = make(weights=None, input_shape=(SIZE, SIZE, 3))
    set_statistics(model)
    pixels = images(SIZE).transpose(0, 2, 3, 1)
    # The exporter knows no shapes of a model that was never called.
    model(pixels)
    model.export(str(folder / f"{name}.onnx"), format="onnx", verbose=False)
    features = keras.Model(model.inputs, model.get_layer(layer).output)(pixels)
    return keep(folder, name, SIZE, numpy.asarray(features).transpose(0, 3, 1, 2))


CLASSIFIERS = {
    "keras-mobilenet-v2": (keras.applications.MobileNetV2, "out_relu"),
    "keras-efficientnet-b0": (keras.applications.EfficientNetB0, "top_activation"),
}


def main():
    folder, *chosen = sys.argv[1:]
    exported = []
    for name in chosen or CLASSIFIERS:
        keras.utils.set_random_seed(0)
        exported.append(export(pathlib.Path(folder), name, *CLASSIFIERS[name]))
    write_list(pathlib.Path(folder), exported)


main()
