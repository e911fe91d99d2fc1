"""f-GANs: a critic bounds an f-divergence between data and dreams, and the decoder lowers it."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch, size_of
from keras_symvae.learners import utilities
from keras_symvae.learners.adversarial import divergences
from keras_symvae.learners.adversarial.base import AdversarialLearner, drawn_prior
from keras_symvae.learners.adversarial.critic import Critic, check_reads
from keras_symvae.learners.adversarial.slope import slope_penalty
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair
from keras_symvae.model.requirements import DECODED, Densities, Gradients, IsPair, NoContext


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

    requirements = (IsPair(), Densities("encoder"), Gradients(of=DECODED), NoContext())

    def __init__(
        self,
        pair: Pair,
        *,
        divergence: str = "jensen_shannon",
        critic: Critic | None = None,
        divergence_weight: float = 1.0,
        non_saturating: bool = False,
        gradient_penalty: float = 0.0,
        **kwargs: Any,
    ) -> None:
        divergences.get(divergence)
        self.divergence = divergence
        self.divergence_weight = arguments.number("divergence_weight", divergence_weight, above=0)
        self.non_saturating = arguments.flag("non_saturating", non_saturating)
        self.gradient_penalty = arguments.number("gradient_penalty", gradient_penalty, least=0)

        def critics() -> dict[str, Critic]:
            check_reads(critic, pair.observed, asker="FGAN", why="it may read what data hold")
            return {"critic": critic or Critic(pair.observed)}

        super().__init__(pair, critics=critics, **kwargs)

    @property
    def cost_names(self) -> Sequence[str]:
        codes = [f"encoder/{name}" for name in self.pair.encoder.names]
        return ["decoder/divergence", *codes, "critic/loss"]

    def moves(self) -> Sequence[Move]:
        decoder, encoder = self.decoder_utility, self.encoder_utility
        return [Move(("decoder",), decoder), Move(("encoder",), encoder), *self.critic_moves()]

    def decoder_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The negative bound; the gradient flows through the dreams."""
        f = divergences.get(self.divergence)
        of_data, of_dreams = self._scores(batch, self._dreams(batch, seeds.fold(seed, 0)))
        bound = self.divergence_weight * f.bound(of_data, of_dreams)
        gain = -bound
        if self.non_saturating:
            gain = self.divergence_weight * tf.reduce_mean(f.activation(of_dreams))
        return Outcome(gain, {"decoder/divergence": bound})

    def encoder_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """L_q of the symmetric game."""
        return utilities.sleep(self.pair, batch, seed=seeds.fold(seed, 1), weights=utilities.TERMS)

    def critic_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The bound, less the penalty."""
        f, dreams = divergences.get(self.divergence), self._dreams(batch, seeds.fold(seed, 2))
        loss = -self.divergence_weight * f.bound(*self._scores(batch, dreams))
        if self.gradient_penalty:
            chosen = [{name: each[name] for name in self.critic.given} for each in (batch, dreams)]
            penalty = slope_penalty(self._height, *chosen, seed=seeds.fold(seed, 3))
            loss += self.gradient_penalty * penalty
        return Outcome(-loss, {"critic/loss": loss})

    def _dreams(self, batch, seed):
        prior = {}
        if self.pair.prior is not None:
            prior = drawn_prior(self.pair, batch, seed=seeds.fold(seed, 0))
        decoder, fork = self.pair.decoder, seeds.fold(seed, 1)
        return decoder.rcomplete(prior, seed=fork, size=size_of(batch))[0]

    def _scores(self, batch, dreams):
        return self.critic.score(batch), self.critic.score(dreams)

    def _height(self, values):
        """Returns d [B] of {name: [B, ...]}."""
        d = divergences.get(self.divergence).activation(self.critic.score(values))
        return self.divergence_weight * d
