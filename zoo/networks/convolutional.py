"""The convolutions of Flach et al.: an image down to a vector, and a vector up to an image."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.mlp import side_by_side
from zoo.networks.network import Network

# (filters as a multiple of the base, kernel, stride, padding) from the image inwards: the
# convolutions of the official code of Flach et al. 2024.
CONVOLUTIONS = (
    (1, 3, 1, "same"),
    (1, 2, 1, "valid"),
    (2, 3, 2, "valid"),
    (2, 3, 1, "valid"),
    (2, 3, 1, "valid"),
    (4, 3, 2, "valid"),
)


def convolved(size: int) -> int:
    """Returns the side length to which `CONVOLUTIONS` shrink an image side.

    Raises:
        ValueError: the transposed convolutions would not lead back to this size.
    """
    if size < 20 or size % 4:
        raise ValueError(
            f"body='conv' needs image sides of at least 20 that 4 divides; received {size}. "
            "Pad the images, or take body='mlp'."
        )
    for _, kernel, stride, padding in CONVOLUTIONS:
        size = size if padding == "same" else (size - kernel) // stride + 1
    return size


@keras.saving.register_keras_serializable(package="zoo")
class ConvEncoder(Network):
    """Convolutions and a dense layer down to one vector, [B, H, W, C] -> [B, units].

    Args:
        units: width of the output.
        filters: base number of filters.
        activation: of every layer, the last included.
    """

    def __init__(
        self, units: int, *, filters: int = 32, activation: str = "tanh", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.filters, self.activation = units, filters, activation

    def build(self, shape: Sequence[int]) -> None:
        for side in shape[1:3]:
            convolved(side)
        self.convolutions = [
            keras.layers.Conv2D(
                multiple * self.filters, kernel, stride, padding, activation=self.activation
            )
            for multiple, kernel, stride, padding in CONVOLUTIONS
        ]
        for layer in self.convolutions:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        # The official code's last convolution spans all that is left: the same map and weights as
        # this dense layer, which oneDNN multiplies ten times faster.
        self.head = keras.layers.Dense(self.units, activation=self.activation)
        self.head.build((shape[0], math.prod(shape[1:])))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        for layer in self.convolutions:
            inputs = layer(inputs)
        return self.head(side_by_side(inputs))

    def compute_output_shape(self, shape: Sequence[int]) -> tuple[int, int]:
        return (shape[0], self.units)


@keras.saving.register_keras_serializable(package="zoo")
class ConvDecoder(Network):
    """The mirror image of `ConvEncoder`, [B, ...] -> [B, *shape] of raw outputs.

    Several inputs, a list, are flattened and joined.

    Args:
        shape: (H, W, channels) of the output.
        filters: base number of filters.
        activation: of all layers but the last.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        filters: int = 32,
        activation: str = "tanh",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.shape, self.filters, self.activation = tuple(shape), filters, activation
        height, width, channels = self.shape
        rest = (convolved(height), convolved(width))
        outputs = [multiple * filters for multiple, *_ in CONVOLUTIONS]
        mirrored = [(outputs[-1], rest, 1)] + [
            (outputs[index - 1], kernel, stride)
            for index, (_, kernel, stride, _) in reversed(list(enumerate(CONVOLUTIONS)))
            if index
        ]
        self.convolutions = [
            keras.layers.Conv2DTranspose(count, kernel, stride, activation=activation)
            for count, kernel, stride in mirrored
        ]
        self.convolutions.append(keras.layers.Conv2D(channels, 3, padding="same"))

    def call(self, inputs: tf.Tensor | Sequence[tf.Tensor]) -> tf.Tensor:
        output = side_by_side(inputs)[:, None, None, :]
        for layer in self.convolutions:
            output = layer(output)
        return output
