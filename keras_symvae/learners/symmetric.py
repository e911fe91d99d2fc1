"""Symmetric equilibrium learning: each player ascends its own log-density."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.batch import Batch
from keras_symvae.learners import utilities
from keras_symvae.learners.completion import Completion
from keras_symvae.learners.game import SymmetricGame
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.learners.step.moves import Move, Opening
from keras_symvae.model.pair import Pair
from keras_symvae.model.reading import Reading
from keras_symvae.model.requirements import Densities, IsPair


@register("symmetric")
class SymmetricEquilibrium(SymmetricGame):
    """The symmetric game of Flach, Schlesinger, Shekhovtsov (AISTATS 2024), with resampled codes.

        z_1 .. z_K ~ q(z | x),    w_k = p(x, z_k) / q(z_k | x),    z* = z_k with P = w_k / sum_j w_j

        decoder maximises  L_p = E_{data(x)} E_{z*} log p(x, z*)
        encoder maximises  L_q = (1 - a) E_{p(x, z)} log q(z | x)
                                 + a E_{data(x)} E_{z*} log q(z* | x)

    Samples and weights are constants, so that latents need no reparametrisation. With K = 1 and
    a = 0 this is the game of the paper, in which z* is a draw of q and the prior needs no density.
    There the encoder learns from dreams alone, and data that no dream is like get arbitrary codes;
    with K > 1 a code is taken by what it explains. A pair with q(z | x) = p(z | x) on its own data
    is an equilibrium for every K and a.

    Costs: "decoder/v" is -log p(v | ...) on data with the codes that were taken, "encoder/v" is
    -log q(v | ...) on dreams, "encoder/v/wake" on the codes that were taken. With K > 1 there are
    the measures "ess", the effective sample size of the K draws, (sum w)^2 / sum w^2 from 1 to K,
    "iw_bound", log 1/K sum_k w_k in nats, and "degenerate", the share of examples none of whose
    weights is finite.

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
        draws, wake, remember, near, resampling, window: K, a, and how codes are proposed and taken,
            see `SymmetricGame`.
        others: see `Learner`.

    Relatives: reweighted wake-sleep (Bornschein and Bengio 2015), the importance weighted
    autoencoder (Burda et al. 2016), joint stochastic approximation (Ou and Song 2020).
    """

    requirements = (IsPair(), Densities())

    def __init__(
        self, pair: Pair, *, information: Mapping[str, float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(pair, **kwargs)
        self.information = utilities.checked_information(pair, information)

    @property
    def _pairs(self) -> dict[str, Pair]:
        return {"pair": self.pair}

    def moves(self) -> Sequence[Move]:
        decoder, encoder = self.decoder_utility, self.encoder_utility
        opening = Opening(self._codes["pair"].read, self._completed)
        return [
            Move(("decoder",), decoder, opening=opening),
            Move(("encoder",), encoder, opening=opening),
        ]

    def decoder_utility(
        self, batch: Batch | Completion, seed: tf.Tensor, training: bool = True
    ) -> Outcome:
        """L_p: how well the decoder explains data with the codes that were taken."""
        completion = self._opened(batch, seed)
        return utilities.wake(self.pair, completion, weights=self.weights_of_terms)

    def encoder_utility(
        self, batch: Batch | Completion, seed: tf.Tensor, training: bool = True
    ) -> Outcome:
        """L_q: how well the encoder recovers latents of dreams, and the codes taken for data."""
        completion = self._opened(batch, seed)
        learnt = self._learnt(self.pair, completion, seed=seeds.fold(seed, 1))
        told = utilities.information(self.pair, completion.batch, weights=self.information)
        return learnt.plus(told)

    def _completed(self, batch: Batch, reading: Reading | None, seed: tf.Tensor) -> Completion:
        return self._codes["pair"].complete(batch, reading, seed=seeds.fold(seed, 0))

    def _opened(self, batch: Batch | Completion, seed: tf.Tensor) -> Completion:
        return self._codes["pair"].of(batch, seed=seeds.fold(seed, 0))
