"""A tiny binary pair and its exact quantities, summed over all of its values and all draws."""

import itertools
import math

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


def draws_of(count, draws):
    """All ways to draw so many of `count` values, whatever their order.

    Returns members [N, draws] and how many orders each has [N].
    """
    members = np.array(list(itertools.combinations_with_replacement(range(count), draws)))
    times = np.stack([(members == value).sum(1) for value in range(count)])
    repeats = np.array([math.factorial(number) for number in range(draws + 1)])[times]
    return members, math.factorial(draws) / repeats.prod(0)


def law_of_the_taken(log_joint, log_q, draws):
    """The law [X, Z] of the code taken among K draws of q by its weight p(x, z) / q(z | x).

    Args:
        log_joint, log_q: log p(x, z), up to a constant for every x, and log q(z | x), both [X, Z].
        draws: K.
    """
    log_joint, log_q = np.asarray(log_joint, np.float64), np.asarray(log_q, np.float64)
    members, orders = draws_of(log_q.shape[1], draws)
    laws = []
    for log_w, q in zip(log_joint - log_q, np.exp(log_q), strict=True):
        weights = np.exp(log_w - log_w.max())[members]
        shares = weights / weights.sum(1, keepdims=True)
        chances = orders * q[members].prod(1)
        terms = (chances[:, None] * shares).ravel()
        laws.append(np.bincount(members.ravel(), terms, minlength=len(q)))
    return np.stack(laws)


def bound_of_draws(log_joint, log_q, draws):
    """E log 1/K sum_k w_k [X] over K draws of q, in nats; gradients see `log_joint` alone."""
    log_q = tf.stop_gradient(log_q)
    members, orders = draws_of(log_q.shape[1], draws)
    chances = tf.reduce_sum(tf.gather(log_q, members, axis=1), axis=2)
    weights = tf.gather(log_joint - log_q, members, axis=1)
    bounds = tf.reduce_logsumexp(weights, axis=2) - math.log(draws)
    return tf.reduce_sum(tf.cast(orders, log_q.dtype) * tf.exp(chances) * bounds, axis=1)


def law_of_local_choice(local, q, cells, draws):
    """The law [2^C] of z*, every cell of which comes from the draw that its own weight chose.

    Args:
        local: log-weights l_c of a draw [N, C].
        q: probabilities [N] of the values that a draw can have.
        cells: its C cells [N, C], -1 or +1; the law is in the order of `games.signs`.
        draws: K.
    """
    members, orders = draws_of(len(q), draws)
    shares = np.exp(local - local.max(0))[members]
    up = (shares * (cells[members] > 0)).sum(1) / shares.sum(1)
    chances = orders * q[members].prod(1)
    signs = 2.0 * bits(cells.shape[1]) - 1.0
    return np.array([chances @ np.prod((1 + sign * (2 * up - 1)) / 2, axis=1) for sign in signs])


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

    def bound(self, draws):
        """The mean over the data of E log 1/K sum_k w_k, a function of the decoder alone."""
        return tf.reduce_sum(self.data * bound_of_draws(self.log_p(), self.log_q(), draws))

    def taken(self, draws):
        """pi(x) q_K(z | x) [X, Z], a constant: data with the code taken among K draws."""
        law = tf.exp(self.log_q())
        if draws > 1:
            law = tf.constant(law_of_the_taken(self.log_p(), self.log_q(), draws), tf.float32)
        return tf.stop_gradient(self.data[:, None] * law)

    def decoder_utility(self, draws=1):
        """L_p = E_{pi(x) q_K(z|x)} log p(x, z), a function of the decoder alone."""
        return tf.reduce_sum(self.taken(draws) * self.log_p())

    def encoder_utility(self, draws=1, wake=0.0):
        """(1 - a) E_{p(x,z)} log q(z | x) + a E_{pi(x) q_K(z|x)} log q(z | x), of the encoder."""
        weights = (1.0 - wake) * tf.stop_gradient(tf.exp(self.log_p()))
        if wake:
            weights += wake * self.taken(draws)
        return tf.reduce_sum(weights * self.log_q())

    def symmetric_gradients(self, draws=1, wake=0.0):
        """[(variable, gradient of its own player's utility)]."""
        moves = (
            (self.pair.decoder, lambda: self.decoder_utility(draws)),
            (self.pair.encoder, lambda: self.encoder_utility(draws, wake)),
        )
        return [pair for player, utility in moves for pair in gradients(player, utility)]

    def elbo_gradients(self):
        """[(variable, gradient of the ELBO)]."""
        return gradients(self.pair, self.elbo)


def gradients(owner, utility):
    """[(variable, gradient)] of a utility, over the weights that the owner has."""
    variables = owner.trainable_variables
    with tf.GradientTape() as tape:
        value = utility()
    found = tape.gradient(
        value,
        [variable.value for variable in variables],
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return list(zip(variables, found, strict=True))
