"""Makes keras.json: what Keras Applications' networks return on weights by a formula.

    pip install keras tensorflow numpy
    python test/reference/backbones/make_keras.py
    python test/reference/backbones/make_keras.py FOLDER    # the networks as files, with those weights

In double precision on weights of single precision. `full` is at the published input size, `small`
at a size that leaves odd maps. `layers` are the layers with weights in the order of `model.layers`,
in which Keras matches an `.h5` file, and the shapes of their outputs at the full size; their names
are those of a process that made no others. `published` counts the statistics of norms as well.
"""
import json
import math
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy
from keras.src.legacy.saving import legacy_h5_format

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from formula import values, weight

KINDS = {
    "kernel": "weight",
    "depthwise_kernel": "depthwise",
    "pointwise_kernel": "pointwise",
    "gamma": "scale",
    "beta": "bias",
    "moving_mean": "mean",
    "moving_variance": "variance",
}
# https://keras.io/api/applications, to the last digit where that page rounds.
PUBLISHED = {"inception-v3": 23851784, "vgg16": 138357544, "vgg19": 143667240, "xception": 22910480}
NETWORKS = {
    "inception-v3": (keras.applications.InceptionV3, 299, 80),
    "vgg16": (keras.applications.VGG16, 224, 70),
    "vgg19": (keras.applications.VGG19, 224, 70),
    "xception": (keras.applications.Xception, 299, 76),
}


def in_keras(name, shape):
    """The formula's tensor of ONNX's layout in Keras'."""
    kind = name.rsplit(".", 1)[-1]
    if kind == "depthwise":
        height, width, channels, _ = shape
        return weight(name, [channels, 1, height, width]).transpose(2, 3, 0, 1)
    if len(shape) == 4:
        return weight(name, [shape[3], shape[2], shape[0], shape[1]]).transpose(2, 3, 1, 0)
    return weight(name, list(shape)[::-1]).T


def load_formula(model, names=None):
    names = names or [layer.name for layer in model.layers]
    for layer, name in zip(model.layers, names):
        for variable in layer.weights:
            kind = KINDS.get(variable.name, variable.name)
            variable.assign(in_keras(f"{name}.{kind}", variable.shape))


def spread(array, count):
    """Numbers at even distances, and what all of them have in common."""
    flat = array.flatten()
    places = numpy.linspace(0, len(flat) - 1, min(count, len(flat))).round().astype(int)
    digits = lambda value: float(f"{value:.7g}")
    return {
        "shape": list(array.shape),
        "mean": digits(flat.mean()),
        "deviation": digits(flat.std()),
        "largest": digits(numpy.abs(flat).max()),
        "values": [digits(value) for value in flat[places]],
    }


def built(make, size):
    keras.utils.clear_session()
    shape = size and (size, size, 3)
    return make(weights=None, input_shape=shape, classifier_activation=None)


def channels_first(layer):
    _, *spatial, channels = layer.output.shape
    return [channels, *spatial]


def outputs(make, size):
    model = built(make, size)
    load_formula(model)
    pooling = next((i for i, layer in enumerate(model.layers) if layer.name in ("avg_pool", "flatten")))
    ends = keras.Model(model.input, [model.layers[pooling].input, model.output])
    x = values("image", [1, 3, size, size])
    features, logits = ends(x.transpose(0, 2, 3, 1), training=False)
    return {
        "size": size,
        "features": spread(keras.ops.convert_to_numpy(features).transpose(0, 3, 1, 2), 60),
        "logits": spread(keras.ops.convert_to_numpy(logits), 20),
    }


def main():
    keras.config.set_floatx("float64")
    found = {}
    for name, (make, full, small) in NETWORKS.items():
        model = built(make, full)
        assert model.count_params() == PUBLISHED[name]
        found[name] = {
            "source": f"Keras {keras.__version__} {make.__name__}",
            "parameters": sum(math.prod(weight.shape) for weight in model.trainable_weights),
            "published": PUBLISHED[name],
            "layers": {layer.name: channels_first(layer) for layer in model.layers if layer.weights},
            "small": outputs(make, small),
            "full": outputs(make, full),
        }
        print(name, found[name]["parameters"], found[name]["full"]["features"]["largest"])
    lines = ",\n".join(f' "{name}": {json.dumps(case)}' for name, case in found.items())
    pathlib.Path(__file__).with_name("keras.json").write_text(f"{{\n{lines}\n}}\n")


def write_files(folder):
    """The publisher's own layout, of layers numbered from where another model left off."""
    for name, (make, _, _) in NETWORKS.items():
        names = [layer.name for layer in built(make, None).layers]
        make(weights=None)
        model = make(weights=None)
        assert name.startswith("vgg") or [layer.name for layer in model.layers] != names
        load_formula(model, names)
        with h5py.File(folder / f"{name}.h5", "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
        bare = make(weights=None, include_top=False)
        bare.set_weights(model.get_weights()[: len(bare.get_weights())])
        with h5py.File(folder / f"{name}_notop.h5", "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, bare)
        model.save_weights(folder / f"{name}.weights.h5")
        model.save(folder / f"{name}.keras")


if __name__ == "__main__":
    write_files(pathlib.Path(sys.argv[1])) if len(sys.argv) > 1 else main()
