"""Stateless seeds: int32 [2] tensors, derived from one integer and never stored."""

from typing import Any

import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.shapes import shaped

TRAIN, TEST, DATA, REHEARSAL, LAYERS = range(5)  # streams of one learner that must not share draws


@shaped(seed="[]", returns="[2]")
def make(seed: Any) -> tf.Tensor:
    """Returns the seed [2] that a Python or tensor integer stands for.

    Raises:
        ValueError: see `checked`.
    """
    seed = tf.cast(checked(seed), tf.int32)
    return tf.stack([seed, tf.constant(0x5EED, tf.int32)])


def checked(seed: Any) -> Any:
    """Returns an integer, of Python or a scalar tensor, or raises ValueError where it is none."""
    says = "seed is an integer, such as 0"
    if not tf.is_tensor(seed):
        return arguments.integer("seed", seed, most=2**63 - 1, says=says)
    if (
        not isinstance(seed, tf.Tensor)
        or not seed.dtype.is_integer
        or seed.shape.rank not in (0, None)
    ):
        raise ValueError(f"{says}; received {arguments.told(seed)}.")
    return seed


@shaped(seed="[2]", returns="[2]")
def fold(seed: Any, *data: Any) -> tf.Tensor:
    """Returns a seed [2] that depends on `seed` [2] and on every integer of `data`."""
    for item in data:
        seed = tf.convert_to_tensor(tf.random.fold_in(seed, tf.cast(item, tf.int32)))
    return seed


@shaped(seed="[2]", returns="[]")
def integer(seed: Any) -> tf.Tensor:
    """Returns a tensor integer that depends on both numbers of `seed` [2]."""
    # The first number of a folded seed does not depend on what was folded in last.
    return fold(seed, 0)[0]
