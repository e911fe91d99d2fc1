"""Information: what a latent says about the data in a batch, as a utility."""

import tensorflow as tf

from keras_symvae.families import Bernoulli, Categorical
from keras_symvae.learners.step.cost import Outcome, Terms, total


def informed(pair, values, *, weights):
    """Returns the `Outcome` of the information that latents hold about observed `values`.

        I = H(mean_n q_n) - mean_n H(q_n),    q_n = q(v | x_n),    the sum over the elements of v

    Args:
        pair: the `Pair`.
        values: {name: [B, ...]}.
        weights: {v: weight}.

    Reference: Bridle, Heading, MacKay 1991; Krause, Perona, Gomes 2010.
    """
    if not weights:
        return Outcome(tf.zeros([]), {})
    terms = Terms(pair, values)
    rows = tf.cast(terms.rows["paired"] | terms.rows["observed"], tf.float32)
    neutral = {
        name: tf.repeat(pair.families[name].neutral, terms.size, axis=0)
        for name in weights
        if name not in terms.values
    }
    _, naturals = pair.encoder.walk(pair.encoder.scorable(terms.values | neutral))
    gain = [
        weight * _information(naturals[name], rows, pair.families[name])
        for name, weight in weights.items()
    ]
    return Outcome(total(gain), {})


def checked(pair, weights):
    """Returns {latent: weight}, or refuses what has no such information.

    Raises:
        ValueError: a variable is no latent of bits or classes, its factor reads other latents, or
            a weight is none.
    """
    weights = dict(weights or {})
    for name, weight in weights.items():
        counted = name in pair.latent and isinstance(pair.families[name], (Bernoulli, Categorical))
        if not counted or not pair.encoder.parents(name).isdisjoint(pair.latent):
            raise ValueError(
                f"The information of '{name}' is not among the utilities: it is that of Bernoulli "
                f"and Categorical latents whose encoder factor reads no other latent."
            )
        if not isinstance(weight, (int, float)) or not 0 <= weight < float("inf"):
            raise ValueError(f"The weight of '{name}' is a number of at least 0; got {weight!r}.")
    return weights


def _information(eta, rows, family):
    """Returns a scalar, nats, of logits [B, ...] in the `rows` [B]."""
    logits = tf.stack([tf.zeros_like(eta), eta], axis=-1) if isinstance(family, Bernoulli) else eta
    logits = tf.reshape(logits, [tf.shape(eta)[0], family.size, logits.shape[-1]])
    log_q = tf.nn.log_softmax(logits)
    q, share = tf.exp(log_q), tf.math.divide_no_nan(rows, tf.reduce_sum(rows))
    mean = tf.einsum("n,nek->ek", share, q)
    own = tf.einsum("n,nek,nek->", share, q, log_q)
    return own - tf.reduce_sum(tf.math.xlogy(mean, mean))
