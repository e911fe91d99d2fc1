"""The slope of a critic: how far it is from a function that rises by at most one per unit."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from keras_symvae.data.batch import size_of
from keras_symvae.learners.step.cost import total
from keras_symvae.shapes import shaped

Values = Mapping[str, tf.Tensor]


@shaped(some="{name: [B, ...]}", others="{name: [B, ...]}", seed="[2]", returns="[]")
def slope_penalty(
    height: Callable[[Values], tf.Tensor], some: Values, others: Values, *, seed: tf.Tensor
) -> tf.Tensor:
    """Returns the mean of max(0, |grad height| - 1)^2 at random points between two samples.

    Args:
        height: a function of {name: [B, ...]} with values [B].
        some, others: samples {name: [B, ...]} of the same names.
        seed: stateless seed [2].

    Reference: Gulrajani et al. 2017; the one-sided penalty.
    """
    size, between = size_of(some), {}
    share = tf.random.stateless_uniform(tf.stack([size]), seed)
    for name in some:
        x, y = tf.cast(some[name], tf.float32), tf.cast(others[name], tf.float32)
        part = tf.reshape(share, [-1] + [1] * (x.shape.rank - 1))
        between[name] = part * x + (1.0 - part) * y
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        found = height(between)
    squares = total(
        tf.reduce_sum(tf.reshape(tf.convert_to_tensor(slope), [size, -1]) ** 2, axis=1)
        for slope in tape.gradient(found, list(between.values()))
    )
    return tf.reduce_mean(tf.nn.relu(tf.sqrt(squares + 1e-12) - 1.0) ** 2)
