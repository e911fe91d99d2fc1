"""A multilayer perceptron."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.network import Network


def side_by_side(inputs: tf.Tensor | Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns one tensor [B, ...], or several of them, flattened and joined as [B, units]."""
    parts: Any = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    flat = [keras.ops.reshape(part, (-1, math.prod(part.shape[1:]))) for part in parts]
    return flat[0] if len(flat) == 1 else keras.ops.concatenate(flat, axis=-1)


@keras.saving.register_keras_serializable(package="zoo")
class MLP(Network):
    """Hidden layers and a linear output of flattened inputs, [B, ...] -> [B, units].

    Several inputs, a list, are flattened and joined.

    Args:
        hidden: widths of the hidden layers.
        units: width of the output; None: the output is that of the last hidden layer.
        activation: of the hidden layers.
        skip: add a linear map without bias from the input to the output.
    """

    def __init__(
        self,
        hidden: Sequence[int],
        units: int | None = None,
        *,
        activation: str = "tanh",
        skip: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden, self.units = tuple(hidden), units
        self.activation, self.skip = activation, skip
        self.layers = [keras.layers.Dense(width, activation=activation) for width in self.hidden]
        if units is not None:
            self.layers.append(keras.layers.Dense(units))
        self.shortcut = keras.layers.Dense(units, use_bias=False) if skip else None

    def call(self, inputs: tf.Tensor | Sequence[tf.Tensor]) -> tf.Tensor:
        joined = output = side_by_side(inputs)
        for layer in self.layers:
            output = layer(output)
        return output if self.shortcut is None else output + self.shortcut(joined)
