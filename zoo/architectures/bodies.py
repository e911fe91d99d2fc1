"""The body of an architecture: the networks that read an image, and the one that paints it."""

import math
from collections.abc import Sequence

import keras

from keras_symvae import arguments
from keras_symvae.families import Family
from zoo.networks.convolutional import ConvDecoder, ConvEncoder
from zoo.networks.mlp import MLP

BODIES = ("mlp", "conv")


def painter(
    body: str, image: Family, *, hidden: Sequence[int], activation: str = "tanh"
) -> keras.Layer:
    """Returns the network of p(x | ...), [B, ...] -> [B, *raw shape of the image].

    Args:
        body: "mlp" or "conv".
        image: family of the image.
        hidden: widths of an MLP.
        activation: of the hidden layers.

    Raises:
        ValueError: convolutions cannot emit what the family reads.
    """
    if arguments.one_of("body", body, BODIES) == "mlp":
        return MLP(hidden, math.prod(image.raw_shape), activation=activation)
    if len(image.raw_shape) != 3:
        raise ValueError(f"body='conv' emits images; {image!r} reads {image.raw_shape}.")
    return ConvDecoder(image.raw_shape, activation=activation)


def reader(body: str, *, hidden: Sequence[int], activation: str = "tanh") -> keras.Layer:
    """Returns the network from an image to a vector as wide as the last hidden layer."""
    if arguments.one_of("body", body, BODIES) == "mlp":
        return MLP(hidden, activation=activation)
    return ConvEncoder(hidden[-1], activation=activation)
