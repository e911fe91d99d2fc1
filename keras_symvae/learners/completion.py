"""A completion: data, and the codes that both players learn from."""

import math
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_symvae.data.batch import Batch, Mask, none_of
from keras_symvae.families import estimators
from keras_symvae.model.reading import Reading

MEASURES = ("ess", "iw_bound", "degenerate")
NONE: Mapping[str, Any] = types.MappingProxyType({})


class Completion(NamedTuple):
    """A batch of data, and the codes that were taken for it.

    Args:
        batch: the `Batch` as the data have it.
        taken: the batch with everything drawn that it lacks, as constants.
        reading: what the encoder's networks make of the batch, differentiable; None: to be read.
        measures: {name: [B]}: "ess", the effective number of draws, 1 to K; "iw_bound", nats,
            log 1/K sum_k w_k; "degenerate", 1 where no weight was finite, else 0.
        present: {name: Mask}: the examples that have a measure.
    """

    batch: Batch
    taken: Batch
    reading: Reading | None = None
    measures: Mapping[str, tf.Tensor] = NONE
    present: Mapping[str, Mask] = NONE

    @property
    def drawn(self) -> dict[str, Mask]:
        """{name: Mask}: the examples in which a value was drawn, where some were."""
        masks = {name: none_of([self.batch.known(name)]) for name in self.taken}
        return {name: mask for name, mask in masks.items() if mask is not False}


def choice(log_weights: tf.Tensor, *, seed: tf.Tensor) -> tf.Tensor:
    """Returns int32 [...]: one of K, with probabilities in proportion to its weight.

    A weight that is not finite is none; where none is finite the first is chosen.

    Args:
        log_weights: [K, ...].
        seed: stateless seed [2].
    """
    noisy = finite(log_weights) + estimators.gumbel(tf.shape(log_weights), seed)
    return tf.argmax(noisy, axis=0, output_type=tf.int32)


def picked(values: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """Returns, at every place, the one of K values that was chosen there.

    Args:
        values: [K, *places, ...].
        chosen: int32 [*places], from 0 to K - 1.

    Returns:
        [*places, ...].
    """
    shape = tf.shape(values)
    own = values.shape[1 + chosen.shape.rank :]
    flat = tf.reshape(values, [shape[0], -1, *own])
    places = tf.range(tf.shape(flat)[1])
    found = tf.gather_nd(flat, tf.stack([tf.reshape(chosen, [-1]), places], axis=1))
    return tf.ensure_shape(tf.reshape(found, shape[1:]), values.shape[1:])


def finite(log_weights: tf.Tensor) -> tf.Tensor:
    """Returns log-weights, minus infinity where they are not finite."""
    return tf.where(tf.math.is_finite(log_weights), log_weights, -math.inf)


def effective(log_weights: tf.Tensor) -> tf.Tensor:
    """Returns the effective number of draws, (sum w)^2 / sum w^2, [...] of log w [K, ...]."""
    weights = tf.nn.softmax(finite(log_weights), axis=0)
    number = tf.math.divide_no_nan(1.0, tf.reduce_sum(weights**2, axis=0))
    return tf.where(tf.math.is_finite(number), tf.maximum(number, 1.0), 1.0)
