"""A tiny binary pair and its exact quantities, summed over all of its values."""

import itertools

import numpy as np
import tensorflow as tf

from zoo.architectures.ladder import Ladder

SIZES = {"z0": 2, "z1": 3, "x": 4}


def tiny(order, *, seed=0, scale=0.7):
    """A ladder over 4 pixels, 2 and 3 bits with random weights, none of them zero."""
    pair = Ladder((2, 2, 1), latents=(2, 3), order=order, width=5)
    rng = np.random.default_rng(seed)
    for variable in pair.trainable_variables:
        variable.assign(scale * rng.normal(size=variable.shape))
    return pair


def bits(count):
    """All values [2^count, count] of that many bits."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=count)), np.float32)


class Exact:
    """All values of a tiny pair, as graph functions: [X, Z] over images and latents.

    Args:
        pair: a pair of Bernoulli variables.
        data: pi(x) [X], the probabilities of the images in the order of `bits`.
    """

    def __init__(self, pair, data=None):
        self.pair = pair
        widths = {name: pair.families[name].size for name in (*pair.observed, *pair.latent)}
        states = bits(sum(widths.values()))
        ends = np.cumsum(list(widths.values()))[:-1]
        self.values = {
            name: tf.constant(part.reshape(-1, *pair.families[name].shape))
            for name, part in zip(widths, np.split(states, ends, axis=1), strict=True)
        }
        self.shape = (2 ** widths["x"], -1)
        self.data = None if data is None else tf.constant(data, tf.float32)
        self.images = bits(widths["x"]).reshape(-1, *pair.families["x"].shape)

    def log_p(self):
        """log p(x, z) [X, Z]."""
        return self._table(self.pair.decoder)

    def log_q(self):
        """log q(z | x) [X, Z]."""
        return self._table(self.pair.encoder)

    def _table(self, player):
        return tf.reshape(sum(player.log_prob(self.values).values()), self.shape)

    def log_evidence(self):
        """log p(x) [X]."""
        return tf.reduce_logsumexp(self.log_p(), axis=1)

    def elbo(self):
        """The mean of the lower bound over the data."""
        log_q = self.log_q()
        bound = tf.reduce_sum(tf.exp(log_q) * (self.log_p() - log_q), axis=1)
        return tf.reduce_sum(self.data * bound)

    def decoder_utility(self):
        """L_p = E_{pi(x) q(z|x)} log p(x, z), a function of the decoder alone."""
        weights = tf.stop_gradient(self.data[:, None] * tf.exp(self.log_q()))
        return tf.reduce_sum(weights * self.log_p())

    def encoder_utility(self):
        """L_q = E_{p(x,z)} log q(z | x), a function of the encoder alone."""
        return tf.reduce_sum(tf.stop_gradient(tf.exp(self.log_p())) * self.log_q())

    def symmetric_gradients(self):
        """[(variable, gradient of its own player's utility)]."""
        moves = (
            (self.pair.decoder, self.decoder_utility),
            (self.pair.encoder, self.encoder_utility),
        )
        return [pair for player, utility in moves for pair in _gradients(player, utility)]

    def elbo_gradients(self):
        """[(variable, gradient of the ELBO)]."""
        return _gradients(self.pair, self.elbo)


def _gradients(owner, utility):
    variables = owner.trainable_variables
    with tf.GradientTape() as tape:
        value = utility()
    gradients = tape.gradient(
        value,
        [variable.value for variable in variables],
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return list(zip(variables, gradients, strict=True))
