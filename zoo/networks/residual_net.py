"""A residual network: convolutions from one grid to another, or to a vector."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_symvae import arguments
from zoo.networks.network import Network
from zoo.networks.residual_block import ResidualBlock

HEAD_GAIN = 0.1  # raw outputs start near zero: bits near uniform, pixels near grey


@keras.saving.register_keras_serializable(package="zoo")
class ResidualNet(Network):
    """Residual convolutions from grid to grid, [[B, ...], ...] -> [B, *shape].

        h_0 = sum_i Embed(input_i),    h_l = Resample(Blocks(h_{l-1})),    output = Conv(act(h_L))

    The inputs meet on one grid: there a vector becomes a channel map, and what is coarser is
    repeated. Each further grid has twice or half the sides of the one before it, until those of
    the output; a vector is read from all of the last grid. All maps start with the variance of
    their inputs, see `ResidualBlock`.

    Args:
        shape: (H, W, channels) or (units,) of the output; None: h_L itself.
        grid: (rows, columns) on which the inputs meet.
        filters: channels on this grid and on every one that follows.
        depth: number of blocks on every grid.
        activation: of all layers.

    Raises:
        ValueError: the grids do not lead to the sides of the output, or an input does not fit them.
    """

    def __init__(
        self,
        shape: Sequence[int] | None,
        *,
        grid: Sequence[int],
        filters: Sequence[int],
        depth: int = 1,
        activation: str = "tanh",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.shape = None if shape is None else tuple(shape)
        self.grid, self.filters = tuple(grid), tuple(filters)
        self.depth, self.activation = depth, activation
        self.up = self.shape is not None and len(self.shape) == 3 and self.shape[0] > self.grid[0]
        self.last = self._last()
        self.blocks = [
            [ResidualBlock(activation=activation) for _ in range(depth)] for _ in self.filters
        ]
        self.steps = [
            self._step(*pair) for pair in zip(self.filters[:-1], self.filters[1:], strict=True)
        ]
        self.act = keras.layers.Activation(activation)
        self.head = self._head()

    def _last(self) -> tuple[int, ...]:
        """Returns the last grid."""
        factor = 2 ** (len(self.filters) - 1)
        if self.up:
            last = tuple(side * factor for side in self.grid)
        else:
            last = tuple(side // factor for side in self.grid)
            if any(side % factor for side in self.grid):
                raise ValueError(f"A grid {self.grid} cannot be halved {len(self.filters) - 1} x.")
        if self.shape is not None and len(self.shape) == 3 and self.shape[:2] != last:
            raise ValueError(
                f"{len(self.filters)} grids lead from {self.grid} to {last}; the output has "
                f"{self.shape[:2]}."
            )
        return last

    def _step(self, before: int, after: int) -> keras.Layer:
        # Of 4 x 4 weights four meet in a pixel of a transposed convolution; Keras counts all of
        # them, and the outputs in place of the inputs.
        gain, kind = (4.0 * after / before, "Conv2DTranspose") if self.up else (1.0, "Conv2D")
        layer = getattr(keras.layers, kind)
        return layer(after, 4, 2, padding="same", kernel_initializer=_start(gain))

    def _head(self) -> keras.Layer | None:
        if self.shape is None:
            return None
        start = {"kernel_initializer": _start(HEAD_GAIN)}
        if len(self.shape) == 3:
            return keras.layers.Conv2D(self.shape[-1], 3, padding="same", **start)
        dense = keras.layers.Dense(math.prod(self.shape), **start)
        return keras.Sequential([keras.layers.Flatten(), dense])

    def build(self, shapes: Sequence[Any]) -> None:
        listed = shapes if isinstance(shapes[0], (tuple, list)) else [shapes]
        self.embeddings = [self._embedding(s[1:], gain=1.0 / len(listed)) for s in listed]
        # Symbolic inputs build all layers inside, so that a file's weights find their places.
        self.call([keras.KerasTensor(shape) for shape in listed])

    def _embedding(self, shape: Sequence[int], *, gain: float) -> keras.Layer:
        """Returns the layer that brings an input to the first grid."""
        layers, width, start = keras.layers, self.filters[0], {"kernel_initializer": _start(gain)}
        if len(shape) == 1:
            grid = (*self.grid, width)
            return keras.Sequential([layers.Dense(math.prod(grid), **start), layers.Reshape(grid)])
        sides = tuple(shape[:2])
        if sides == self.grid:
            return layers.Conv2D(width, 3, padding="same", **start)
        if any(side % other for side, other in zip(self.grid, sides, strict=True)):
            raise ValueError(
                f"A map of {arguments.told(sides)} does not lie on a grid of {self.grid}, whose "
                "sides are no multiples of its own."
            )
        ratio = tuple(side // other for side, other in zip(self.grid, sides, strict=True))
        return keras.Sequential([layers.Conv2D(width, 1, **start), layers.UpSampling2D(ratio)])

    def call(self, inputs: tf.Tensor | Sequence[tf.Tensor]) -> tf.Tensor:
        listed: Any = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        h: Any = sum(embed(each) for embed, each in zip(self.embeddings, listed, strict=True))
        for index, blocks in enumerate(self.blocks):
            h = self.steps[index - 1](h) if index else h
            for block in blocks:
                h = block(h)
        return h if self.head is None else self.head(self.act(h))


def _start(gain: float) -> keras.initializers.Initializer:
    """Returns weights under which outputs have `gain` times the variance of independent inputs."""
    return keras.initializers.VarianceScaling(gain, "fan_in", "truncated_normal")
