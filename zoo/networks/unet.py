"""A U-Net: a convolutional network that reads maps and a code, and emits a map."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.contraction import contraction
from zoo.networks.network import Network


@keras.saving.register_keras_serializable(package="zoo")
class UNet(Network):
    """Maps and a code to a map, [[B, H, W, C], ..., [B, n]] -> [B, *shape].

        d_0 = act(Conv(maps)),      d_l = act(Conv(d_{l-1}))  at half of the resolution
        h   = act(Linear(d_L) + Linear(code)),     u_L = act(Linear(h) + d_L)
        u_l = act(Up(u_{l+1}) + Conv(d_l) + Linear(code)),    output = Conv(u_0)

    The vector h sees the whole map. At the resolutions above it the code is one bias per channel,
    the same at all positions: without these biases the code was never used.

    Args:
        shape: (H, W, channels) of the output; H and W are those of the maps.
        filters: of every resolution, from the full one down, each half of the one before.
        width: of h.
        activation: of all layers but the last.

    Reference: Ronneberger, Fischer, Brox 2015, U-Net.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        filters: Sequence[int] = (16, 32, 64),
        width: int = 128,
        activation: str = "relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.shape, self.filters = tuple(shape), tuple(filters)
        self.width, self.activation = width, activation
        *sides, channels = self.shape
        *above, lowest = self.filters
        factor = 2 ** len(above)
        if any(side % factor for side in sides):
            raise ValueError(
                f"{len(self.filters)} resolutions need sides that {factor} divides; received "
                f"{sides}. Give fewer filters, or pad the maps."
            )
        grid = (*(side // factor for side in sides), lowest)
        layers = keras.layers
        self.down = contraction(self.filters, activation)
        self.flatten = layers.Flatten()
        self.squeeze = layers.Dense(width)
        # Keras's default shrinks what goes from few units to many, and with it the code's voice.
        loud = {"kernel_initializer": "he_normal"}
        self.spread = layers.Dense(math.prod(grid), **loud)
        self.unflatten = layers.Reshape(grid)
        self.up = [layers.Conv2DTranspose(n, 4, 2, padding="same", use_bias=False) for n in above]
        self.skip = [layers.Conv2D(n, 3, padding="same") for n in above]
        self.code = [layers.Dense(n, use_bias=False, **loud) for n in (*above, width)]
        self.act = layers.Activation(activation)
        self.head = layers.Conv2D(channels, 3, padding="same")

    def build(self, shapes: Sequence[Sequence[int]]) -> None:
        # Symbolic inputs build all layers inside, so that a file's weights find their places.
        self.call([keras.KerasTensor(shape) for shape in shapes])

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        *maps, code = inputs
        *bias, shift = [layer(code) for layer in self.code]
        output = keras.ops.concatenate(maps, axis=-1)
        levels = []
        for layer in self.down:
            output = layer(output)
            levels.append(output)
        vector = self.act(self.squeeze(self.flatten(levels.pop())) + shift)
        output = self.act(self.unflatten(self.spread(vector)) + output)
        for index in reversed(range(len(levels))):
            above = self.skip[index](levels[index]) + bias[index][:, None, None, :]
            output = self.act(self.up[index](output) + above)
        return self.head(output)
