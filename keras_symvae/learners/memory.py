"""A memory: the codes that the examples of a data set took at their last visit."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_symvae.data.batch import Mask
from keras_symvae.families import Family, Finite


class Recalled(NamedTuple):
    """What a memory holds of the examples of a batch.

    Args:
        values: {name: [B, ...]}.
        mask: bool [B], the examples that remember what they took.
    """

    values: dict[str, tf.Tensor]
    mask: tf.Tensor


class Memory(keras.Layer):
    """Codes {name: [N, ...]} of N examples, and whether they were visited.

    It is part of a learner's weights, so that a resumed run remembers what it would have, but no
    optimizer moves it. Discrete codes take a byte an element. It has no size until the data are
    known, or a file is loaded.

    Args:
        families: {name: Family} of the codes.
    """

    def __init__(self, families: Mapping[str, Family], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.families = dict(families)
        self.codes: dict[str, Any] = {}
        self.size = 0

    def prepare(self, size: int) -> None:
        """Makes room for the codes of so many examples.

        Raises:
            ValueError: it holds those of another number.
        """
        if self.size == size:
            return
        if self.size:
            raise ValueError(
                f"The codes of {self.size} examples are remembered, and the data have {size}. Go "
                "on with the same data, or make a new learner of the trained pair."
            )
        self.size = size
        for name, family in self.families.items():
            self.codes[name] = self._table(name, family.shape, _kept(family))
        self.visited = self._table("visited", (), "bool")
        self.built = True

    def recall(self, rows: tf.Tensor, *, share: float, seed: tf.Tensor) -> Recalled:
        """Returns what is known of the examples at the rows [B].

        Args:
            rows: int64 [B].
            share: of the examples, chosen at random, that remember; the others do not this time.
            seed: stateless seed [2].
        """
        values = {
            name: tf.cast(tf.gather(table.value, rows), self.families[name].dtype)
            for name, table in self.codes.items()
        }
        awake = tf.random.stateless_uniform(tf.shape(rows), seed) < share
        return Recalled(values, tf.gather(self.visited.value, rows) & awake)

    def keep(self, rows: tf.Tensor, values: Mapping[str, tf.Tensor], *, where: Mask) -> None:
        """Keeps codes {name: [B, ...]} of the examples at the rows [B].

        Args:
            rows: int64 [B].
            values: the codes.
            where: the examples whose codes are kept; those of the others stay what they were.
        """
        for name, table in self.codes.items():
            family, codes = self.families[name], values[name]
            if where is not True:
                former = tf.cast(tf.gather(table.value, rows), family.dtype)
                codes = family.merged(where, codes, former)
            _update(table, rows, tf.cast(codes, table.dtype))
        _update(self.visited, rows, tf.gather(self.visited.value, rows) | where)

    def load_own_variables(self, store: Any) -> None:
        """Loads the codes of a file, however many there are."""
        if store.keys():
            self.prepare(len(store["0"]))
        super().load_own_variables(store)

    def _table(self, name: str, shape: tuple[int, ...], dtype: str) -> Any:
        return self.add_weight(
            name=name,
            shape=(self.size, *shape),
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",  # all replicas write the same, see `_update`
        )


def _update(table: Any, rows: tf.Tensor, values: tf.Tensor) -> None:
    """Writes values [B, ...] to the rows [B] of a table, those of all replicas to each."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync > 1:
        kind = values.dtype
        wide = tf.cast(values, tf.int32) if kind in (tf.bool, tf.int8) else values
        rows, wide = context.all_gather([rows, wide], axis=0)
        values = tf.cast(wide, kind)
    table.value.scatter_update(tf.IndexedSlices(values, rows))


def _kept(family: Family) -> str:
    """Returns the type in which codes are kept."""
    small = isinstance(family, Finite) and family.high <= 127
    return "int8" if small else family.dtype.name
