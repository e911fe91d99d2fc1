"""Moves: what the players of a game do in one update, all at the same point."""

import typing

import tensorflow as tf


class Played(typing.NamedTuple):
    """The outcome of some moves.

    Args:
        costs, present: see `Outcome`, of all moves together.
        gradients, variables: what one update of their players takes.
    """

    costs: dict
    present: dict
    gradients: list
    variables: list


def play(moves, learner, values, seed):
    """Returns what is `Played`: one tape per move, none sees the update of another.

    Args:
        moves: list of (player names, utility), see `Learner.moves`.
        learner: the `Learner`, compiled.
        values: {name: [B, ...]}.
        seed: stateless seed [2].
    """
    costs, present, gradients, variables = {}, {}, [], []
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    for players, utility in moves:
        owned = [v for name in players for v in learner.players[name].trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in owned])
            outcome = utility(values, seed)
            loss = learner.optimizer.scale_loss(-tf.reduce_mean(outcome.gain) / replicas)
        gradients += tape.gradient(
            loss,
            [variable.value for variable in owned],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        variables += owned
        costs |= outcome.costs
        present |= outcome.present
    return Played(costs, present, gradients, variables)
