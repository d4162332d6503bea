"""Makes weight files in the publisher's own layout, for training where its files cannot be had.

    pip install keras tensorflow h5py numpy
    python test/reference/backbones/make_publisher.py FOLDER            # without the classifier
    python test/reference/backbones/make_publisher.py FOLDER --with-top

Legacy `.h5` files as Keras Applications publishes them, layers numbered from where another model
left off. Kernels are seeded random ones; the norms' statistics are those of seeded smooth pictures,
as training leaves them: with means of 0 and variances of 1 fifty layers pass nothing on.
"""
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy
from keras.src.legacy.saving import legacy_h5_format

SEED = 7
NETWORKS = {
    "inception_v3": (keras.applications.InceptionV3, keras.applications.inception_v3),
    "vgg19": (keras.applications.VGG19, keras.applications.vgg19),
    "xception": (keras.applications.Xception, keras.applications.xception),
}


def pictures(count, size):
    """Smooth pictures in 0..255 of three equal channels, a little noise on them."""
    rng = numpy.random.default_rng(SEED)
    coarse = rng.uniform(0, 255, (count, 8, 8, 1)).astype("float32")
    smooth = keras.ops.image.resize(coarse, (size, size), interpolation="bicubic")
    noisy = keras.ops.convert_to_numpy(smooth) + rng.normal(0, 4, (count, size, size, 1))
    return numpy.repeat(numpy.clip(noisy, 0, 255), 3, axis=-1).astype("float32")


def settle_norms(model, x):
    """Each norm's statistics are taken from one batch, which itself was normalised by its own."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(x, training=True)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


def write(folder, name, with_top):
    make, module = NETWORKS[name]
    keras.utils.clear_session()
    make(weights=None, include_top=False)
    keras.utils.set_random_seed(SEED)
    model = make(weights=None, include_top=with_top)
    # VGG has no norms, and its classifier takes one size only.
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers):
        settle_norms(model, module.preprocess_input(pictures(8, 299)))
    path = folder / f"{name}.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    print(path, model.count_params())


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in NETWORKS:
        write(folder, name, "--with-top" in sys.argv[2:])


if __name__ == "__main__":
    main()
