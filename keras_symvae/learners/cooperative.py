"""Cooperative learning: several pairs that see different data teach one another."""

import functools

import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, Terms
from keras_symvae.learners.symmetric import checked, explained, recognised, recovered
from keras_symvae.model.team import Team, lent


@register("cooperative")
class Cooperative(Learner):
    """The game of several models of Schlesinger & Flach (FLICS 2025).

        model i maximises  L_i = a_ii E_{data_i} log p_i + sum_{j != i} a_ij E_{p_j} log p_i

    where every expectation of log p_i stands for the two utilities of the symmetric game, played
    by decoder i and encoder i on that data. Samples of p_j are constants; they hold the variables
    that i and j share, latents included, and start from j's context in the data. An encoder learns
    from its own dreams with the weight that no sample with a shared latent has.

    Costs are those of `SymmetricEquilibrium` on every member's own data, "member/decoder/x".

    Args:
        pair: the `Team`.
        mixing: the matrix a [M, M] in the order of the members, whose rows sum to 1; or one
            number, the share a_ii of everyone's own data, the rest falls to the others alike.
        weights: of the terms of the symmetric game, see `SymmetricEquilibrium`.
        others: see `Learner`.

    Reference: Schlesinger, Flach, Game-theoretic distributed learning of generative models for
    heterogeneous data collections, FLICS 2025, arXiv 2511.01740.
    """

    def __init__(self, pair, *, mixing, weights=None, **kwargs):
        if not isinstance(pair, Team):
            raise ValueError(f"Cooperative trains a Team of pairs; received {type(pair).__name__}.")
        for player in pair.players.values():
            player.require_density("Cooperative")
        self.mixing = _matrix(mixing, list(pair.members))
        self.weights_of_terms = checked(weights)
        super().__init__(pair, **kwargs)

    @property
    def cost_names(self):
        return [f"{name}/{v}" for name, player in self.pair.players.items() for v in player.names]

    @property
    def optional_cost_names(self):
        return [f"{name}/paired" for name in self.cost_names if "/encoder/" in name]

    @property
    def may_lack(self):
        return self.pair.families

    def moves(self):
        return [
            ((f"{member}/{player}",), functools.partial(utility, member))
            for member in self.pair.members
            for player, utility in (
                ("decoder", self.decoder_utility),
                ("encoder", self.encoder_utility),
            )
        ]

    def decoder_utility(self, member, values, seed, training=True):
        """The mixture of L_p over the member's own data and the others' samples."""
        del training
        pair, shares, weights = self.pair[member], self.mixing[member], self.weights_of_terms
        own = explained(pair, values[member], seed=seeds.fold(seed, 0), weights=weights)
        lessons = self._lessons(member, shares, values, seed=seeds.fold(seed, 1))
        gain = shares[member] * own.gain
        for index, (share, taught) in enumerate(lessons):
            fork = seeds.fold(seed, 2, index)
            gain += share * _mean(explained(pair, taught, seed=fork, weights=weights))
        return _named(member, gain, own)

    def encoder_utility(self, member, values, seed, training=True):
        """The mixture of L_q over the member's own dreams and the others' samples."""
        del training
        pair, shares, weights = self.pair[member], self.mixing[member], self.weights_of_terms
        own = recovered(pair, values[member], seed=seeds.fold(seed, 3), weights=weights)
        own = own.plus(recognised(pair, values[member], weights=weights))
        told = {
            other: share
            for other, share in shares.items()
            if set(pair.latent) & self.pair[other].families.keys()
        }
        gain = (1.0 - sum(told.values()) + told[member]) * own.gain
        for share, taught in self._lessons(member, told, values, seed=seeds.fold(seed, 1)):
            gain += share * _mean(recognised(pair, taught, weights=weights))
        return _named(member, gain, own)

    def _lessons(self, member, shares, values, *, seed):
        """Returns [(share, samples of another member)], in the variables of this member."""
        lessons = []
        for index, (other, share) in enumerate(shares.items()):
            if other == member or not share:
                continue
            terms = Terms(self.pair[other], values[other])
            context = {name: terms.known[name] for name in self.pair[other].context}
            given = {name: terms.values[name] for name in context if name in terms.values}
            dreams = self.pair[other].dream(terms.size, seed=seeds.fold(seed, index), given=given)
            rows = self.pair[other].dreamt(terms.nothing | context)
            lessons.append((share, lent(self.pair[member], dreams, rows)))
        return lessons

    def get_config(self):
        matrix = [list(row.values()) for row in self.mixing.values()]
        return {**super().get_config(), "mixing": matrix, "weights": self.weights_of_terms}


def _mean(outcome):
    return tf.reduce_mean(outcome.gain)


def _named(member, gain, outcome):
    return Outcome(
        gain,
        {f"{member}/{name}": cost for name, cost in outcome.costs.items()},
        {f"{member}/{name}": rows for name, rows in outcome.present.items()},
    )


def _matrix(mixing, members):
    """Returns {member: {member: share}}, or refuses what is no mixture of them."""
    count = len(members)
    if isinstance(mixing, (int, float)):
        rest = (1.0 - mixing) / max(count - 1, 1)
        mixing = [[mixing if i == j else rest for j in range(count)] for i in range(count)]
    matrix = np.asarray(mixing, float)
    if matrix.shape != (count, count):
        raise ValueError(
            f"mixing is one number or a matrix {(count, count)} for the members {members}; "
            f"received shape {matrix.shape}."
        )
    if not (matrix >= 0).all() or not np.allclose(matrix.sum(axis=1), 1.0):
        raise ValueError(
            f"The rows of mixing are shares, at least 0 and with sum 1; received {mixing}."
        )
    return {
        member: dict(zip(members, row.tolist(), strict=True))
        for member, row in zip(members, matrix, strict=True)
    }
