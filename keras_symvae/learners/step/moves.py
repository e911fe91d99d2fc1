"""Moves: what the players of a game do in one update, all at the same point."""

import contextlib
import dataclasses
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_symvae.learners.step import replicas
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.model.practice import Practice

Utility = Callable[..., Outcome]
REGULARIZATION = "regularization"  # the cost, of a player, that its layers and weights add


@dataclasses.dataclass(frozen=True)
class Opening:
    """What several moves have in common, done once before them.

    Args:
        read: `read(batch)` -> what networks make of the batch, on the tapes of all these moves.
        complete: `complete(batch, read, seed)` -> what their utilities take for the batch, on none.
    """

    read: Callable[[Any], Any]
    complete: Callable[[Any, Any, tf.Tensor], Any]


@dataclasses.dataclass(frozen=True)
class Move:
    """Some players ascend the mean of one utility.

    Args:
        players: their names; one name may be a plain string.
        utility: `utility(batch, seed, training=True)` -> `Outcome`.
        rehearsals: number of updates that these players make alone before all move together.
        opening: what this move shares with others of the same opening; None: nothing.
    """

    players: tuple[str, ...]
    utility: Utility
    rehearsals: int = 0
    opening: Opening | None = None

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
        costs, present, measures: see `Outcome`, of all moves together.
        gradients, variables: what one update of their players takes, of all replicas together.
    """

    costs: dict[str, tf.Tensor]
    present: dict[str, Any]
    gradients: list[tf.Tensor]
    variables: list[Any]
    measures: dict[str, tf.Tensor]


def play(
    moves: Sequence[Move],
    batch: Any,
    *,
    players: Mapping[str, Any],
    optimizer: Any,
    seed: tf.Tensor,
    practice: Practice,
) -> Played:
    """Returns what is `Played`: one tape per move, none sees the update of another.

    Args:
        moves: the moves.
        batch: the `Batch`, of a team {member: Batch}.
        players: {name: Player or Critic} of the game.
        optimizer: the optimizer, which may scale the loss.
        seed: stateless seed [2].
        practice: of the players, whose networks train where their own utilities run.

    Raises:
        ValueError: a move names a player that the game does not have.
    """
    costs, present, measures, gradients, variables = {}, {}, {}, [], []
    owned = [_owned(move, players) for move in moves]
    tapes = [tf.GradientTape(watch_accessed_variables=False) for _ in moves]
    for tape, weights in zip(tapes, owned, strict=True):
        with tape:
            tape.watch([weight.value for weight in weights])
    taken = opened(moves, batch, seed=seed, practice=practice, tapes=tapes)
    for move, tape, weights, position in zip(moves, tapes, owned, taken, strict=True):
        with tape:
            outcome = outcome_of(move, position, seed=seed, practice=practice, players=players)
            loss = optimizer.scale_loss(-tf.reduce_mean(outcome.gain) / replicas.count())
        gradients += tape.gradient(
            loss,
            [weight.value for weight in weights],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        variables += weights
        costs |= outcome.costs
        present |= outcome.present
        measures |= outcome.measures
    return Played(costs, present, replicas.summed(gradients), variables, measures)


def outcome_of(
    move: Move, position: Any, *, seed: tf.Tensor, practice: Practice, players: Mapping[str, Any]
) -> Outcome:
    """Returns the `Outcome` of a move, less what layers and weights of its players add to the loss.

    Args:
        move: the `Move`.
        position: what its utility takes, see `opened`.
        seed, practice, players: see `play`.
    """
    with practice.of(move.players):
        outcome = move.utility(position, seed, training=practice.training)
    for name in move.players:
        losses = practice.losses(name, players[name].trainable_variables)
        if losses:
            loss = total(tf.cast(each, tf.float32) for each in losses)
            cost = {f"{name}/{REGULARIZATION}": tf.reshape(loss, [1])}
            outcome = outcome.plus(Outcome(-loss, cost))
    return outcome


def opened(
    moves: Sequence[Move],
    batch: Any,
    *,
    seed: tf.Tensor,
    practice: Practice,
    tapes: Sequence[tf.GradientTape] = (),
) -> list[Any]:
    """Returns what the utility of each move takes: the batch, or what its opening made of it.

    Args:
        moves: the moves.
        batch: the `Batch`, of a team {member: Batch}.
        seed: stateless seed [2].
        practice: of the players.
        tapes: one per move, which record what its opening reads; or none.
    """
    made: dict[Opening | None, Any] = {None: batch}
    for opening in dict.fromkeys(move.opening for move in moves):
        if opening is None:
            continue
        sharing = [index for index, move in enumerate(moves) if move.opening == opening]
        learning = [name for index in sharing for name in moves[index].players]
        with practice.of(learning), contextlib.ExitStack() as recording:
            for tape in [tapes[index] for index in sharing] if tapes else []:
                recording.enter_context(tape)
            read = opening.read(batch)
        made[opening] = opening.complete(batch, read, seed)
    return [made[move.opening] for move in moves]


def _owned(move: Move, players: Mapping[str, Any]) -> list[Any]:
    unknown = [name for name in move.players if name not in players]
    if unknown:
        raise ValueError(f"A move is of the players {unknown}; known are {sorted(players)}.")
    return [weight for name in move.players for weight in players[name].trainable_variables]
