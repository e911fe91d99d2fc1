"""The information that latent bits and labels hold about the data."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_symvae import arguments
from keras_symvae.evaluation.chunks import chunks, length
from keras_symvae.evaluation.requirements import check_complete
from keras_symvae.families import Finite
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import sampled
from keras_symvae.shapes import shaped


@shaped(returns="{latent: [...]}")
def information(
    pair: Pair, values: Any, *, seed: int = 0, chunk: int = 1000
) -> dict[str, NDArray[np.float64]]:
    """Returns the mutual information of each element of a latent with what its encoder reads.

        I = H(mean_n q_n) - mean_n H(q_n),    q_n = q(z_i | x_n, parents drawn from the encoder)

    0 nats is a collapsed element, log 2 the most that a bit can hold. Where the factor of a latent
    reads other latents, what it holds about them is counted as well.

    Args:
        pair: the `Pair`.
        values: data {name: [N, ...]} or x [N, ...]; latents among them are drawn anew.
        seed: integer; equal seeds and chunks give equal draws.
        chunk: number of examples in memory at once.

    Returns:
        {latent: [elements]}, nats, of the Bernoulli and Categorical latents with a density; other
        latents are left out.

    Raises:
        ValueError: observed variables or context are missing, or a variable cannot hold its data;
            chunk is not a positive integer.
    """
    chunk = arguments.integer("chunk", chunk, least=1)
    arrays = check_complete(pair, values, asker="information")
    arrays = {name: array for name, array in arrays.items() if name not in pair.latent}
    means: dict[str, Any] = {}
    entropies: dict[str, Any] = {}

    for part, fork in chunks(pair, arrays, rows=chunk, seed=seed):
        _, naturals = pair.encoder.walk(part, draw=sampled, seed=fork)
        for name, eta in naturals.items():
            family = pair.families[name]
            if not isinstance(family, Finite):
                continue
            eta = tf.cast(eta, tf.float64)
            share = len(eta) / length(arrays)
            mean = tf.reduce_mean(family.probabilities(eta), axis=0)
            entropy = tf.reduce_mean(family.entropy(eta), axis=0)
            means[name] = means.get(name, 0.0) + share * mean
            entropies[name] = entropies.get(name, 0.0) + share * entropy
    found = {name: Finite.entropy_of(means[name]) - entropies[name] for name in means}
    # Rounding may leave -1e-17 of an element that holds nothing.
    return {name: np.maximum(np.ravel(each), 0.0) for name, each in found.items()}
