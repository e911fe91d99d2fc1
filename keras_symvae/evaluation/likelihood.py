"""The log-likelihood of data, estimated with the encoder's draws."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import size_of
from keras_symvae.evaluation.chunks import chunks, length
from keras_symvae.evaluation.requirements import check_complete, check_densities
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import sampled
from keras_symvae.shapes import shaped


@shaped(returns="[N]")
def log_likelihood(
    pair: Pair, data: Any, *, num_samples: int = 1000, seed: int = 0, chunk: int = 1000
) -> NDArray[np.float64]:
    """Returns the importance-weighted lower bound of log p(x) for every example.

        log 1/K sum_k p(x, z_k) / q(z_k | x),    z_k ~ q(z | x),    K = num_samples

    Its mean is the ELBO for K = 1, grows with K, and tends to log p(x). Latents that the data hold
    are scored with them: log p(x, y). Context is what everything is conditioned on. Grey pixels of
    a Bernoulli variable are scored by their cross-entropy.

    Args:
        pair: the `Pair`; every factor needs a density.
        data: {name: [N, ...]}, x [N, ...] or a tuple (x, context ..., y).
        num_samples: K.
        seed: integer; equal seeds, K and chunk give equal draws.
        chunk: number of draws in memory at once.

    Returns:
        [N], nats.

    Raises:
        ValueError: a factor is implicit, or the prior is known only by samples; data are missing,
            or a variable cannot hold them; num_samples or chunk is not a positive integer.

    Reference: Burda, Grosse, Salakhutdinov 2016, Importance Weighted Autoencoders.
    """
    check_densities(pair, asker="log_likelihood", player=None)
    num_samples = arguments.integer("num_samples", num_samples, least=1)
    chunk = arguments.integer("chunk", chunk, least=1)
    arrays = check_complete(pair, data, asker="log_likelihood")
    rows = min(length(arrays), chunk)
    repeats = min(num_samples, chunk // rows)
    rounds, rest = divmod(num_samples, repeats)
    found = []
    for values, fork in chunks(pair, arrays, rows=rows, seed=seed):
        total = _log_sum(pair, values, tf.constant(rounds), tf.constant(repeats), fork).numpy()
        if rest:
            fork = seeds.fold(fork, rounds)
            last = _log_sum(pair, values, tf.constant(1), tf.constant(rest), fork).numpy()
            total = np.logaddexp(total, last)
        found.append(total - math.log(num_samples))
    return np.concatenate(found)


@tf.function(reduce_retracing=True, autograph=False)
@shaped(values="{name: [B, ...]}", seed="[2]", returns="[B]")
def _log_sum(
    pair: Pair, values: dict[str, tf.Tensor], rounds: Any, repeats: Any, seed: Any
) -> tf.Tensor:
    """Returns float64 [B]: log of the sum of rounds * repeats importance weights."""
    size = size_of(values)

    def repeated(part: tf.Tensor) -> tf.Tensor:
        return tf.repeat(part, repeats, axis=0)

    # What the encoder makes of the data alone is the same for all draws.
    known, reading = tf.nest.map_structure(repeated, (values, pair.encoder.read(values)))

    def add(index: Any, total: Any) -> tuple[Any, Any]:
        completed, naturals = pair.encoder.walk(
            known, draw=sampled, seed=seeds.fold(seed, index), reading=reading
        )
        log_weight = sum(_double(part) for part in pair.decoder.log_prob(completed).values())
        for name, eta in naturals.items():
            if name not in values:  # what the data hold was not drawn
                log_weight -= _double(pair.families[name].log_prob(eta, completed[name]))
        log_weight = tf.reshape(log_weight, [size, repeats])
        update = tf.reduce_logsumexp(log_weight, axis=1)
        return index + 1, tf.reduce_logsumexp(tf.stack([total, update]), axis=0)

    nothing = tf.fill([size], tf.constant(-math.inf, tf.float64))
    return tf.while_loop(lambda index, _: index < rounds, add, (tf.constant(0), nothing))[1]


def _double(tensor: Any) -> Any:
    return tf.cast(tensor, tf.float64)
