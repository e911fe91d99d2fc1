"""Adversarial variational Bayes: a critic takes the place of the encoder's density."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch
from keras_symvae.families import Normal
from keras_symvae.learners.adversarial.base import AdversarialLearner, contrasted, drawn_prior
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.requirements import (
    Densities,
    FixedPrior,
    Gradients,
    IsPair,
    RealCodes,
)

JITTER = 1e-4  # of variances, so that a code that no longer varies can still be normalised


@register("avb")
class AVB(AdversarialLearner):
    """The ELBO for encoders that can only be sampled.

        p, q maximise  E_{data(x) q(z|x)} [ log p(x | z) - T(x, z) ]
        T maximises    E_{data(x) q(z|x)} log s(T(x, z)) + E_{data(x) p(z)} log s(-T(x, z))

    with s(t) = 1 / (1 + exp(-t)). The best critic is T* = log q(z | x) - log p(z), whose own
    gradient has mean zero, so that T is fixed while p and q move. With adaptive contrast the
    critic tells normalised codes from standard normal noise,

        KL(q || p) ~ E_q [ T(x, (z - mu) / sigma) + log r(z | x) - log p(z) ],
        r(z | x) = N(mu(x), sigma(x)^2),  the mean and the variance of q(z | x), as constants.

    Costs: "decoder/v" is -log p(v | z), "encoder/kl" an estimate of KL(q(z|x) || p(z)), "critic/kl"
    the logistic loss of T; "loss" is the estimate of the negative ELBO.

    Args:
        pair: the `Pair`; draws of its latents need a gradient, the encoder needs no density, the
            prior neither, but with adaptive contrast its latents are real numbers with a density.
        critic: the `Critic` of all variables. None: one with two hidden layers.
        adaptive_contrast: see above.
        moment_draws: codes per example that estimate mu and sigma, where the encoder is neither
            one density nor a network that tells them (see `ImplicitFactor`). The critic does not
            see the errors of these n draws, so that the KL term comes out too small, by about
            1 / n nats per number.
        kl_weight: weight of the KL term in the utility.
        others: see `AdversarialLearner`.

    Reference: Mescheder, Nowozin, Geiger, Adversarial Variational Bayes, ICML 2017.
    """

    requirements = (
        IsPair(),
        Densities("decoder"),
        Gradients(),
        FixedPrior("take adaptive_contrast=True, or a prior without weights"),
    )

    def __init__(
        self,
        pair: Pair,
        *,
        critic: Critic | None = None,
        adaptive_contrast: bool = False,
        moment_draws: int = 8,
        kl_weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        self.adaptive_contrast = arguments.flag("adaptive_contrast", adaptive_contrast)
        self.moment_draws = arguments.integer("moment_draws", moment_draws, least=2)
        self.kl_weight = arguments.number("kl_weight", kl_weight, least=0)
        if adaptive_contrast:
            self.requirements = (IsPair(), Densities("decoder"), Gradients(), RealCodes())

        def critics() -> dict[str, Critic]:
            return {"critic": _critic(pair) if critic is None else critic}

        super().__init__(pair, critics=critics, **kwargs)

    @property
    def cost_names(self) -> Sequence[str]:
        return [*(f"decoder/{name}" for name in self.pair.observed), "encoder/kl", "critic/kl"]

    def moves(self) -> Sequence[Move]:
        return [Move(("decoder", "encoder"), self.utility), *self.critic_moves()]

    def utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The bound, whose gradient flows through the encoder's draws."""
        completed, _ = self.pair.encoder.rcomplete(batch, seed=seed)
        log_probs = self.pair.decoder.log_prob(completed)
        found = self._moments(batch, seed)
        kl = self.critic(self._reads(completed, found))
        if self.adaptive_contrast:
            log_r = total(_log_normal(completed[name], *found[name]) for name in found)
            kl += log_r - total(log_probs[name] for name in self.pair.latent)
        costs = {f"decoder/{name}": -log_probs[name] for name in self.pair.observed}
        gain = -total(costs.values()) - self.kl_weight * kl
        return Outcome(gain, {**costs, "encoder/kl": kl})

    def critic_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The logistic regression between codes of the encoder and the contrast."""
        codes = self.pair.encoder.complete(batch, seed=seeds.fold(seed, 1))
        if self.adaptive_contrast:
            contrast = {
                name: tf.random.stateless_normal(tf.shape(codes[name]), seeds.fold(seed, 2, index))
                for index, name in enumerate(self.pair.latent)
            }
        else:
            contrast = self._features(drawn_prior(self.pair, batch, seed=seeds.fold(seed, 2)))
        true = self._reads(codes, self._moments(batch, seeds.fold(seed, 1)))
        loss = contrasted(self.critic(true), self.critic({**true, **contrast}))
        return Outcome(-loss, {"critic/kl": loss})

    def _reads(self, completed, found):
        """Returns what the critic reads: features, and codes normalised by the moments `found`."""
        reads = self._features(completed)
        for name, (mean, variance) in found.items():
            reads[name] = (completed[name] - mean) * tf.math.rsqrt(variance)
        return reads

    def _features(self, values):
        return {name: self.pair.families[name].features(value) for name, value in values.items()}

    def _moments(self, batch, seed):
        """Returns {latent: (mean, variance)} of q(z | x), [B, ...] each, constants; {} if plain."""
        if not self.adaptive_contrast:
            return {}
        found = moments(self.pair.encoder, batch, seed=seed, draws=self.moment_draws)
        return {
            name: (tf.stop_gradient(mean), tf.stop_gradient(variance) + JITTER)
            for name, (mean, variance) in found.items()
        }


def moments(
    encoder: Player, batch: Batch, *, seed: tf.Tensor, draws: int
) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
    """Returns {latent: (mean, variance)}, [B, ...] each, of what an encoder draws from a batch.

    Those of one density, or of one implicit factor whose network tells them, with the noise of
    `complete` of the same seed; else those of `draws` completions.
    """
    if len(encoder.names) == 1:
        (name,) = encoder.names
        found = encoder.moments(name, batch, seed=seed)
        if found is not None:
            return {name: found}
    repeated = {name: tf.repeat(value, draws, axis=0) for name, value in batch.items()}
    completed = encoder.complete(repeated, seed=seeds.fold(seed, 1))
    found = {}
    for name in encoder.names:
        each = tf.reshape(completed[name], [-1, draws, *encoder.families[name].shape])
        found[name] = tf.nn.moments(each, axes=[1])
    return found


def _critic(pair: Pair) -> Critic:
    """Returns the critic of a pair that was given none."""
    plain = pair.prior is None and all(isinstance(pair.families[z], Normal) for z in pair.latent)
    return Critic(tuple(pair.families), offset=pair.latent if plain else ())


def _log_normal(value, mean, variance):
    """Returns log N(value; mean, variance) [B], nats."""
    squares = (value - mean) ** 2 / variance + tf.math.log(2.0 * math.pi * variance)
    return -0.5 * tf.reduce_sum(tf.reshape(squares, [tf.shape(value)[0], -1]), axis=1)
