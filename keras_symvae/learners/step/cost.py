"""Costs: what a utility says of a batch, in nats."""

import types
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_symvae.data.batch import Batch, Mask
from keras_symvae.model.player import Player


class Outcome(NamedTuple):
    """What a utility returns, in nats.

    Args:
        gain: [B] or a scalar; the players ascend its mean.
        costs: {"player/variable": [B]}.
        present: {"player/variable": Mask}: the examples that have this cost, where not all do; the
            others hold zeros.
        measures: {name: [B]}, what else is shown of a batch; no player ascends it, and no sum of
            costs holds it.
    """

    gain: Any
    costs: Mapping[str, tf.Tensor]
    present: Mapping[str, Mask] = types.MappingProxyType({})
    measures: Mapping[str, tf.Tensor] = types.MappingProxyType({})

    def plus(self, other: "Outcome") -> "Outcome":
        """Returns the `Outcome` of both, whose costs have different names."""
        return Outcome(
            self.gain + other.gain,
            {**self.costs, **other.costs},
            {**self.present, **other.present},
            {**self.measures, **other.measures},
        )

    def named(self, prefix: str) -> "Outcome":
        """Returns the `Outcome` with "prefix/" before the names of its costs and measures."""
        return Outcome(
            self.gain,
            {f"{prefix}/{name}": cost for name, cost in self.costs.items()},
            {f"{prefix}/{name}": mask for name, mask in self.present.items()},
            {f"{prefix}/{name}": measure for name, measure in self.measures.items()},
        )


NOTHING = Outcome(0.0, {})


def judged(player: Player, batch: Batch, *, weight: Any = 1.0, kind: str = "") -> Outcome:
    """Returns the `Outcome` of a player's log-densities of the values of a batch.

    A factor counts in the examples that know its value and all it reads.

    Args:
        player: the `Player`.
        batch: the `Batch`.
        weight: of the log-densities in the gain: a number, or [B].
        kind: what the names of the costs end with, as in "encoder/y/paired".
    """
    scorable = player.scorable(batch)
    masks, scores = player.scored(scorable), player.log_prob(scorable)
    for name, score in scores.items():
        if masks[name] is not True:
            scores[name] = tf.where(masks[name], score, 0.0)
    names = {name: f"{player.name}/{name}{kind and '/'}{kind}" for name in scores}
    gain = total(scores.values())
    return Outcome(
        gain if isinstance(weight, float) and weight == 1.0 else weight * gain,
        {names[name]: -score for name, score in scores.items()},
        {names[name]: masks[name] for name in scores if masks[name] is not True},
    )


def total(parts: Iterable[tf.Tensor]) -> tf.Tensor:
    """Returns the sum of tensors, in their order."""
    # tf.add_n adds in an order that may change from call to call, and with it the last bit.
    return sum(parts, tf.zeros([]))
