"""A guard: it keeps steps that are not finite away from the weights and names their cause."""

import keras
import tensorflow as tf


class NonFiniteError(ArithmeticError):
    """Training stopped, because costs or gradients were not finite; the weights are intact."""


class Guard(keras.Layer):
    """Counts, per possible cause, the steps in a row that were not finite.

    Args:
        names: the possible causes: "decoder/x" for costs, "gradient of decoder/x" for gradients.
        policy: "skip" bears up to `patience` faulty steps in a row, "raise" none.
        patience: number of faulty steps in a row at which `check` raises.
    """

    def __init__(self, names, *, policy, patience):
        super().__init__(name="guard")
        if policy not in ("skip", "raise"):
            raise ValueError(f"nonfinite is 'skip' or 'raise'; received {policy!r}.")
        if patience < 1:
            raise ValueError(f"patience is a positive number of steps; received {patience!r}.")
        self.names, self.policy, self.patience = list(names), policy, patience

        def counter(name, shape):
            return self.add_weight(
                name=name, shape=shape, dtype="int32", initializer="zeros", trainable=False
            )

        self.faults = counter("faults", (len(self.names),))
        self.in_row = counter("in_row", ())
        self.skipped = counter("skipped", ())
        self.built = True

    def inspect(self, costs, gradients, variables, optimizer):
        """Returns a bool tensor: whether this step may be applied; counts it if not."""
        verdicts = {name: _finite(cost) for name, cost in costs.items()}
        # A loss-scaling optimizer meets infinite gradients on purpose and skips them itself.
        if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            for gradient, variable in zip(gradients, variables, strict=True):
                name = self._owner(variable.path)
                verdicts[name] = tf.logical_and(verdicts.get(name, True), _finite(gradient))
        verdict = tf.stack([verdicts.get(name, tf.constant(True)) for name in self.names])
        finite = tf.reduce_all(verdict)
        self.faults.assign(tf.where(verdict, 0, self.faults + 1))
        self.in_row.assign(tf.where(finite, 0, self.in_row + 1))
        self.skipped.assign_add(tf.where(finite, 0, 1))
        return finite

    def _owner(self, path):
        """The cause that stands for a variable, by the longest name that its path holds."""
        prefix = "gradient of "
        fitting = [name for name in self.names if f"{name.removeprefix(prefix)}/" in path]
        fitting = [name for name in fitting if name.startswith(prefix)]
        return max(fitting, key=len) if fitting else self.names[-1]

    def check(self):
        """Raises `NonFiniteError` where the faulty steps in a row are too many."""
        in_row = int(self.in_row.numpy())
        if in_row < (1 if self.policy == "raise" else self.patience):
            return
        causes = [name for name, count in zip(self.names, self.faults.numpy()) if count]
        self.in_row.assign(0)
        raise NonFiniteError(
            f"{in_row} steps in a row were not finite: {', '.join(causes)}. None of them touched "
            "a weight. Look at the data of these variables, lower the learning rate or clip "
            "gradients (clipnorm)."
        )


def _finite(tensor):
    return tf.reduce_all(tf.math.is_finite(tensor))
