"""Pretrained networks as Keras's users have them; random weights, three equal channels."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

from keras_networks import conv_norm, inverted_residual  # noqa: E402
from serve import arguments, serve  # noqa: E402

LITE_STAGES = [
    # expansion, kernel, channels, blocks, stride
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
]


def efficientnet_lite0(input_shape, **_):
    """Keras has none. Source: timm.models.efficientnet, _gen_efficientnet_lite."""
    x = inputs = keras.Input(input_shape)
    x = layers.ReLU(6)(conv_norm(x, 32, 3, 2))
    for expansion, kernel, channels, blocks, stride in LITE_STAGES:
        for block in range(blocks):
            first = stride if block == 0 else 1
            x = inverted_residual(x, channels, first, expansion, kernel)
    x = layers.ReLU(6)(conv_norm(x, 1280, 1))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


NETWORKS = {
    "xception": keras.applications.Xception,
    "inception-v3": keras.applications.InceptionV3,
    "efficientnet-lite0": efficientnet_lite0,
    "mobilenet-v2": keras.applications.MobileNetV2,
}

# The layer after which everything trains; without one the whole network does.
LAST_FROZEN = {"xception": "add_10", "inception-v3": "mixed8"}


def main() -> None:
    options = arguments()
    keras.utils.set_random_seed(1)
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    shape = (options.size, options.size, 3)
    base = NETWORKS[options.work](
        weights=None, include_top=False, pooling="avg", input_shape=shape
    )
    grey = np.random.default_rng(1).standard_normal(
        (options.batch, options.size, options.size, 1), dtype=np.float32
    )
    images = np.repeat(grey, 3, axis=-1)
    if options.task == "features":
        step = lambda: base.predict_on_batch(images)  # noqa: E731
        weights = base.weights
    else:
        model = fine_tuned(base, LAST_FROZEN.get(options.work))
        targets = (np.arange(options.batch) % 2).astype(np.float32)[:, None]
        step = lambda: model.train_on_batch(images, targets)  # noqa: E731
        weights = model.trainable_weights
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    serve(step, [weight.shape for weight in weights], versions)


def fine_tuned(base, last_frozen):
    """Norms of the base keep their statistics by `training=False`, as Keras' guide to fine-tuning says."""
    if last_frozen:
        frozen = [layer.name for layer in base.layers].index(last_frozen)
        for layer in base.layers[: frozen + 1]:
            layer.trainable = False
    inputs = keras.Input(base.input_shape[1:])
    x = layers.Dropout(0.2)(base(inputs, training=False))
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-4, weight_decay=0.01),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


main()
