"""Inference for one example: draws from its posterior, by sampling and by approximations."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import AVB, Critic, ImplicitFactor, Pair, Player, seeds
from scripts.experiments import training
from zoo.networks.mlp import MLP

JUDGED = 200  # batches behind the bound of an adversarial fit


@keras.saving.register_keras_serializable(package="scripts")
class Cloud(MLP):
    """Codes made of noise alone, bent from a Gaussian: z = mean + root e + network(e)."""

    def start(self, mean: np.ndarray, root: np.ndarray) -> None:
        """Sets mean [D] and root [noise, D], at least as much noise as codes, and no network."""
        last = self.layers[-1]
        last.set_weights([np.zeros(last.kernel.shape), mean])
        shortcut: Any = self.shortcut
        shortcut.kernel.assign(root)

    def moments(self, noise: Any) -> tuple:
        """Returns (mean, variance) [B, units], those of the batch."""
        z = self(noise)
        found = keras.ops.moments(z, axes=[0], keepdims=True)
        return tuple(keras.ops.broadcast_to(part, keras.ops.shape(z)) for part in found)


def log_joint(player: Player, x: Any) -> Callable[[Any], Any]:
    """Returns the function z [N, D] -> log p(x, z) [N] of one example x [1, ...]."""

    def function(z):
        repeated = tf.repeat(x, tf.shape(z)[0], axis=0)
        return sum(player.log_prob({"x": repeated, "z": z}).values())

    return function


def reference(
    player: Player, x: np.ndarray, *, chains: int, draws: int, warmup: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns (draws of z [draws, chains, D], R-hat [D]) by the No-U-Turn sampler.

    Args:
        player: the decoder of one latent, z, of one axis, and x.
        x: one example [1, ...].
        chains: independent ones, from draws of the prior.
        draws: per chain, behind those of the warm-up.
        warmup: draws that settle the step size.
        seed: integer.

    References: Hoffman, Gelman 2014, The No-U-Turn Sampler; Gelman, Rubin 1992, Inference from
        Iterative Simulation Using Multiple Sequences.
    """
    fork = seeds.make(seed)
    start = player.complete({}, size=chains, seed=seeds.fold(fork, 0))["z"]
    z = _sampled(player, tf.constant(x), start, seeds.fold(fork, 1), draws=draws, warmup=warmup)
    return z.numpy(), tfp.mcmc.potential_scale_reduction(z).numpy()


@tf.function(jit_compile=True)
def _sampled(player, x, start, seed, *, draws, warmup):
    kernel = tfp.mcmc.DualAveragingStepSizeAdaptation(
        tfp.mcmc.NoUTurnSampler(log_joint(player, x), step_size=0.3, max_tree_depth=7),
        num_adaptation_steps=int(0.8 * warmup),
        target_accept_prob=0.85,
    )
    return tfp.mcmc.sample_chain(
        draws, start, kernel=kernel, num_burnin_steps=warmup, trace_fn=None, seed=seed
    )


def gaussian_fit(
    player: Player,
    x: np.ndarray,
    *,
    full_rank: bool,
    noise: int,
    starts: int,
    draws: int,
    seed: int,
) -> tuple[np.ndarray, float]:
    """Returns (draws of z [draws, D], ELBO in nats) of the Gaussian nearest to the posterior.

        max  E_e log p(x, m + L e) + sum_i log L_ii + D/2 log(2 pi e),    e ~ N(0, 1)

    With the same noise e, made to have mean 0 and covariance 1, in every step it is an ordinary
    function of m and L, which L-BFGS climbs; a posterior that is Gaussian is so found exactly.

    Args:
        player, x, seed: see `reference`.
        full_rank: L is triangular rather than diagonal.
        noise: number of e.
        starts: number of m to start from, drawn from the prior; the highest summit counts.
        draws: number of draws.

    Reference: Kucukelbir et al. 2017, Automatic Differentiation Variational Inference.
    """
    rng, size = np.random.default_rng(seed), player.families["z"].size
    e = rng.normal(size=(noise, size))
    e -= e.mean(0)
    e = np.linalg.solve(np.linalg.cholesky(np.cov(e.T, bias=True)), e.T).T
    target, indices = log_joint(player, x), np.tril_indices(size, -1 if full_rank else -size)

    def root(scales, slopes):
        below = tf.scatter_nd(np.stack(indices, axis=1), slopes, [size, size])
        return tf.linalg.diag(tf.exp(scales)) + below

    @tf.function
    def climb(parameters, e):
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            mean, scales, slopes = tf.split(parameters, [size, size, len(indices[0])])
            z = mean + tf.matmul(e, root(scales, slopes), transpose_b=True)
            elbo = tf.reduce_mean(target(z)) + tf.reduce_sum(scales)
            elbo += 0.5 * size * (1.0 + np.log(2.0 * np.pi))
        return elbo, tape.gradient(elbo, parameters)

    def cost(parameters, e):
        found = climb(tf.constant(parameters, tf.float32), tf.constant(e, tf.float32))
        return tuple(-np.float64(part) for part in found)

    summits = []
    for _ in range(starts):
        start = np.zeros(2 * size + len(indices[0]))
        start[:size], start[size : 2 * size] = rng.normal(size=size), -1.0
        summits.append(scipy.optimize.minimize(cost, start, (e,), jac=True, method="L-BFGS-B"))
    best = min(summits, key=lambda summit: summit.fun).x
    fresh = rng.normal(size=(draws, size))
    matrix = root(best[size : 2 * size], best[2 * size :]).numpy()
    return (best[:size] + fresh @ matrix.T).astype("float32"), -cost(best, fresh)[0]


def adversarial_fit(
    player: Player,
    x: np.ndarray,
    *,
    start: np.ndarray,
    adaptive_contrast: bool,
    widths: Sequence[int],
    critic_widths: Sequence[int],
    critic_steps: int,
    rate: float,
    critic_rate: float,
    warmup: int,
    steps: int,
    batch_size: int,
    draws: int,
    seed: int,
) -> tuple[np.ndarray, float]:
    """Returns (draws of z [draws, D], ELBO in nats): q is what a network makes of noise, see `AVB`.

    The ELBO is what the critic takes it for, so that it may be too high.

    Args:
        player, x, draws: see `reference`; the player has no weights to train.
        start: draws [N, D]; q starts as the Gaussian with their moments.
        adaptive_contrast, critic_steps, seed: see `AVB`.
        widths: of the hidden layers of the network.
        critic_widths: of those of the critic.
        rate: of Adam of the encoder; it falls along a cosine.
        critic_rate: of Adam of the critic.
        warmup: number of first updates in which the encoder's rate rises from 0.
        steps: number of updates.
        batch_size: number of codes per update.

    Reference: Mescheder, Nowozin, Geiger 2017, Adversarial Variational Bayes.
    """
    size = player.families["z"].size

    def make() -> AVB:
        network = Cloud(widths, size, activation="elu", skip=True)
        factor = ImplicitFactor("z", network=network, noise_shape=size)
        learner = AVB(
            Pair(player, Player([factor], families=player.families, name="encoder")),
            critic=Critic("z", widths=critic_widths, offset=() if adaptive_contrast else "z"),
            adaptive_contrast=adaptive_contrast,
            critic_steps=critic_steps,
            seed=seed,
        )
        network.start(start.mean(0), np.linalg.cholesky(np.cov(start.T)).T)
        return learner

    # While the encoder comes to rest the critic goes on, and catches up with it.
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=rate, warmup_steps=warmup
    )
    optimizer = {
        "encoder": keras.optimizers.Adam(schedule, beta_1=0.5),
        "critic": keras.optimizers.Adam(critic_rate, beta_1=0.5),
    }
    learner = training.compiled(make, optimizer=optimizer, seed=seed, group=10)
    batches = tf.data.Dataset.from_tensors({"x": np.repeat(x, batch_size, axis=0)}).repeat()
    training.fit(learner, batches, steps=steps)
    judged = learner.evaluate(batches.take(JUDGED), verbose=0, return_dict=True)
    z = learner.pair.encode(np.repeat(x, draws, axis=0), seed=seed)["z"]
    return z, -judged["loss"]
