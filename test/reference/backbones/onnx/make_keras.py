"""Makes the ONNX files keras-* of this folder: small classifiers with random weights as today's exporter writes them, and
keras.json, what the framework computes before the head. Made with keras 3.15.1, tensorflow 2.21.0, tf2onnx 1.17.0,
onnx 1.23.2:
python -m venv V && V/bin/pip install THESE && V/bin/python make_keras.py

Of a file only the exporter's notes (metadata, doc strings) are left out, which are most of a small file.
"""

import os
import tempfile

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from kept import images, note, save, write


def keras_file(name, model, layer, size):
    rng = np.random.default_rng(2)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) if "variance" in v.path or "gamma" in v.path
                       else rng.normal(0, 0.3, w.shape) for v, w in zip(model.weights, model.get_weights())])
    x = np.transpose(images(2, size), [0, 2, 3, 1])
    model(x)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        model.export(path, format="onnx", verbose=False)
        save(path, name)
    inner = keras.Model(model.inputs, model.get_layer(layer).output)
    note(name, np.transpose(np.asarray(inner(x)), [0, 3, 1, 2]), size=size)


def keras_mobile(size):
    layers = keras.layers
    x = image = keras.Input((size, size, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.5, 1, 2])(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    for filters in [8, 16]:
        y = layers.DepthwiseConv2D(3, strides=1 if filters == 8 else 2, padding="same", use_bias=False)(x)
        y = layers.Activation("swish")(layers.BatchNormalization()(y))
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="swish")(gate))
        y = layers.Conv2D(filters, 1, use_bias=False)(layers.Multiply()([y, gate]))
        y = layers.BatchNormalization()(y)
        x = layers.Add()([x, y]) if filters == 8 else y
    x = layers.ReLU(name="features")(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def keras_plain(size):
    layers = keras.layers
    x = image = keras.Input((size, size, 3))
    for block, filters in enumerate([4, 8]):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(name=f"pool{block}")(x)
    x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


keras.utils.set_random_seed(0)
keras_file("keras-mobile.onnx", keras_mobile(32), "features", 32)
keras_file("keras-plain.onnx", keras_plain(32), "pool1", 32)
write("keras.json")
