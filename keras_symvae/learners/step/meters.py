"""Meters: the metrics of a learner, means of its costs over all examples of an epoch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_symvae.families import Family

LOST = "degenerate"  # the one measure that is the worse the larger it is
BOUND = "iw_bound"  # of log p(x): with another sign a cost of all that is observed


class Meters:
    """One mean per cost, the sum per player, and "loss", the sum over the players of the pair.

    Measures have a mean too, and are in no sum.

    Args:
        costs: names of the costs that every step has, "player/variable".
        optional: names of costs that only some data have; they show once they were met.
        measures: names of what utilities tell beside their costs.
        players: names of the players, critics included.
        judged: names of those whose costs make up the loss.
        likelihoods: {cost: Family}; those of discrete variables are shown as "bits_per_dim" too,
            and so is "iw_bound", a cost then, where only one discrete variable is observed.
    """

    def __init__(
        self,
        costs: Collection[str],
        optional: Collection[str],
        *,
        measures: Collection[str] = (),
        players: Collection[str],
        judged: Collection[str],
        likelihoods: Mapping[str, Family],
    ) -> None:
        self._means = {name: Average(name) for name in (*costs, *optional)}
        self._optional = set(optional)
        sums = {"loss": []}
        for player in players:
            own = [mean for name, mean in self._means.items() if name.startswith(player + "/")]
            sums[player] = own
            sums["loss"] += own if player in judged else []
        self._metrics = {
            name: Derived(name, parts, needed=[part for part in parts if part.name in costs])
            for name, parts in sums.items()
        }
        self._metrics |= self._means
        told = {name: Average(name) for name in measures}
        self._growing = {name for name in told if not name.endswith(LOST)}
        self._means, self._metrics = self._means | told, self._metrics | told
        for cost, family in likelihoods.items():
            if family.discrete and cost in costs:
                self._in_bits(cost, family.bits_per_dim(1.0))
        for bound in (name for name in told if name.endswith(BOUND)):
            member = bound.removesuffix(BOUND)
            seen = [family for cost, family in likelihoods.items() if cost.startswith(member)]
            if len(seen) == 1 and seen[0].discrete:
                self._in_bits(bound, seen[0].bits_per_dim(-1.0))

    def _in_bits(self, name: str, scale: float) -> None:
        shown, own = f"{name}/bits_per_dim", self._means[name]
        self._metrics[shown] = Derived(shown, [own], needed=[own], scale=scale)

    @property
    def metrics(self) -> dict[str, keras.metrics.Metric]:
        """{name: metric} of all that have been met."""
        return {n: metric for n, metric in self._metrics.items() if n not in self._optional}

    def mode(self, monitor: str) -> str:
        """Returns the mode of a callback that monitors a metric: "min", "max", or "auto" of others.

        Args:
            monitor: name of the metric, "val_decoder/x".
        """
        name = monitor.removeprefix("val_")
        if name in self._metrics:
            return "max" if name in self._growing else "min"
        return "auto"

    def check(self, names: Iterable[str]) -> None:
        """Raises ValueError where the learner has not declared a cost or a measure."""
        for name in names:
            if name not in self._means:
                raise ValueError(
                    f"A utility returned the cost {name!r}, which the learner does not declare; "
                    f"its costs are {[n for n in self._means if n not in self._optional]}."
                )

    def update(
        self, costs: Mapping[str, tf.Tensor], present: Mapping[str, Any], finite: bool | tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Takes costs {name: [B]} in, unless they are not `finite`; returns all means so far.

        Args:
            costs: costs and measures of an `Outcome`.
            present: see `Outcome`.
            finite: bool [].
        """
        self._optional -= costs.keys()
        for name, cost in costs.items():
            rows = tf.cast(present.get(name, tf.ones_like(cost)), tf.float32)
            count = tf.reduce_sum(rows)
            mean = tf.math.divide_no_nan(tf.reduce_sum(cost), count)
            self._means[name].update_state(
                tf.where(finite, mean, 0.0), sample_weight=tf.where(finite, count, 0.0)
            )
        return {name: metric.result() for name, metric in self.metrics.items()}


class Average(keras.metrics.Mean):
    """A mean, which is not a number while it has seen nothing: a cost of 0 would look perfect."""

    def result(self) -> tf.Tensor:
        return self.total / self.count

    def or_zero(self) -> tf.Tensor:
        """Returns the mean, and 0 while it has seen nothing."""
        return super().result()


class Derived(keras.Metric):
    """A multiple of the sum of other metrics, of which it keeps no copy.

    Args:
        name: its name.
        parts: list of metrics; those that have seen nothing count as 0.
        needed: those among them of which some has to have seen something.
        scale: the factor.
    """

    def __init__(
        self,
        name: str,
        parts: Sequence[Average],
        *,
        needed: Sequence[Average],
        scale: float = 1.0,
    ) -> None:
        super().__init__(name=name)
        # Behind a function, so that Keras does not count the parts' state twice.
        self._total = lambda: scale * sum((part.or_zero() for part in parts), tf.zeros([]))
        self._count = lambda: sum(part.count for part in needed) if needed else tf.ones([])

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do: the parts are updated."""

    def reset_state(self) -> None:
        """Nothing to do: the parts are reset."""

    def result(self) -> tf.Tensor:
        count = self._count()
        return self._total() * tf.divide(count, count)  # not a number where nothing was seen
