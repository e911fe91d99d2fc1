"""Practice: which networks are in training mode, and the losses that their layers add."""

import contextvars
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import keras
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.paths import owner

SEED = "seed_generator_state"  # Keras's name of what a layer draws with


class Practice:
    """Networks of some players in training mode, as Keras means it.

    A player practises in the utilities that move it: its dropout drops, batch statistics and
    spectral norms are updated, and what its layers add to the loss is taken off its utility. Where
    it draws for others, and everywhere outside of a learner's step, its networks are in inference
    mode.

    Args:
        parts: [("decoder/x", factor, trunk or critic)] of the game, see `Learner.parts`.
        players: names of all players.
        training: False: networks stay in inference mode, and their losses are collected all the
            same, as `evaluate` shows them.
    """

    _current: contextvars.ContextVar["Practice | None"] = contextvars.ContextVar(
        "practice", default=None
    )

    def __init__(
        self,
        parts: Iterable[tuple[str, keras.Layer]],
        players: Collection[str],
        *,
        training: bool = True,
    ) -> None:
        self._parts = list(parts)
        self._owners = {id(part): owner(path, players) for path, part in self._parts}
        self.training = training
        self._practising: frozenset[str] = frozenset()
        self._added: dict[str, list[tf.Tensor]] = {name: [] for name in players}

    def seed(self, seed: tf.Tensor) -> Self:
        """Makes the draws of all layers (dropout, noise) a function of a stateless seed [2]."""
        states = [
            variable
            for _, part in self._parts
            for variable in part.variables
            if variable.name == SEED
        ]
        for index, state in enumerate(states):
            fork = seeds.fold(seed, seeds.LAYERS, index)
            state.assign(tf.cast(fork, state.dtype))
        return self

    @contextmanager
    def of(self, players: Iterable[str]) -> Iterator[None]:
        """Within this context these players practise."""
        before, self._practising = self._practising, frozenset(players)
        token = self._current.set(self)
        try:
            yield
        finally:
            self._current.reset(token)
            self._practising = before

    def losses(self, player: str, weights: Sequence[Any]) -> list[tf.Tensor]:
        """Returns the scalars that layers of a player and its trainable weights add to its loss."""
        return self._added[player] + [
            weight.regularizer(weight) for weight in weights if weight.regularizer is not None
        ]

    def _call(self, part: Any, network: Any, inputs: Any) -> Any:
        player = self._owners.get(id(part))
        if player not in self._practising:
            return network(inputs, training=False)
        output = network(inputs, training=self.training)
        # Keras lists the losses of the last call, then those of the weights.
        regular = [each for each in network.trainable_weights if each.regularizer is not None]
        losses = network.losses
        self._added[player] += losses[: len(losses) - len(regular)]
        return output


def states(parts: Iterable[tuple[str, keras.Layer]]) -> list[tuple[Any, tf.Tensor]]:
    """Returns [(variable, its value now)] of what layers keep beside weights, as moving means.

    Args:
        parts: see `Practice`.
    """
    kept = [
        variable
        for _, part in parts
        for layer in part._flatten_layers()
        for variable in layer._non_trainable_variables
    ]
    return [(variable, tf.identity(variable.value)) for variable in kept]


def called(part: Any, inputs: Any) -> Any:
    """Returns what the network of a factor, trunk or critic makes of inputs, in its present mode.

    Args:
        part: the owner of `network`.
        inputs: a tensor, or a list of them.
    """
    practice = Practice._current.get()
    if practice is None:
        return part.network(inputs, training=False)
    return practice._call(part, part.network, inputs)
