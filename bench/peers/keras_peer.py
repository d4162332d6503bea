"""Keras on TensorFlow as its users run it: a compiled model, graph mode, channels last."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from keras_networks import network  # noqa: E402
from serve import arguments, serve  # noqa: E402


def main() -> None:
    options = arguments()
    keras.utils.set_random_seed(1)
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    model = network(options.work, options.size)
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-3, weight_decay=0.01),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    images = np.random.default_rng(1).standard_normal(
        (options.batch, options.size, options.size, 1), dtype=np.float32
    )
    targets = (np.arange(options.batch) % 2).astype(np.float32)[:, None]
    steps = {
        "training": lambda: model.train_on_batch(images, targets),
        "inference": lambda: model.predict_on_batch(images),
    }
    shapes = [weight.shape for weight in model.trainable_weights]
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    serve(steps[options.task], shapes, versions)


main()
