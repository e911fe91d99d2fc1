"""Cooperative learning: several pairs that see different data teach one another."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch
from keras_symvae.learners import utilities
from keras_symvae.learners.completion import Completion
from keras_symvae.learners.game import SymmetricGame
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.learners.step.moves import Move, Opening
from keras_symvae.model.pair import Pair
from keras_symvae.model.reading import Reading
from keras_symvae.model.requirements import Densities, IsTeam
from keras_symvae.model.team import Team

Mixing = dict[str, dict[str, float]]
Batches = Mapping[str, Any]  # {member: Batch}; of the member that moves a Completion


@register("cooperative")
class Cooperative(SymmetricGame):
    """The game of several models of Schlesinger & Flach (FLICS 2025).

        model i maximises  L_i = a_ii E_{data_i} log p_i + sum_{j != i} a_ij E_{p_j} log p_i

    where every expectation of log p_i stands for the two utilities of the symmetric game, played
    by decoder i and encoder i on that data. Samples of p_j are constants; they hold the variables
    that i and j share, latents included, and start from j's context in the data. Members that
    share no latent cannot teach this encoder; their weight goes to its own dreams.

    Costs are those of `SymmetricEquilibrium` on every member's own data, "member/decoder/x".

    Args:
        pair: the `Team`.
        mixing: the matrix a [M, M] in the order of the members, whose rows sum to 1; or one
            number, the share a_ii of everyone's own data, the rest falls to the others alike.
        weights, draws, wake, remember, near, resampling, window: of every member's symmetric game,
            see `SymmetricGame`.
        others: see `Learner`.

    Reference: Schlesinger, Flach, Game-theoretic distributed learning of generative models for
    heterogeneous data collections, FLICS 2025, arXiv 2511.01740.
    """

    requirements = (IsTeam(), Densities())
    kept: ClassVar = SymmetricGame.kept | {
        "mixing": lambda learner: [list(row.values()) for row in learner.mixing.values()],
    }

    def __init__(self, pair: Team, *, mixing: Any, **kwargs: Any) -> None:
        super().__init__(pair, **kwargs)
        self.mixing = _matrix(mixing, list(pair.members))

    @property
    def _pairs(self) -> dict[str, Pair]:
        return self.pair.members

    def moves(self) -> Sequence[Move]:
        games = {"decoder": self.decoder_utility, "encoder": self.encoder_utility}
        moves = []
        for member in self.pair.members:
            read = functools.partial(self._read, member)
            opening = Opening(read, functools.partial(self._completed, member))
            for player, game in games.items():
                utility = functools.partial(game, member)
                moves.append(Move((f"{member}/{player}",), utility, opening=opening))
        return moves

    def decoder_utility(
        self, member: str, batches: Batches, seed: tf.Tensor, training: bool = True
    ) -> Outcome:
        """The mixture of L_p over the member's own data and the others' samples."""
        pair, shares, weights = self.pair[member], self.mixing[member], self.weights_of_terms
        completion = self._opened(member, batches, seed)
        own = utilities.wake(pair, completion, weights=weights)
        gain = shares[member] * own.gain
        lessons = self._lessons(member, shares, batches, seed=seeds.fold(seed, 1))
        for index, (share, taught) in enumerate(lessons):
            taken = self._codes[member].of(taught, seed=seeds.fold(seed, 2, index))
            gain += share * _mean(utilities.wake(pair, taken, weights=weights))
        return own._replace(gain=gain).named(member)

    def encoder_utility(
        self, member: str, batches: Batches, seed: tf.Tensor, training: bool = True
    ) -> Outcome:
        """The mixture of L_q over the member's own dreams and data and the others' samples."""
        pair, shares, weights = self.pair[member], self.mixing[member], self.weights_of_terms
        completion = self._opened(member, batches, seed)
        own = self._learnt(pair, completion, seed=seeds.fold(seed, 3))
        told = {
            other: share
            for other, share in shares.items()
            if set(pair.latent) & self.pair[other].families.keys()
        }
        gain = (1.0 - sum(told.values()) + told[member]) * own.gain
        for share, taught in self._lessons(member, told, batches, seed=seeds.fold(seed, 1)):
            gain += share * _mean(utilities.labels(pair, taught, weights=weights))
        return own._replace(gain=gain).named(member)

    def _read(self, member: str, batches: Batches) -> Reading | None:
        return self._codes[member].read(batches[member])

    def _completed(
        self, member: str, batches: Batches, reading: Reading | None, seed: tf.Tensor
    ) -> Batches:
        """Returns the batches with the `Completion` of one member in place of its batch."""
        codes, seed = self._codes[member], seeds.fold(seed, 0)
        return {**batches, member: codes.complete(batches[member], reading, seed=seed)}

    def _opened(self, member: str, batches: Batches, seed: tf.Tensor) -> Completion:
        return self._codes[member].of(batches[member], seed=seeds.fold(seed, 0))

    def _lessons(
        self,
        member: str,
        shares: Mapping[str, float],
        batches: Batches,
        *,
        seed: tf.Tensor,
    ) -> list[tuple[float, Batch]]:
        """Returns [(share, samples of another member)], in the variables of this member."""
        lessons = []
        for index, (other, share) in enumerate(shares.items()):
            if other == member or not share:
                continue
            pair, batch = self.pair[other], batches[other]
            context = batch.where({name: batch.known(name) for name in pair.context})
            dreams = pair.chain.dream(batch.size, seed=seeds.fold(seed, index), given=context)
            known = {name: dreams.known(name) for name in self.pair[member].families}
            lessons.append((share, dreams.where(known)))
        return lessons


def _mean(outcome: Outcome) -> tf.Tensor:
    return tf.reduce_mean(outcome.gain)


def _matrix(mixing: Any, members: list[str]) -> Mixing:
    """Returns {member: {member: share}}, or refuses what is not a mixture of them."""
    count = len(members)
    if not isinstance(mixing, (tuple, list, np.ndarray)):
        mixing = arguments.number("mixing", mixing, least=0, most=1)
        rest = (1.0 - mixing) / max(count - 1, 1)
        mixing = [[mixing if i == j else rest for j in range(count)] for i in range(count)]
    try:
        matrix = np.asarray(mixing, float)
    except (ValueError, TypeError):
        matrix = np.zeros(())
    if matrix.shape != (count, count):
        raise ValueError(
            f"mixing is one number or a matrix {(count, count)} for the members {members}; "
            f"received {arguments.told(mixing)}."
        )
    if not (matrix >= 0).all() or not np.allclose(matrix.sum(axis=1), 1.0):
        raise ValueError(
            "The rows of mixing are shares, at least 0 and with sum 1; received "
            f"{arguments.told(mixing)}."
        )
    return {
        member: dict(zip(members, row.tolist(), strict=True))
        for member, row in zip(members, matrix, strict=True)
    }
