"""The log-likelihood of data, estimated by chains that anneal from a start to the joint."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from numpy.typing import NDArray

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import size_of
from keras_symvae.evaluation.chunks import chunks, length
from keras_symvae.evaluation.requirements import check_complete, check_densities
from keras_symvae.families import Normal
from keras_symvae.model.pair import Pair
from keras_symvae.shapes import shaped

STARTS = ("prior", "encoder")
DRAWS = 256  # at least, per example: behind the moments of the start
LEAST = 1e-2  # standard deviation of the start, of the family's spread
LEAPFROG_STEPS = 10
PILOTS = 2  # more chains per example, which find the step size of the others
ACCEPTANCE, FACTOR = 0.65, 1.1  # where it settles, and how fast
STEEPNESS = 4.0  # of the sigmoid along which b rises, as in Wu et al.


@shaped(returns="[N]")
def annealed_log_likelihood(
    pair: Pair,
    data: Any,
    *,
    num_chains: int = 8,
    num_steps: int = 1000,
    start: str = "prior",
    step_size: float = 0.1,
    seed: int = 0,
    chunk: int = 1000,
) -> NDArray[np.float64]:
    """Returns the annealed importance sampling estimate of log p(x) for every example.

        log 1/C sum_c exp(sum_t (b_t - b_(t-1)) (log p(x, z_ct) - log r(z_ct))),  C = num_chains

    z_c1 ~ r, and each next z is a step of Hamiltonian Monte Carlo that leaves r^(1 - b) p^b
    unchanged, while b rises from 0 to 1. The mean of exp(estimate) is p(x) for any number of steps,
    so the estimate is a lower bound on average; its gap closes as num_steps or num_chains grows.

    Two more chains per example, which count for nothing else, find its step size: it is multiplied
    by 1.1 when their acceptance exceeds 0.65, and divided by 1.1 otherwise. Chains that adapted to
    their own past would overestimate. The encoder is asked for draws, never for a density.

    TFP's `sample_annealed_importance_chain` does not serve here: it starts every step from the
    density of the temperature before, so that no step leaves its own distribution unchanged.

    Latents that the data hold are scored with them: log p(x, y). Context is what everything is
    conditioned on.

    Args:
        pair: the `Pair`; every decoder factor needs a density, and every latent that the data do
            not hold is `Normal`.
        data: {name: [N, ...]}, x [N, ...] or a tuple (x, context ..., y).
        num_chains: chains per example.
        num_steps: steps per chain, each of 10 gradients of log p(x, z).
        start: r: "prior", p(z); or "encoder", the Gaussian with the mean and the standard deviation
            of the encoder's draws for each example: it begins nearer, but may miss a mode.
        step_size: the first one, in standard deviations of r.
        seed: integer; equal arguments give equal results.
        chunk: number of chains in memory at once.

    Returns:
        [N], nats.

    Raises:
        ValueError: a decoder factor is implicit, the prior is known only by samples, or a latent is
            not Normal; data are missing or hold every latent; a number is not positive, or a count
            is not an integer.

    References: Neal 2001, Annealed Importance Sampling; Wu, Burda, Salakhutdinov, Grosse 2017, On
        the Quantitative Analysis of Decoder-Based Generative Models; Mescheder, Nowozin, Geiger
        2017, Adversarial Variational Bayes.
    """
    asker = "annealed_log_likelihood"
    check_densities(pair, asker=asker)
    num_chains = arguments.integer("num_chains", num_chains, least=1)
    num_steps = arguments.integer("num_steps", num_steps, least=1)
    chunk = arguments.integer("chunk", chunk, least=1)
    step_size = arguments.number("step_size", step_size, above=0)
    start = arguments.one_of("start", start, STARTS)
    arrays = check_complete(pair, data, asker=asker)
    names = _check_latents(pair, arrays, asker=asker)
    rows = min(length(arrays), max(1, chunk // num_chains))
    options: dict[str, Any] = {"names": names, "chains": num_chains, "start": start}
    options["temperatures"] = tf.constant(_temperatures(num_steps), tf.float32)
    options["step_size"] = tf.constant(step_size, tf.float32)
    found = []
    for values, fork in chunks(pair, arrays, rows=rows, seed=seed):
        weights = _log_weights(pair, values, seed=fork, **options).numpy()
        found.append(np.logaddexp.reduce(weights, axis=1) - math.log(num_chains))
    return np.concatenate(found)


def _temperatures(num_steps: int) -> NDArray[np.float64]:
    """Returns b_0 = 0 to b_num_steps = 1: slow at both ends, where a step changes most."""
    rise = 1 / (1 + np.exp(-STEEPNESS * np.linspace(-1, 1, num_steps + 1)))
    return (rise - rise[0]) / (rise[-1] - rise[0])


@tf.function(reduce_retracing=True, autograph=False)
@shaped(values="{name: [B, ...]}", temperatures="[T]", seed="[2]", returns="[B, C]")
def _log_weights(
    pair: Pair,
    values: dict[str, tf.Tensor],
    *,
    names: tuple[str, ...],
    chains: int,
    temperatures: Any,
    start: str,
    step_size: Any,
    seed: Any,
) -> tf.Tensor:
    """Returns float64 [B, chains]: the logarithms of the importance weights."""
    size = size_of(values)
    values = {name: tf.repeat(value, chains + PILOTS, axis=0) for name, value in values.items()}
    player = pair.decoder if start == "prior" else pair.encoder
    means, scales = _moments(player, values, names, chains + PILOTS, seed=seeds.fold(seed, 0))
    begin = [
        pair.families[name].distribution((mean / scale**2, scale**-2.0))
        for name, mean, scale in zip(names, means, scales, strict=True)
    ]

    def energies(*state: Any) -> tuple[Any, Any]:
        """Returns (log r(z), log p(x, z)) of every chain."""
        scores = pair.decoder.log_prob(values | dict(zip(names, state, strict=True)))
        if start == "prior":
            source = [scores[name] for name in names]
        else:
            source = [part.log_prob(z) for part, z in zip(begin, state, strict=True)]
        return sum(source), sum(scores.values())  # tf.add_n adds in an order that may change

    def turn(step: Any, total: Any, state: Any, width: Any) -> tuple[Any, ...]:
        low, high = temperatures[step], temperatures[step + 1]
        source, joint = energies(*state)
        total += _double(high - low) * (_double(joint) - _double(source))

        def annealed(*state: Any) -> Any:
            source, joint = energies(*state)
            return (1.0 - high) * source + high * joint

        kernel = tfp.mcmc.HamiltonianMonteCarlo(
            annealed,
            step_size=[_over(width, scale) * scale for scale in scales],
            num_leapfrog_steps=LEAPFROG_STEPS,
        )
        ready = kernel.bootstrap_results(state)
        state, results = kernel.one_step(state, ready, seed=seeds.fold(seed, 2, step))
        accepted = tf.exp(tf.minimum(results.log_accept_ratio, 0.0))
        accepted = tf.reduce_mean(tf.reshape(accepted, [size, -1])[:, chains:], axis=1)
        change = tf.where(accepted > ACCEPTANCE, FACTOR, 1.0 / FACTOR)
        return step + 1, total, state, width * tf.repeat(change, chains + PILOTS)

    if start == "prior":
        drawn = player.complete(values, seed=seeds.fold(seed, 1))
        state = [drawn[name] for name in names]
    else:
        state = [part.sample(seed=seeds.fold(seed, 1, i)) for i, part in enumerate(begin)]
    rows = tf.shape(state[0])[:1]
    begun = (tf.constant(0), tf.zeros(rows, tf.float64), state, tf.fill(rows, step_size))
    steps = tf.shape(temperatures)[0] - 1
    total = tf.while_loop(lambda step, *_: step < steps, turn, begun)[1]
    return tf.reshape(total, [size, -1])[:, :chains]


def _moments(
    player: Any, values: dict[str, Any], names: tuple[str, ...], chains: int, *, seed: Any
) -> tuple[list[Any], list[Any]]:
    """Returns means and standard deviations of a player's draws, lists of [B * chains, ...]."""
    rounds = math.ceil(DRAWS / chains)
    size = size_of(values) // chains
    families = [player.families[name] for name in names]
    zeros = [tf.zeros([size, *family.shape], tf.float64) for family in families]

    def mean(drawn: Any) -> Any:
        return tf.reduce_mean(tf.reshape(drawn, [-1, chains, *drawn.shape[1:]]), axis=1)

    def add(index: Any, means: Any, squares: Any) -> tuple[Any, Any, Any]:
        drawn = player.complete(values, seed=seeds.fold(seed, index))
        drawn = [_double(drawn[name]) for name in names]
        means = [old + mean(z) / rounds for old, z in zip(means, drawn, strict=True)]
        squares = [old + mean(z * z) / rounds for old, z in zip(squares, drawn, strict=True)]
        return index + 1, means, squares

    begun = (tf.constant(0), zeros, zeros)
    _, means, squares = tf.while_loop(lambda index, *_: index < rounds, add, begun)
    scales = [
        tf.sqrt(tf.maximum(square - mean**2, 0.0) + (LEAST * family.spread) ** 2)
        for mean, square, family in zip(means, squares, families, strict=True)
    ]
    return tf.nest.map_structure(
        lambda moment: tf.repeat(tf.cast(moment, tf.float32), chains, axis=0), (means, scales)
    )


def _over(width: Any, like: Any) -> Any:
    """Returns `width` [B] with as many axes as `like`."""
    return tf.reshape(width, [-1] + [1] * (like.shape.rank - 1))


def _double(tensor: Any) -> Any:
    return tf.cast(tensor, tf.float64)


def _check_latents(pair: Pair, arrays: Mapping[str, np.ndarray], *, asker: str) -> tuple[str, ...]:
    """Returns the names of the latents that the data do not hold."""
    names = tuple(name for name in pair.latent if name not in arrays)
    if not names:
        raise ValueError(
            f"The data hold every latent, {list(pair.latent)}: {asker} has nothing to draw. "
            "pair.decoder.log_prob scores them."
        )
    for name in names:
        if not isinstance(pair.families[name], Normal):
            raise ValueError(
                f"{asker} moves latents along gradients, so they are Normal; '{name}' is "
                f"{pair.families[name]!r}. Give its values with the data, or use log_likelihood."
            )
    return names
