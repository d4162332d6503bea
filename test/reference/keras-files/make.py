"""Makes the files here: one small network as Keras writes it in each of its formats.

    pip install keras tensorflow h5py numpy
    python test/reference/keras-files/make.py

Every tensor holds the formula's numbers of its name, LAYER/PART (formula.ts of the trajectories
repeats them). Layers without a name are numbered from where the process stood: not from zero.
"""
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from formula import values


def network():
    keras.utils.clear_session()
    layers.Conv2D(1, 1), layers.Conv2D(1, 1), layers.BatchNormalization(), layers.Dense(1)
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, (3, 2), use_bias=False)(x)
    x = layers.BatchNormalization(scale=False)(x)
    left = layers.SeparableConv2D(6, 3, use_bias=False, name="left")(x)
    left = layers.BatchNormalization()(left)
    right = layers.Conv2D(6, 3, name="right")(layers.Activation("relu")(x))
    x = layers.add([left, right])
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(2, name="predictions")(x))


def fill(model):
    for layer in model.layers:
        for variable in layer.weights:
            if variable.dtype == "float32":
                variable.assign(values(f"{layer.name}/{variable.name}", list(variable.shape)))


def legacy(name, model):
    with h5py.File(HERE / name, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


KERAS_1 = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}


def rename_as_keras_1(name):
    """Weights called LAYER_W_1:0 right in the layer's group, as files of 2016 have them."""
    with h5py.File(HERE / name, "r+") as file:
        for layer in file.attrs["layer_names"]:
            group, new = file[layer], []
            for weight in group.attrs["weight_names"]:
                part = weight.split("/")[-1]
                new.append(f"{layer}_{KERAS_1.get(part, part)}_1:0")
                group.move(weight, new[-1])
            group.attrs["weight_names"] = [text.encode() for text in new]


model = network()
fill(model)
legacy("legacy.h5", model)
legacy("keras-1.h5", model)
rename_as_keras_1("keras-1.h5")
model.save_weights(HERE / "small.weights.h5")
model.compile("sgd", "mse")
model.save(HERE / "small.keras")
model.save(HERE / "whole.h5")
# Keras cuts lists of names where they pass this many bytes.
legacy_h5_format.HDF5_OBJECT_HEADER_LIMIT = 40
legacy("cut-names.h5", model)
nested = keras.Sequential([model])
legacy("nested.h5", nested)


def hostile(name, fill_group):
    """A legacy file of one layer whose kernel is not what it should be."""
    with h5py.File(HERE / name, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        layer = file.create_group("conv")
        layer.attrs["weight_names"] = [b"conv/kernel:0"]
        fill_group(layer.create_group("conv"))


hostile("claims-much.h5", lambda group: group.create_dataset("kernel:0", (60_000, 60_000), "f4", chunks=(64, 64)))
hostile("other-file.h5", lambda group: group.__setitem__("kernel:0", h5py.ExternalLink("/etc/hostname", "/")))
hostile("half-precision.h5", lambda group: group.create_dataset("kernel:0", (2, 2), "f2"))
hostile("big-endian.h5", lambda group: group.create_dataset("kernel:0", (2, 2), ">f4"))
hostile("no-kernel.h5", lambda group: None)
