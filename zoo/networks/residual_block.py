"""A residual block: two convolutions whose sum is added to what they read."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.network import Network


@keras.saving.register_keras_serializable(package="zoo")
class ResidualBlock(Network):
    """Two convolutions beside a shortcut, [B, H, W, C] -> [B, H, W, C].

        output = h + Conv_0(act(Conv(act(h))))

    Conv_0 starts at zero: however many blocks follow each other, what enters the first leaves the
    last at the start, and no statistics of batches are needed to keep its scale.

    Args:
        activation: name of act.

    Reference: Zhang, Dauphin, Ma 2019, Fixup Initialization.
    """

    def __init__(self, *, activation: str = "tanh", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activation
        self.act = keras.layers.Activation(activation)

    def build(self, shape: Sequence[int]) -> None:
        options = {"filters": shape[-1], "kernel_size": 3, "padding": "same"}
        self.first = keras.layers.Conv2D(kernel_initializer="he_normal", **options)
        self.last = keras.layers.Conv2D(kernel_initializer="zeros", **options)
        for layer in (self.first, self.last):
            layer.build(shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + self.last(self.act(self.first(self.act(inputs))))
