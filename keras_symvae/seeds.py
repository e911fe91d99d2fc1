"""Stateless seeds: int32 [2] tensors, derived from one integer and never stored."""

import tensorflow as tf

TRAIN, TEST, DATA, REHEARSAL = range(4)  # streams of one learner that must not share draws


def make(seed):
    """Returns the seed [2] that a Python or tensor integer stands for."""
    seed = tf.cast(seed, tf.int32)
    return tf.stack([seed, tf.constant(0x5EED, tf.int32)])


def fold(seed, *data):
    """Returns a seed [2] that depends on `seed` [2] and on every integer of `data`."""
    for item in data:
        seed = tf.convert_to_tensor(tf.random.fold_in(seed, tf.cast(item, tf.int32)))
    return seed


def integer(seed):
    """Returns a tensor integer that depends on both numbers of `seed` [2]."""
    # The first number of a folded seed does not depend on what was folded in last.
    return fold(seed, 0)[0]
