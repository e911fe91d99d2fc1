"""Terms: which examples of a batch, and with which weight, enter which expectation of a game."""

import functools
import typing

import tensorflow as tf

from keras_symvae.data.intake import known


class Outcome(typing.NamedTuple):
    """What a utility returns, in nats.

    Args:
        gain: [B]; the players ascend its mean.
        costs: {"player/variable": [B]}.
        present: {"player/variable": bool [B]}: the examples that have this cost, where not all do;
            the others hold zeros.
    """

    gain: tf.Tensor
    costs: dict
    present: dict = {}

    def plus(self, other):
        """Returns the `Outcome` of both, whose costs have different names."""
        return Outcome(
            self.gain + other.gain, self.costs | other.costs, self.present | other.present
        )


class Terms:
    """The examples of a batch by what is known of them, the rows of a partly observed data set.

        paired      all that the encoder reads, and some latents: a labelled image
        observed    all that the encoder reads, and no latent: an image
        latent      some latents, and not all that the encoder reads: a label

    Args:
        pair: the `Pair`.
        values: {name: [B, ...]}, with markers where something is missing.

    Attributes:
        rows: {kind: bool [B]}.
        values, known: see `values.known`.
        nothing: {name: bool [B]}, false for all variables and examples.
        size: B.
    """

    def __init__(self, pair, values):
        self.values, self.known = known(pair, values)
        self.size = tf.shape(next(iter(values.values())))[0]
        nobody = tf.zeros([self.size], tf.bool)
        self.nothing = dict.fromkeys(pair.families, nobody)
        read = [self.known[name] for name in pair.encoder.needed]
        readable = functools.reduce(tf.logical_and, read, ~nobody)
        some = functools.reduce(tf.logical_or, [self.known[name] for name in pair.latent], nobody)
        self.rows = {
            "paired": readable & some,
            "observed": readable & ~some,
            "latent": ~readable & some,
        }


def total(parts):
    """Returns the sum of tensors, in their order."""
    # tf.add_n adds in an order that may change from call to call, and with it the last bit.
    return sum(parts, tf.zeros([]))


def share(rows):
    """Returns [B]: factors that turn the mean over a batch into the mean over `rows` [B]."""
    rows = tf.cast(rows, tf.float32)
    return tf.math.divide_no_nan(rows, tf.reduce_mean(rows))
