"""The works' networks as Keras's users write them (channels last, one grey channel, one logit)."""

from keras import Input, Model, layers


def cnn(x):
    for width in (32, 64, 128):
        x = layers.MaxPooling2D()(layers.Conv2D(width, 3, padding="same", activation="relu")(x))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return layers.Dense(1)(layers.Dropout(0.5)(x))


def conv_norm(x, channels, kernel=3, stride=1):
    x = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def basic_block(x, channels, stride):
    y = layers.ReLU()(conv_norm(x, channels, 3, stride))
    y = conv_norm(y, channels)
    if stride != 1 or x.shape[-1] != channels:
        x = conv_norm(x, channels, 1, stride)
    return layers.ReLU()(layers.Add()([y, x]))


def resnet18(x):
    x = layers.ReLU()(conv_norm(x, 64, 7, 2))
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for channels in (64, 128, 256, 512):
        for block in range(2):
            x = basic_block(x, channels, 2 if channels > 64 and block == 0 else 1)
    return layers.Dense(1)(layers.GlobalAveragePooling2D()(x))


def inverted_residual(x, channels, stride, expansion, kernel=3):
    y = x
    if expansion > 1:
        y = layers.ReLU(6)(conv_norm(y, x.shape[-1] * expansion, 1))
    y = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False)(y)
    y = conv_norm(layers.ReLU(6)(layers.BatchNormalization()(y)), channels, 1)
    return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == channels else y


MOBILENET_STAGES = [
    # expansion, channels, blocks, stride
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]


def mobilenetv2(x):
    x = layers.ReLU(6)(conv_norm(x, 32, 3, 2))
    for expansion, channels, blocks, stride in MOBILENET_STAGES:
        for block in range(blocks):
            x = inverted_residual(x, channels, stride if block == 0 else 1, expansion)
    x = layers.ReLU(6)(conv_norm(x, 1280, 1))
    return layers.Dense(1)(layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x)))


NETWORKS = {"cnn": cnn, "resnet18": resnet18, "mobilenetv2": mobilenetv2}


def network(name: str, size: int) -> Model:
    x = Input((size, size, 1))
    return Model(x, NETWORKS[name](x))
