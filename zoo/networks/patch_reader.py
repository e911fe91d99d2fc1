"""A patch reader: filters that read all patches of an image, pooled over cells of a grid."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.networks.network import Network


@keras.saving.register_keras_serializable(package="zoo")
class PatchReader(Network):
    """Responses of filters to locally normalised patches, [B, H, W, C] -> [B, cells * filters].

        r = relu(w . (v - mean v) / sqrt(var v + softening) + b)

    of all patches v, averaged in each cell of a grid and standardised. Means and variances are over
    the pixels of a patch, those of the last step are set by `standardise`.

    Args:
        filters: their number.
        patch: side of a patch, in pixels.
        grid: cells along each side of the image; fewer where these do not divide evenly.
    """

    softening = 0.04  # a contrast of 0.1 gray levels, for pixels read as -1 ... 1

    def __init__(self, filters: int, *, patch: int = 6, grid: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.patch, self.grid = filters, patch, grid

    def build(self, shape: Sequence[int]) -> None:
        sides = [side - self.patch + 1 for side in shape[1:3]]
        if min(sides) < 1:
            raise ValueError(f"Patches of side {self.patch} do not fit into images {shape[1:]}.")
        self.cell = [-(-side // self.grid) for side in sides]
        self.units = self.filters * math.prod(
            -(-side // cell) for side, cell in zip(sides, self.cell, strict=True)
        )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.patch, self.patch, shape[-1], self.filters),
            initializer="orthogonal",
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer=keras.initializers.Constant(-0.5)
        )
        fixed = {"shape": (self.units,), "trainable": False}
        self.mean = self.add_weight(name="mean", initializer="zeros", **fixed)
        self.scale = self.add_weight(name="scale", initializer="ones", **fixed)

    def call(self, image: tf.Tensor) -> tf.Tensor:
        # The filters' responses to normalised patches, without ever forming a patch.
        ops, size = keras.ops, self.patch**2 * image.shape[-1]
        box = ops.full((self.patch, self.patch, image.shape[-1], 1), 1.0 / size)
        mean = ops.conv(image, box)
        variance = ops.maximum(ops.conv(image * image, box) - mean * mean, 0.0)
        centred = ops.conv(image, self.kernel) - mean * ops.sum(self.kernel, (0, 1, 2))
        response = ops.relu(centred / ops.sqrt(variance + self.softening) + self.bias)
        cells = ops.average_pool(response, self.cell, self.cell, padding="same")
        return (ops.reshape(cells, (-1, self.units)) - self.mean) * self.scale

    def standardise(self, images: np.ndarray | tf.Tensor) -> None:
        """Sets mean and scale so that the responses to images [N, H, W, C] are 0 +- 1."""
        self.mean.assign(np.zeros(self.units))
        self.scale.assign(np.ones(self.units))
        found = np.concatenate(
            [self(images[start : start + 500]) for start in range(0, len(images), 500)]
        )
        # Cells that are nearly always empty stay nearly silent.
        self.mean.assign(found.mean(axis=0))
        self.scale.assign(1.0 / (found.std(axis=0) + 0.02 * found.std() + 1e-4))
