"""The log-likelihood of data, estimated with the encoder's draws."""

import math

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_symvae import seeds


def log_likelihood(
    pair, data, *, num_samples: int = 1000, seed: int = 0, chunk: int = 1000
) -> NDArray[np.float64]:
    """Returns the importance-weighted lower bound of log p(x) for every example.

        log 1/K sum_k p(x, z_k) / q(z_k | x),    z_k ~ q(z | x),    K = num_samples

    Its mean is the ELBO for K = 1, grows with K, and tends to log p(x). Latents that the data hold
    are scored with them: log p(x, y). Context is what everything is conditioned on. Grey pixels of
    a Bernoulli variable are scored by their cross-entropy.

    Args:
        pair: the `Pair`; every factor needs a density.
        data: {name: [N, ...]}, x [N, ...] or a tuple, as in `Pair.named`.
        num_samples: K.
        seed: integer; equal seeds, K and chunk give equal draws.
        chunk: number of draws in memory at once.

    Returns:
        [N], nats.

    Raises:
        ValueError: a factor is implicit or the prior is known only by samples; data are missing or
            none that the variables can hold; num_samples or chunk is not positive.

    Reference: Burda, Grosse, Salakhutdinov 2016, Importance Weighted Autoencoders.
    """
    check_densities(pair, asker="log_likelihood")
    pair.encoder.require_density("log_likelihood")
    for key, number in {"num_samples": num_samples, "chunk": chunk}.items():
        if number < 1:
            raise ValueError(f"{key} is a positive number; received {number!r}.")
    arrays = check_complete(pair, data, asker="log_likelihood")
    size = len(next(iter(arrays.values())))
    rows = min(size, chunk)
    repeats = min(num_samples, chunk // rows)
    rounds, rest = divmod(num_samples, repeats)
    log_sum = tf.function(_log_sum, reduce_retracing=True)
    found = []
    for index, start in enumerate(range(0, size, rows)):
        values = pair.values({name: array[start : start + rows] for name, array in arrays.items()})
        fork = seeds.fold(seeds.make(seed), index)
        total = log_sum(pair, values, tf.constant(rounds), tf.constant(repeats), fork).numpy()
        if rest:
            fork = seeds.fold(fork, rounds)
            last = log_sum(pair, values, tf.constant(1), tf.constant(rest), fork).numpy()
            total = np.logaddexp(total, last)
        found.append(total - math.log(num_samples))
    return np.concatenate(found)


def _log_sum(pair, values, rounds, repeats, seed):
    """Returns float64 [B]: log of the sum of rounds * repeats importance weights."""
    size = tf.shape(next(iter(values.values())))[0]
    repeated = {name: tf.repeat(value, repeats, axis=0) for name, value in values.items()}

    def draw(name, family, eta, fork):
        return family.sample(eta, fork)

    def add(index, total):
        completed, naturals = pair.encoder.walk(repeated, draw=draw, seed=seeds.fold(seed, index))
        log_weight = sum(_double(part) for part in pair.decoder.log_prob(completed).values())
        for name, eta in naturals.items():
            if name not in values:  # what the data hold was not drawn
                log_weight -= _double(pair.families[name].log_prob(eta, completed[name]))
        log_weight = tf.reshape(log_weight, [size, repeats])
        update = tf.reduce_logsumexp(log_weight, axis=1)
        return index + 1, tf.reduce_logsumexp(tf.stack([total, update]), axis=0)

    nothing = tf.fill([size], tf.constant(-math.inf, tf.float64))
    return tf.while_loop(lambda index, _: index < rounds, add, (tf.constant(0), nothing))[1]


def _double(tensor):
    return tf.cast(tensor, tf.float64)


def check_densities(pair, *, asker):
    """Refuses, in the name of who asks, a pair whose log p(x, z) nobody can compute."""
    if pair.prior is not None:
        raise ValueError(
            f"{asker} needs log p(z), but the prior of this pair is known only by samples."
        )
    pair.decoder.require_density(asker)


def check_complete(pair, data, *, asker):
    """Returns {name: np.ndarray [N, ...]}, complete in what the decoder alone draws or reads."""
    arrays = pair.check(data)
    lacking = [name for name in (*pair.observed, *pair.context) if name not in arrays]
    if lacking:
        raise ValueError(f"{asker} needs {lacking} beside {sorted(arrays)}.")
    return arrays
