"""A reading: what the networks of a player make of values that several walks have in common."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_symvae.data.batch import repeated


class Reading(NamedTuple):
    """What a player reads in values before anything is drawn.

    Args:
        reads: {name: [B, ...]}, features of variables and activations of the trunk.
        naturals: {name: eta [B, ...]} of the factors that read nothing else.
    """

    reads: Mapping[str, tf.Tensor]
    naturals: Mapping[str, Any]

    def tiled(self, count: int) -> "Reading":
        """Returns the reading of `count` copies of the values, see `Batch.tiled`."""
        return tf.nest.map_structure(lambda part: repeated(part, count), self)

    def stopped(self) -> "Reading":
        """Returns the reading as constants, through which no gradient flows."""
        return tf.nest.map_structure(tf.stop_gradient, self)
