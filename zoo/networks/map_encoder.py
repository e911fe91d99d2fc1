"""A map encoder: the contracting half of a U-Net, down to a vector."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.contraction import contraction
from zoo.networks.network import Network


@keras.saving.register_keras_serializable(package="zoo")
class MapEncoder(Network):
    """Maps of one size to one vector, [[B, H, W, C], ...] -> [B, units].

    Args:
        units: width of the output, which is linear.
        filters: of every resolution, from the full one down, each half of the one before.
        width: of the hidden layer that reads all of the lowest resolution.
        activation: of all layers but the last.
    """

    def __init__(
        self,
        units: int,
        *,
        filters: Sequence[int] = (16, 32, 64),
        width: int = 128,
        activation: str = "relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.filters = units, tuple(filters)
        self.width, self.activation = width, activation
        self.down = contraction(self.filters, activation)
        self.flatten = keras.layers.Flatten()
        self.squeeze = keras.layers.Dense(width, activation=activation)
        self.head = keras.layers.Dense(units)

    def build(self, shapes: Sequence[Sequence[int]]) -> None:
        # Symbolic inputs build all layers inside, so that a file's weights find their places.
        self.call([keras.KerasTensor(shape) for shape in shapes])

    def call(self, maps: Sequence[tf.Tensor]) -> tf.Tensor:
        output = keras.ops.concatenate(maps, axis=-1)
        for layer in self.down:
            output = layer(output)
        return self.head(self.squeeze(self.flatten(output)))
