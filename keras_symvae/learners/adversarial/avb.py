"""Adversarial variational Bayes: a critic takes the place of the encoder's density."""

import math

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.families import Normal
from keras_symvae.learners.adversarial.base import (
    AdversarialLearner,
    contrasted,
    drawn_prior,
    require_gradients,
)
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total

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

    def __init__(
        self,
        pair,
        *,
        critic=None,
        adaptive_contrast=False,
        moment_draws=8,
        kl_weight=1.0,
        **kwargs,
    ):
        _check(pair, adaptive_contrast=adaptive_contrast)
        if moment_draws < 2:
            raise ValueError(f"moment_draws is at least 2; received {moment_draws!r}.")
        if critic is None:
            plain = pair.prior is None and all(_is_real(pair, name) for name in pair.latent)
            critic = Critic(pair.families, offset=pair.latent if plain else ())
        self.adaptive_contrast, self.moment_draws = adaptive_contrast, moment_draws
        self.kl_weight = kl_weight
        super().__init__(pair, critics={"critic": critic}, **kwargs)

    @property
    def cost_names(self):
        return [*(f"decoder/{name}" for name in self.pair.observed), "encoder/kl", "critic/kl"]

    def moves(self):
        return [(("decoder", "encoder"), self.utility), *self.critic_moves()]

    def utility(self, values, seed, training=True):
        """The bound, whose gradient flows through the encoder's draws."""
        del training
        completed, _ = self.pair.encoder.rcomplete(values, seed=seed)
        log_probs = self.pair.decoder.log_prob(completed)
        found = self._moments(values, seed)
        kl = self.critic(self._reads(completed, found))
        if self.adaptive_contrast:
            log_r = total(_log_normal(completed[name], *found[name]) for name in found)
            kl += log_r - total(log_probs[name] for name in self.pair.latent)
        costs = {f"decoder/{name}": -log_probs[name] for name in self.pair.observed}
        gain = -total(costs.values()) - self.kl_weight * kl
        return Outcome(gain, {**costs, "encoder/kl": kl})

    def critic_utility(self, values, seed, training=True):
        """The logistic regression between codes of the encoder and the contrast."""
        del training
        codes = self.pair.encoder.complete(values, seed=seeds.fold(seed, 1))
        if self.adaptive_contrast:
            contrast = {
                name: tf.random.stateless_normal(tf.shape(codes[name]), seeds.fold(seed, 2, index))
                for index, name in enumerate(self.pair.latent)
            }
        else:
            contrast = self._features(drawn_prior(self.pair, values, seed=seeds.fold(seed, 2)))
        true = self._reads(codes, self._moments(values, seeds.fold(seed, 1)))
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

    def _moments(self, values, seed):
        """Returns {latent: (mean, variance)} of q(z | x), [B, ...] each, constants; {} if plain."""
        if not self.adaptive_contrast:
            return {}
        found = moments(self.pair.encoder, values, seed=seed, draws=self.moment_draws)
        return {
            name: (tf.stop_gradient(mean), tf.stop_gradient(variance) + JITTER)
            for name, (mean, variance) in found.items()
        }

    def get_config(self):
        return {
            **super().get_config(),
            "adaptive_contrast": self.adaptive_contrast,
            "moment_draws": self.moment_draws,
            "kl_weight": self.kl_weight,
        }


def moments(encoder, values, *, seed, draws):
    """Returns {latent: (mean, variance)}, [B, ...] each, of what an encoder draws from `values`.

    Those of one density, or of one implicit factor whose network tells them, with the noise of
    `complete` of the same seed; else those of `draws` completions.
    """
    first = encoder.factors[0]
    if len(encoder.factors) == 1:
        reads = {name: encoder.families[name].features(value) for name, value in values.items()}
        if encoder.trunk is not None:
            reads |= encoder.trunk.activations(reads)
        size = tf.shape(next(iter(values.values())))[0]
        if first.has_density:
            q = encoder.families[first.name].distribution(encoder.natural(first.name, reads, size))
            return {first.name: (q.mean(), q.variance())}
        found = first.moments(reads, size, seeds.fold(seed, 0))
        if found is not None:
            return {first.name: found}
    repeated = {name: tf.repeat(value, draws, axis=0) for name, value in values.items()}
    completed = encoder.complete(repeated, seed=seeds.fold(seed, 1))
    found = {}
    for name in encoder.names:
        each = tf.reshape(completed[name], [-1, draws, *encoder.families[name].shape])
        found[name] = tf.nn.moments(each, axes=[1])
    return found


def _check(pair, *, adaptive_contrast):
    """Refuses a pair that cannot play."""
    pair.decoder.require_density("AVB")
    require_gradients(pair, pair.latent, "AVB")
    for name in pair.latent:
        learned = name in pair.decoder.names and pair.decoder.factor(name).trainable_variables
        if learned and not adaptive_contrast:
            raise ValueError(
                f"The critic of AVB stands for the prior and cannot teach it, but p({name} | ...) "
                "has weights; take adaptive_contrast=True, or a prior without weights."
            )
        if adaptive_contrast and (pair.prior is not None or not _is_real(pair, name)):
            raise ValueError(
                "Adaptive contrast needs log p(z) of real numbers, but "
                + ("the prior is known only by samples" if pair.prior else f"'{name}' are none")
                + "; leave out adaptive_contrast."
            )


def _is_real(pair, name):
    return isinstance(pair.families[name], Normal)


def _log_normal(value, mean, variance):
    """Returns log N(value; mean, variance) [B], nats."""
    squares = (value - mean) ** 2 / variance + tf.math.log(2.0 * math.pi * variance)
    return -0.5 * tf.reduce_sum(tf.reshape(squares, [tf.shape(value)[0], -1]), axis=1)
