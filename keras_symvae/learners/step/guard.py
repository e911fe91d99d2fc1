"""A guard: it keeps steps that are not finite away from the weights and names their cause."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_symvae.learners.step.moves import Played
from keras_symvae.paths import owner


class NonFiniteError(ArithmeticError):
    """Training stopped, because costs or gradients were not finite; the weights are intact."""


POLICIES = ("skip", "raise")


class Guard(keras.Layer):
    """Counts, per possible cause, the steps in a row that were not finite.

    Args:
        costs: names of the costs, "decoder/x"; a cost also accounts for the costs nested under it.
        variables: [("decoder/x", variable)] of all weights: "gradient of decoder/x" is one too.
        policy: "skip" bears up to `patience` faulty steps in a row, "raise" none.
        patience: number of faulty steps in a row at which `check` raises.
    """

    def __init__(
        self,
        costs: Iterable[str],
        variables: Iterable[tuple[str, Any]],
        *,
        policy: str,
        patience: int,
    ) -> None:
        super().__init__(name="guard")
        self.policy, self.patience = policy, patience
        self._owners = {id(variable): f"gradient of {name}" for name, variable in variables}
        self.names = [*costs, *dict.fromkeys(self._owners.values())]

        def counter(name, shape):
            return self.add_weight(
                name=name, shape=shape, dtype="int32", initializer="zeros", trainable=False
            )

        self.faults = counter("faults", (len(self.names),))
        self.in_row = counter("in_row", ())
        self.skipped = counter("skipped", ())
        self.built = True

    def load_own_variables(self, store: Any) -> None:
        """Counts of a file are taken where it had the same causes; else counting starts anew."""
        if len(store.keys()) == len(self.weights) and all(
            tuple(store[str(index)].shape) == tuple(weight.shape)
            for index, weight in enumerate(self.weights)
        ):
            super().load_own_variables(store)

    def faults_of(self, played: Played, optimizer: Any) -> tf.Tensor:
        """Returns how many replicas met each cause in what was `Played`, int32 [causes]."""
        faulty: dict[str, Any] = {}
        for name, cost in played.costs.items():
            cause = owner(name, self.names)
            if cause is None:  # of a regularization the gradients tell
                continue
            faulty[cause] = tf.logical_or(faulty.get(cause, False), _faulty(cost))
        # A loss-scaling optimizer meets infinite gradients on purpose and skips them itself.
        if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            for gradient, variable in zip(played.gradients, played.variables, strict=True):
                name = self._owners[id(variable)]
                faulty[name] = tf.logical_or(faulty.get(name, False), _faulty(gradient))
        faulty = tf.stack([tf.cast(faulty.get(name, False), tf.int32) for name in self.names])
        replicas = tf.distribute.get_replica_context()
        return replicas.all_reduce(tf.distribute.ReduceOp.SUM, faulty)

    def bears(self, faulty: tf.Tensor) -> tf.Tensor:
        """Returns bool []: whether all replicas may apply an update with these faults [causes]."""
        return tf.reduce_all(self._after(faulty) == 0)

    def _after(self, faulty):
        # Several steps may pass before `check`: where none is borne, a fault stops those after it.
        kept = 0 if self.policy == "skip" else self.faults
        return tf.where(faulty == 0, kept, self.faults + 1)

    def count(self, faulty: tf.Tensor) -> tf.Tensor:
        """Returns what `bears` does, once per step, and counts the step if it is skipped."""
        faults = self._after(faulty)
        finite = tf.reduce_all(faults == 0)
        self.faults.assign(faults)
        self.in_row.assign(tf.where(finite, 0, self.in_row + 1))
        self.skipped.assign_add(tf.where(finite, 0, 1))
        return finite

    def check(self) -> None:
        """Raises `NonFiniteError` where the faulty steps in a row are too many."""
        in_row = int(self.in_row.numpy())
        if in_row < (1 if self.policy == "raise" else self.patience):
            return
        faults = zip(self.names, self.faults.numpy(), strict=True)
        causes = [name for name, count in faults if count]
        self.in_row.assign(0)
        self.faults.assign(tf.zeros_like(self.faults))
        raise NonFiniteError(
            f"{in_row} steps in a row were not finite: {', '.join(causes)}. None of them touched "
            "a weight. Look at the data of these variables, lower the learning rate or clip "
            "gradients (clipnorm)."
        )


def _faulty(tensor):
    return tf.logical_not(tf.reduce_all(tf.math.is_finite(tensor)))
