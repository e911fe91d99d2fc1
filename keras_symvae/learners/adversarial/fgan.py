"""f-GANs: a critic bounds an f-divergence between data and dreams, and the decoder lowers it."""

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.learners.adversarial import divergences
from keras_symvae.learners.adversarial.base import (
    AdversarialLearner,
    drawn_prior,
    require_gradients,
    require_no_context,
)
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.learners.symmetric import WEIGHTS, recovered


@register("fgan")
class FGAN(AdversarialLearner):
    """Minimises an f-divergence by its variational bound.

        critic maximises    E_data d(x) - E_p(x) (w f)*(d(x)),   d = w g_f(T)    <= w D_f(data, p)
        decoder minimises   the same bound,          or maximises E_p(x) d(x)    (non_saturating)
        encoder maximises   E_{p(x,z)} log q(z|x),   as in the symmetric game

    The penalty keeps d near 1-Lipschitz functions, as the link to autoencoders asks for: it is the
    mean of max(0, |grad d| - 1)^2 between data and dreams.

    Costs: "decoder/divergence" is the bound, "encoder/z" is -log q(z | ...) on dreams,
    "critic/loss" the negative bound with the penalty.

    Args:
        pair: the `Pair`; the decoder's draws need gradients and no density, the encoder one.
        divergence: a name of `divergences.DIVERGENCES`.
        critic: the `Critic` of the observed variables. None: one with two hidden layers.
        divergence_weight: w.
        non_saturating: see above; where the critic is nearly certain it teaches faster, but it
            minimises the divergence only if the decoder can reach the data.
        gradient_penalty: weight of the penalty.
        others: see `AdversarialLearner`.

    Reference: Nowozin, Cseke, Tomioka, f-GAN, NIPS 2016; the penalty is the one-sided one of
    Gulrajani et al. 2017; the weight w that of Husain, Nock, Williamson, NeurIPS 2019.
    """

    def __init__(
        self,
        pair,
        *,
        divergence="jensen_shannon",
        critic=None,
        divergence_weight=1.0,
        non_saturating=False,
        gradient_penalty=0.0,
        **kwargs,
    ):
        divergences.get(divergence)
        pair.encoder.require_density("FGAN")
        require_gradients(pair, pair.decoder.names, "FGAN")
        require_no_context(pair, "FGAN")
        stray = [name for name in (critic.given if critic else ()) if name not in pair.observed]
        if stray:
            raise ValueError(
                f"The critic of FGAN reads {stray}; it may read what data hold, {pair.observed}."
            )
        if not 0 < divergence_weight < float("inf") or not 0 <= gradient_penalty < float("inf"):
            raise ValueError(
                "divergence_weight is above 0, gradient_penalty at least 0; received "
                f"{divergence_weight!r}, {gradient_penalty!r}."
            )
        self.divergence, self.divergence_weight = divergence, divergence_weight
        self.non_saturating, self.gradient_penalty = non_saturating, gradient_penalty
        super().__init__(pair, critics={"critic": critic or Critic(pair.observed)}, **kwargs)

    @property
    def cost_names(self):
        codes = [f"encoder/{name}" for name in self.pair.encoder.names]
        return ["decoder/divergence", *codes, "critic/loss"]

    def moves(self):
        decoder, encoder = self.decoder_utility, self.encoder_utility
        return [(("decoder",), decoder), (("encoder",), encoder), *self.critic_moves()]

    def decoder_utility(self, values, seed, training=True):
        """The negative bound; the gradient flows through the dreams."""
        del training
        f = divergences.get(self.divergence)
        of_data, of_dreams = self._scores(values, self._dreams(values, seeds.fold(seed, 0)))
        bound = self.divergence_weight * f.bound(of_data, of_dreams)
        gain = -bound
        if self.non_saturating:
            gain = self.divergence_weight * tf.reduce_mean(f.activation(of_dreams))
        return Outcome(gain, {"decoder/divergence": bound})

    def encoder_utility(self, values, seed, training=True):
        """L_q of the symmetric game."""
        del training
        return recovered(self.pair, values, seed=seeds.fold(seed, 1), weights=WEIGHTS)

    def critic_utility(self, values, seed, training=True):
        """The bound, less the penalty."""
        del training
        f, dreams = divergences.get(self.divergence), self._dreams(values, seeds.fold(seed, 2))
        loss = -self.divergence_weight * f.bound(*self._scores(values, dreams))
        if self.gradient_penalty:
            loss += self.gradient_penalty * self._steepness(values, dreams, seeds.fold(seed, 3))
        return Outcome(-loss, {"critic/loss": loss})

    def _dreams(self, values, seed):
        size = tf.shape(next(iter(values.values())))[0]
        prior = {}
        if self.pair.prior is not None:
            prior = drawn_prior(self.pair, values, seed=seeds.fold(seed, 0))
        return self.pair.decoder.rcomplete(prior, seed=seeds.fold(seed, 1), size=size)[0]

    def _scores(self, values, dreams):
        return self.critic.score(values), self.critic.score(dreams)

    def _steepness(self, values, dreams, seed):
        """The mean of max(0, |grad d| - 1)^2 at random points between data and dreams."""
        f, between = divergences.get(self.divergence), {}
        size = tf.shape(next(iter(values.values())))[0]
        share = tf.random.stateless_uniform(tf.stack([size]), seed)
        for name in self.critic.given:
            x, y = tf.cast(values[name], tf.float32), tf.cast(dreams[name], tf.float32)
            part = tf.reshape(share, [-1] + [1] * (x.shape.rank - 1))
            between[name] = part * x + (1.0 - part) * y
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            d = self.divergence_weight * f.activation(self.critic.score(between))
        squares = total(
            tf.reduce_sum(tf.reshape(tf.convert_to_tensor(slope), [size, -1]) ** 2, axis=1)
            for slope in tape.gradient(d, list(between.values()))
        )
        return tf.reduce_mean(tf.nn.relu(tf.sqrt(squares + 1e-12) - 1.0) ** 2)

    def get_config(self):
        return {
            **super().get_config(),
            "divergence": self.divergence,
            "divergence_weight": self.divergence_weight,
            "non_saturating": self.non_saturating,
            "gradient_penalty": self.gradient_penalty,
        }
