"""One optimizer out of several: each player, or each factor, gets its own."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.environment import refuse_legacy
from keras_symvae.learners.step import replicas
from keras_symvae.learners.step.moves import Played
from keras_symvae.paths import owner


@keras.saving.register_keras_serializable(package="keras_symvae")
class Optimizers(keras.optimizers.MultiOptimizer):
    """Gives each weight to the optimizer with the longest key that it lies under.

    Other than Keras's, it finds weights by who owns them and not by their paths, which change when
    a network is loaded, and it can update the weights of some players only.

    Args:
        optimizers: {"decoder": ..., "encoder": ..., "decoder/z1": ...} of anything that
            `keras.optimizers.get` takes.
    """

    def __init__(
        self,
        optimizers: Mapping[str, Any],
        *,
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(self._of, name=name if name is None else arguments.label(name))
        found = arguments.table("optimizers", optimizers)
        if not found:
            raise ValueError("optimizers name at least one player; received none.")
        for key, each in found.items():
            refuse_legacy(each, f"The optimizer of '{key}'")
        self._table = {key: made(each, f"The optimizer of '{key}'") for key, each in found.items()}
        for key, each in self._table.items():
            if isinstance(each, keras.optimizers.LossScaleOptimizer):
                raise ValueError(
                    f"Loss scaling is of all players, and '{key}' has one of its own; wrap the "
                    "whole: LossScaleOptimizer(keras_symvae.Optimizers({...}))."
                )
        self._keys = {}
        for optimizer in self._table.values():
            if optimizer not in self._inner_optimizers:
                self._inner_optimizers.append(optimizer)
        if loss_scale_factor is not None:
            loss_scale_factor = arguments.number("loss_scale_factor", loss_scale_factor, above=0)
        self.loss_scale_factor = loss_scale_factor

    def bind(self, learner: Any, learning: Iterable[tuple[str, Any]]) -> None:
        """Finds the optimizer of every weight of a `Learner`.

        Args:
            learner: the `Learner`.
            learning: [("player/part", weight)] of those that learn.

        Raises:
            ValueError: a key fits no weight, or a weight fits no key.
        """
        for path, variable in learning:
            key = owner(path, self._table)
            if key is None:
                raise ValueError(
                    f"No optimizer for '{path}'; keys received: {sorted(self._table)}. Name all of "
                    f"{sorted(learner.players)}."
                )
            self._keys[self._var_key(variable)] = key
        paths = {path for path, _ in all_weights(learner)}
        idle = sorted(
            key
            for key in self._table.keys() - self._keys.values()
            if not any(owner(path, [key]) for path in paths)  # of frozen weights
        )
        if idle:
            raise ValueError(f"Optimizer keys {idle} fit no weight; known are {sorted(paths)}.")

    @property
    def learning_rate(self) -> Any:
        """The rate that all players have; set, it becomes that of all.

        Raises:
            AttributeError: read, where players have different rates; see `learning_rates`.
        """
        found = {float(rate) for rate in self.learning_rates.values()}
        if len(found) > 1:
            raise AttributeError(
                f"Players have the learning rates {self.learning_rates}; read and set them by "
                "optimizer.learning_rates."
            )
        return self._table[next(iter(self._table))].learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self.learning_rates = dict.fromkeys(self._table, rate)

    @property
    def learning_rates(self) -> dict[str, float]:
        """{"decoder": rate, ...} as they are now; some of them can be set by such a table.

        Raises:
            ValueError: a key that is set has no optimizer.
        """
        return {
            key: float(keras.ops.convert_to_numpy(each.learning_rate))
            for key, each in self._table.items()
        }

    @learning_rates.setter
    def learning_rates(self, rates: Mapping[str, Any]) -> None:
        unknown = sorted(rates.keys() - self._table.keys())
        if unknown:
            raise ValueError(f"There are no optimizers {unknown}; known are {sorted(self._table)}.")
        for key, rate in rates.items():
            self._table[key].learning_rate = rate

    def _of(self, variable):
        return self._table[self._keys[self._var_key(variable)]]

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        variables = list(
            self._trainable_variables if trainable_variables is None else trainable_variables
        )
        groups = {}
        for gradient, variable in zip(grads, variables, strict=True):
            optimizer = self._of(variable)
            _, gradients, owned = groups.setdefault(id(optimizer), (optimizer, [], []))
            gradients.append(gradient)
            owned.append(variable)
        for optimizer, gradients, owned in groups.values():
            optimizer.apply(gradients, owned)
        self._iterations.assign_add(1)

    def save_own_variables(self, store: Any) -> None:
        """Keeps what is its own; every optimizer inside keeps its slots itself."""
        _save_own(self, store)

    def load_own_variables(self, store: Any) -> None:
        _load_own(self, store, former=super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            "optimizers": {key: serialize(each) for key, each in self._table.items()},
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config, custom_objects))


def keep_slots_once(optimizer: Any) -> None:
    """Makes a `LossScaleOptimizer` of Keras keep its own state in files, and nothing twice.

    Left to itself it keeps all slots of the optimizer inside, which keeps them, too.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        former = type(optimizer).load_own_variables.__get__(optimizer)
        optimizer.save_own_variables = functools.partial(_save_own, optimizer)
        optimizer.load_own_variables = functools.partial(_load_own, optimizer, former=former)


def _save_own(optimizer: Any, store: Any) -> None:
    for index, variable in enumerate(optimizer._variables):
        store[str(index)] = variable.numpy()


def _load_own(optimizer: Any, store: Any, *, former: Callable[[Any], None]) -> None:
    if len(store.keys()) != len(optimizer._variables):  # of version 0.2.0 or before: all variables
        return former(store)
    for index, variable in enumerate(optimizer._variables):
        variable.assign(store[str(index)])


def made(optimizer: Any, name: str) -> Any:
    """Returns what Keras makes of an optimizer.

    Raises:
        ValueError: Keras knows none; says which `name` it has here, and what was received.
    """
    if isinstance(optimizer, (str, dict, keras.optimizers.Optimizer)):
        with contextlib.suppress(ValueError, TypeError, KeyError):
            return keras.optimizers.get(optimizer)
    raise ValueError(
        f"{name} is a name or an object of keras.optimizers, such as 'adam'; received "
        f"{arguments.told(optimizer)}."
    )


def bound(optimizer: Any, learner: Any, learning: Sequence[tuple[str, Any]]) -> Any:
    """Returns the optimizer of a `Learner`.

    Args:
        optimizer: anything that `keras.optimizers.get` takes, or {"decoder": ..., ...}.
        learner: the `Learner`.
        learning: [("player/part", weight)] of those that learn.

    Raises:
        ValueError: it is no optimizer, or one of another model.
    """
    if isinstance(optimizer, dict) and "class_name" not in optimizer:
        optimizer = Optimizers(optimizer)
    optimizer = made(optimizer, "The optimizer")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    weights = {id(weight) for _, weight in all_weights(learner)}
    needed = {id(weight) for _, weight in learning}
    for each in (inner, *getattr(inner, "optimizers", ())):
        known = {id(weight) for weight in each._trainable_variables} if each.built else needed
        if not known <= weights or (each is inner and not needed <= known):
            raise ValueError(
                f"This {type(each).__name__} was built for other weights than these, those of "
                "another model or fewer of this one; make a new optimizer."
            )
    if isinstance(inner, Optimizers):
        inner.bind(learner, learning)
    return optimizer


def copied(optimizer: Any, *, players: Mapping[str, Any]) -> Any:
    """Returns {player: a copy} of all with weights, or the one optimizer if it scales the loss.

    Args:
        optimizer: anything that `keras.optimizers.get` takes.
        players: {name: Player or Critic}.
    """
    optimizer = made(optimizer, "The optimizer")
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    config = keras.optimizers.serialize(optimizer)
    learning = [name for name, each in players.items() if each.trainable_variables]
    return {name: keras.optimizers.deserialize(config) for name in learning}


def all_weights(learner: Any) -> list[tuple[str, Any]]:
    """Returns [("player/part", weight)] of a `Learner`, frozen ones and what layers keep too."""
    return [(name, weight) for name, part in learner.parts for weight in part.weights]


def named_variables(learner: Any) -> Iterator[tuple[str, Any]]:
    """Yields ("player/part", variable) of every trainable weight of a `Learner` or `Pair`."""
    for name, part in learner.parts:
        for variable in part.trainable_variables:
            yield name, variable


def apply_if(finite: tf.Tensor, optimizer: Any, played: Played) -> None:
    """One update of what was `Played`, or none: the optimizer's state stays untouched as well."""

    def across_replicas(strategy, finite, gradients):
        def apply():
            arguments = (gradients, played.variables)
            with replicas.taking_sums(optimizer):
                strategy.extended.call_for_each_replica(optimizer.apply, args=arguments)

        # Keras's optimizers merge replicas themselves, so the condition has to stand outside.
        tf.cond(strategy.experimental_local_results(finite)[0], apply, lambda: None)

    context = tf.distribute.get_replica_context()
    context.merge_call(across_replicas, args=(finite, played.gradients))
