"""Moves: what the players of a game do in one update, all at the same point."""

import dataclasses
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from keras_symvae.learners.step.cost import Outcome

Utility = Callable[..., Outcome]


@dataclasses.dataclass(frozen=True)
class Move:
    """Some players ascend the mean of one utility.

    Args:
        players: their names; one name may be a plain string.
        utility: `utility(batch, seed, training=True)` -> `Outcome`.
        rehearsals: number of updates that these players make alone before all move together.
    """

    players: tuple[str, ...]
    utility: Utility
    rehearsals: int = 0

    def __post_init__(self) -> None:
        players = (self.players,) if isinstance(self.players, str) else tuple(self.players)
        object.__setattr__(self, "players", players)

    @classmethod
    def of(cls, move: "Move | tuple[Any, Utility]") -> "Move":
        """Returns a move, or a pair (players, utility) as one."""
        return move if isinstance(move, Move) else cls(*move)


class Played(typing.NamedTuple):
    """The outcome of some moves.

    Args:
        costs, present: see `Outcome`, of all moves together.
        gradients, variables: what one update of their players takes.
    """

    costs: dict[str, tf.Tensor]
    present: dict[str, Any]
    gradients: list[tf.Tensor]
    variables: list[Any]


def play(
    moves: Iterable[Move],
    batch: Any,
    *,
    players: Mapping[str, Any],
    optimizer: Any,
    seed: tf.Tensor,
) -> Played:
    """Returns what is `Played`: one tape per move, none sees the update of another.

    Args:
        moves: the moves.
        batch: the `Batch`, of a team {member: Batch}.
        players: {name: Player or Critic} of the game.
        optimizer: the optimizer, which may scale the loss.
        seed: stateless seed [2].

    Raises:
        ValueError: a move names a player that the game does not have.
    """
    costs, present, gradients, variables = {}, {}, [], []
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    for move in moves:
        unknown = [name for name in move.players if name not in players]
        if unknown:
            raise ValueError(f"A move is of the players {unknown}; known are {sorted(players)}.")
        owned = [v for name in move.players for v in players[name].trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in owned])
            outcome = move.utility(batch, seed)
            loss = optimizer.scale_loss(-tf.reduce_mean(outcome.gain) / replicas)
        gradients += tape.gradient(
            loss,
            [variable.value for variable in owned],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        variables += owned
        costs |= outcome.costs
        present |= outcome.present
    return Played(costs, present, gradients, variables)
