"""The information that latent bits and labels hold about the data."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_symvae import seeds
from keras_symvae.families import Bernoulli, Categorical

BATCH_SIZE = 1000  # examples in memory at once; part of what a seed means


def information(pair, values, *, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Returns the mutual information of each element of a latent with what its encoder reads.

        I = H(mean_n q_n) - mean_n H(q_n),    q_n = q(z_i | x_n, parents drawn from the encoder)

    0 nats is a collapsed element, log 2 the most that a bit can hold. Where the factor of a latent
    reads other latents, what it holds about them is counted as well.

    Args:
        pair: the `Pair`.
        values: data {name: [N, ...]} or x [N, ...]; latents among them are drawn anew.
        seed: integer; the same seed gives the same draws.

    Returns:
        {latent: [elements]}, nats, of the Bernoulli and Categorical latents with a density; other
        latents are left out.

    Raises:
        ValueError: the data are none that the variables can hold, or observed variables or context
            are missing.
    """
    arrays = pair.check(values)
    missing = [name for name in (*pair.observed, *pair.context) if name not in arrays]
    if missing:
        raise ValueError(f"information needs {missing} beside {sorted(arrays)}.")
    arrays = {name: array for name, array in arrays.items() if name not in pair.latent}
    size = len(next(iter(arrays.values())))
    means, entropies = {}, {}
    for index, start in enumerate(range(0, size, BATCH_SIZE)):
        part = {name: array[start : start + BATCH_SIZE] for name, array in arrays.items()}
        fork = seeds.fold(seeds.make(seed), index)
        for name, probabilities in _probabilities(pair, part, fork).items():
            share = len(probabilities) / size
            means[name] = means.get(name, 0.0) + share * probabilities.mean(0)
            entropies[name] = entropies.get(name, 0.0) + share * _entropy(probabilities).mean(0)
    # Rounding may leave -1e-17 of an element that holds nothing.
    return {name: np.maximum(_entropy(means[name]) - entropies[name], 0.0) for name in means}


def _probabilities(pair, values, seed):
    """Returns {latent: float64 [B, elements, K]} under the encoder."""

    def draw(name, family, eta, fork):
        return family.sample(eta, fork)

    _, naturals = pair.encoder.walk(pair.values(values), draw=draw, seed=seed)
    found = {}
    for name, eta in naturals.items():
        family = pair.families[name]
        if not isinstance(family, (Bernoulli, Categorical)):
            continue
        logits = tf.cast(eta, tf.float64)
        if isinstance(family, Bernoulli):
            logits = tf.stack([tf.zeros_like(logits), logits], axis=-1)
        logits = tf.reshape(logits, [-1, family.size, logits.shape[-1]])
        found[name] = tf.nn.softmax(logits).numpy()
    return found


def _entropy(probabilities):
    """Returns the entropies [...], nats, of probabilities [..., K]."""
    safe = np.where(probabilities > 0.0, probabilities, 1.0)
    return -np.sum(safe * np.log(safe), axis=-1)
