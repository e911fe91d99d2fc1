"""Costs: what a utility says of a batch, in nats."""

import types
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_symvae.data.batch import Batch, Mask, all_of
from keras_symvae.model.player import Player
from keras_symvae.model.reading import Reading


class Outcome(NamedTuple):
    """What a utility returns, in nats.

    Args:
        gain: [B] or a scalar; the players ascend its mean.
        costs: {"player/variable": [B]}.
        present: {"player/variable": Mask}: the examples that have this cost or measure, where not
            all do; the others hold zeros.
        measures: {name: [B]}: what else the utility found on its way, in no player's sum.
    """

    gain: Any
    costs: Mapping[str, tf.Tensor]
    present: Mapping[str, Mask] = types.MappingProxyType({})
    measures: Mapping[str, tf.Tensor] = types.MappingProxyType({})

    def plus(self, other: "Outcome") -> "Outcome":
        """Returns the `Outcome` of both, whose costs have different names."""
        if other is NOTHING:
            return self
        return Outcome(
            self.gain + other.gain,
            {**self.costs, **other.costs},
            {**self.present, **other.present},
            {**self.measures, **other.measures},
        )

    def times(self, weight: float) -> "Outcome":
        """Returns the `Outcome` with its gain times a weight; costs are what they are."""
        return self if weight == 1.0 else self._replace(gain=weight * self.gain)

    def named(self, prefix: str) -> "Outcome":
        """Returns the `Outcome` with "prefix/" before the names of its costs."""

        def named(table: Mapping[str, Any]) -> dict[str, Any]:
            return {f"{prefix}/{name}": entry for name, entry in table.items()}

        return Outcome(self.gain, named(self.costs), named(self.present), named(self.measures))


NOTHING = Outcome(0.0, {})
EVERYWHERE: Mapping[str, Mask] = types.MappingProxyType({})


def judged(
    player: Player,
    batch: Batch,
    *,
    weight: Any = 1.0,
    kind: str = "",
    among: Mapping[str, Mask] = EVERYWHERE,
    reading: Reading | None = None,
) -> Outcome:
    """Returns the `Outcome` of a player's log-densities of the values of a batch.

    A factor counts in the examples that know its value and all it reads.

    Args:
        player: the `Player`.
        batch: the `Batch`.
        weight: of the log-densities in the gain: a number, or [B].
        kind: what the names of the costs end with, as in "encoder/y/paired".
        among: {variable: Mask}: the examples among which its factor counts; all, where none are.
        reading: see `Player.walk`.
    """
    scorable, masks = _counted(player, batch, among)
    scores = {
        name: where(masks[name], score)
        for name, score in player.log_prob(scorable, reading=reading).items()
        if masks[name] is not False
    }
    names = {name: f"{player.name}/{name}{kind and '/'}{kind}" for name in scores}
    gain = total(scores.values())
    return Outcome(
        gain if isinstance(weight, float) and weight == 1.0 else weight * gain,
        {names[name]: -score for name, score in scores.items()},
        {names[name]: masks[name] for name in scores if masks[name] is not True},
    )


def elements(
    player: Player,
    batch: Batch,
    *,
    names: Collection[str],
    among: Mapping[str, Mask] = EVERYWHERE,
    reading: Reading | None = None,
) -> dict[str, tf.Tensor]:
    """Returns {name: [B, *shape]}, the log-densities of single elements; 0 where none counts.

    Args:
        player: the `Player`.
        batch: the `Batch`.
        names: of the factors.
        among, reading: see `judged`.
    """
    scorable, masks = _counted(player, batch, among)
    _, naturals = player.walk(scorable, reading=reading)
    return {
        name: where(masks[name], player.families[name].element_log_prob(eta, scorable[name]))
        for name, eta in naturals.items()
        if name in names and masks[name] is not False
    }


def where(mask: Mask, values: tf.Tensor) -> tf.Tensor:
    """Returns values [B, ...], and 0 in the examples that the mask leaves out."""
    if mask is True:
        return values
    return tf.where(tf.reshape(mask, [-1] + [1] * (values.shape.rank - 1)), values, 0.0)


def _counted(
    player: Player, batch: Batch, among: Mapping[str, Mask]
) -> tuple[Batch, dict[str, Mask]]:
    """Returns what a player can score, and {name: Mask} of the examples that count."""
    scorable = player.scorable(batch)
    masks = player.scored(scorable)
    return scorable, {n: all_of([mask, among.get(n, True)]) for n, mask in masks.items()}


def total(parts: Iterable[tf.Tensor]) -> tf.Tensor:
    """Returns the sum of tensors, in their order."""
    # tf.add_n adds in an order that may change from call to call, and with it the last bit.
    return sum(parts, tf.zeros([]))
