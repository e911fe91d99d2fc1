"""Symmetric equilibrium learning: each player ascends its own log-density."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.batch import Batch
from keras_symvae.learners import utilities
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair
from keras_symvae.model.requirements import Densities, IsPair


@register("symmetric")
class SymmetricEquilibrium(Learner):
    """The symmetric game of Flach, Schlesinger, Shekhovtsov (AISTATS 2024).

        decoder maximises  L_p = E_{data(x) q(z|x)} log p(x, z)
        encoder maximises  L_q = E_{p(x, z)}        log q(z | x)

    Samples are constants, so that latents need no reparametrisation and the prior no density.
    Costs: "decoder/v" is -log p(v | ...) on data that the encoder completed, "encoder/v" is
    -log q(v | ...) on dreams.

    Data may hold latents too, in some examples or all (a label -1, a real value NaN is missing);
    with y for those that an example holds and z for the others, this is semi-supervised learning:

        L_p = w E_{data(x,y) q(z|x,y)} log p(x, y, z) + w' E_{data(x) q(z|x)} log p(x, z)
              + w'' E_{data(y)} log p(y)
        L_q = v E_{data(x,y)} log q(y | x) + v' E_{p(x, z)} log q(z | x)

    Each expectation is the mean over the examples of a batch that have it. An example whose x is
    missing starts its dream from the latents it holds, all others dream freely. "encoder/v/paired"
    is -log q(v | ...) on data; a factor is scored there if all it reads is observed.

    Args:
        weights: {term: weight} of "decoder/paired" (w), "decoder/observed" (w'), "decoder/latent"
            (w''), "encoder/paired" (v) and "encoder/dreams" (v'); 1 where none is given.
        information: {latent: weight}: the encoder also maximises what this latent says about
            observed data, see `utilities.information`. With few labels it keeps the classes of
            the others apart and of like shares.
        others: see `Learner`.
    """

    requirements = (IsPair(), Densities())
    kept: ClassVar = {"weights": lambda learner: learner.weights_of_terms}

    def __init__(
        self,
        pair: Pair,
        *,
        weights: Mapping[str, float] | None = None,
        information: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pair, **kwargs)
        self.weights_of_terms = utilities.checked_terms(weights)
        self.information = utilities.checked_information(pair, information)
        self.optional_cost_names = tuple(f"encoder/{name}/paired" for name in pair.encoder.names)
        self.may_lack = tuple(pair.families)

    @property
    def cost_names(self) -> Sequence[str]:
        return [f"{name}/{v}" for name, player in self.pair.players.items() for v in player.names]

    def moves(self) -> Sequence[Move]:
        decoder, encoder = self.decoder_utility, self.encoder_utility
        return [Move(("decoder",), decoder), Move(("encoder",), encoder)]

    def decoder_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """L_p: how well the decoder explains data that the encoder completed."""
        return utilities.wake(
            self.pair, batch, seed=seeds.fold(seed, 0), weights=self.weights_of_terms
        )

    def encoder_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """L_q: how well the encoder recovers the latents of the decoder's dreams."""
        weights = self.weights_of_terms
        dreamt = utilities.sleep(self.pair, batch, seed=seeds.fold(seed, 1), weights=weights)
        known = utilities.labels(self.pair, batch, weights=weights)
        told = utilities.information(self.pair, batch, weights=self.information)
        return dreamt.plus(known).plus(told)
