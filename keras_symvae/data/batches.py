"""Batches: the values of a minibatch as a pure function of (seed, step)."""

import abc
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data import intake
from keras_symvae.data.batch import size_of
from keras_symvae.data.sources import Source
from keras_symvae.data.variables import ROWS
from keras_symvae.families import Family

Transform = Callable[[dict[str, tf.Tensor], tf.Tensor], dict[str, tf.Tensor]]


class Minibatches(abc.ABC):
    """Minibatches without any iterator state, so that training resumes at any step.

    Attributes:
        batch_size: number of examples in a batch.
        steps_per_epoch: number of steps until all examples were seen; None where there is no end.
        examples: number of examples that `rows` tells apart, of a team {member: number}; None where
            none ever comes again.
    """

    batch_size: int
    steps_per_epoch: int | None = None
    examples: Any = None

    @abc.abstractmethod
    def at(self, step: int | tf.Tensor) -> dict[str, Any]:
        """Returns {name: tensor [B, ...]} of one step."""

    @abc.abstractmethod
    def lacking(self, families: Mapping[str, Family]) -> frozenset[str] | None:
        """Returns the names of the variables that some example lacks; None: nobody can tell.

        Args:
            families: {name: Family} of the variables.
        """

    @abc.abstractmethod
    def rows(self, step: int | tf.Tensor) -> Any:
        """Returns the numbers of the examples of one step, int64 [B], of a team {member: [B]}.

        Raises:
            ValueError: the examples have no numbers.
        """

    def dataset(
        self,
        *,
        start: int = 0,
        numbered: bool = False,
        check: Callable[[Any], Any] | None = None,
    ) -> tf.data.Dataset:
        """Returns an endless `tf.data.Dataset` of batches.

        Args:
            start: the first step.
            numbered: every batch holds the `rows` of its examples, too.
            check: a graph function that every batch passes before anybody has it.
        """
        self.at(0)  # what graphs share is made outside of them

        def batch(step: tf.Tensor) -> dict[str, Any]:
            values = self.at(step) if check is None else check(self.at(step))
            return _numbered(values, self.rows(step)) if numbered else values

        steps = tf.data.Dataset.range(start, tf.int64.max).repeat()  # `counter` leaks a function
        return steps.map(batch).prefetch(tf.data.AUTOTUNE)


class Batches(Minibatches):
    """Minibatches of arrays.

    Step t reads epoch t // steps_per_epoch; every epoch is its own permutation, so that training
    resumes at any step with the data it would have seen. Examples that do not fill a last batch
    wait for another epoch.

    Args:
        values: {name: np.ndarray [N, ...]}.
        batch_size: B; at most N are taken.
        seed: integer.
        transform: optional graph function (values, stateless seed [2]) -> values of one batch,
            such as a fresh binarisation. One that takes no value away says so by an attribute
            `keeps_known = True`, which spares every step to look for what is missing.
        shuffle: False takes the examples of every epoch in their own order.

    Raises:
        ValueError: the arrays differ in length or are empty, or the batch size is not positive.
    """

    def __init__(
        self,
        values: Mapping[str, np.ndarray],
        *,
        batch_size: int,
        seed: int = 0,
        transform: Transform | None = None,
        shuffle: bool = True,
    ) -> None:
        self.values = arguments.table("values", values)
        lengths = {name: arguments.length(value) for name, value in self.values.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"Batches need arrays of one length above 0; received {lengths}.")
        self.size = self.examples = next(iter(lengths.values()))
        self.batch_size = min(arguments.integer("batch_size", batch_size, least=1), self.size)
        self.steps_per_epoch = self.size // self.batch_size
        self.seed, self.shuffle = seeds.checked(seed), arguments.flag("shuffle", shuffle)
        self.transform = None if transform is None else arguments.function("transform", transform)

    @functools.cached_property
    def _tensors(self):
        return {name: tf.constant(value) for name, value in self.values.items()}

    def at(self, step: int | tf.Tensor) -> dict[str, tf.Tensor]:
        step, chosen = tf.cast(step, tf.int64), self.rows(step)
        batch = {name: tf.gather(tensor, chosen) for name, tensor in self._tensors.items()}
        if self.transform is not None:
            batch = self.transform(batch, seeds.fold(self._root, 1, step))
        return batch

    def rows(self, step: int | tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.int64)
        epoch, turn = step // self.steps_per_epoch, step % self.steps_per_epoch
        chosen = turn * self.batch_size + tf.range(self.batch_size, dtype=tf.int64)
        if not self.shuffle:
            return chosen
        return tf.random.experimental.index_shuffle(  # pyright: ignore[reportAttributeAccessIssue]
            chosen, seed=seeds.fold(self._root, 0, epoch), max_index=self.size - 1
        )

    @property
    def _root(self) -> tf.Tensor:
        return seeds.fold(seeds.make(self.seed), seeds.DATA)

    def lacking(self, families: Mapping[str, Family]) -> frozenset[str] | None:
        if self.transform is not None and not getattr(self.transform, "keeps_known", False):
            return None
        return intake.lacking(families, self.values)


class Draws(Minibatches):
    """Minibatches that a source draws anew for every step: data known by a sampler alone.

    Args:
        source: the `Source`.
        batch_size: B.
        seed: integer.
    """

    def __init__(self, source: Source, *, batch_size: int, seed: int = 0) -> None:
        self.source, self.seed = source, seeds.checked(seed)
        self.batch_size = arguments.integer("batch_size", batch_size, least=1)

    def at(self, step: int | tf.Tensor) -> dict[str, tf.Tensor]:
        root = seeds.fold(seeds.make(self.seed), seeds.DATA)
        return self.source.sample(self.batch_size, seed=seeds.fold(root, step))

    def rows(self, step: int | tf.Tensor) -> NoReturn:
        raise ValueError("A source draws every example anew: none has a number.")

    def lacking(self, families: Mapping[str, Family]) -> None:
        return None


class Mixture(Minibatches):
    """One batch of each part, one below the other: a few labelled examples and many without.

    What a part does not hold is missing in its examples: -1 for integers, else NaN.

    Args:
        parts: list of `Batches`.
    """

    def __init__(self, parts: Sequence[Batches]) -> None:
        self.parts = list(parts)
        self.steps_per_epoch = max(part.steps_per_epoch or 0 for part in self.parts) or None
        self.batch_size = sum(part.batch_size for part in self.parts)
        self.size = max(part.size for part in self.parts)
        self.examples = sum(part.size for part in self.parts)

    def at(self, step: int | tf.Tensor) -> dict[str, tf.Tensor]:
        batches = [part.at(step) for part in self.parts]
        models = {name: value for batch in batches for name, value in batch.items()}
        for batch in batches:
            size = tf.reshape(size_of(batch), [1])
            for name in models.keys() - batch.keys():
                batch[name] = self._missing(size, models[name])
        return {name: tf.concat([batch[name] for batch in batches], axis=0) for name in models}

    def rows(self, step: int | tf.Tensor) -> tf.Tensor:
        """The examples of a part are counted on from those of the part before it."""
        first, found = 0, []
        for part in self.parts:
            found.append(first + part.rows(step))
            first += part.size
        return tf.concat(found, axis=0)

    def lacking(self, families: Mapping[str, Family]) -> frozenset[str] | None:
        names = [frozenset(part.at(0)) for part in self.parts]
        absent = frozenset().union(*names) - frozenset.intersection(*names)
        return _of_all(absent, *(part.lacking(families) for part in self.parts))

    @staticmethod
    def _missing(size, model):
        marker = -1 if model.dtype.is_integer else np.nan
        return tf.fill(tf.concat([size, model.shape[1:]], axis=0), tf.cast(marker, model.dtype))


class Together(Minibatches):
    """One batch for every member of a team, {member: values}.

    Args:
        members: {name: `Minibatches`}.
    """

    def __init__(self, members: Mapping[str, Minibatches]) -> None:
        self.members = dict(members)
        self.steps_per_epoch = max(part.steps_per_epoch or 0 for part in members.values()) or None
        self.batch_size = max(part.batch_size for part in members.values())
        self.examples = {name: part.examples for name, part in self.members.items()}

    def at(self, step: int | tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        return {name: part.at(step) for name, part in self.members.items()}

    def rows(self, step: int | tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: part.rows(step) for name, part in self.members.items()}

    def lacking(self, families: Mapping[str, Family]) -> frozenset[str] | None:
        return _of_all(*(part.lacking(families) for part in self.members.values()))


def _numbered(values: dict[str, Any], rows: Any) -> dict[str, Any]:
    """Returns values with the rows of their examples, of a team those of every member."""
    if isinstance(rows, dict):
        return {name: _numbered(part, rows[name]) for name, part in values.items()}
    return {**values, ROWS: rows}


def _of_all(*parts: frozenset[str] | None) -> frozenset[str] | None:
    """Returns the names of all parts; None, where one of them cannot tell."""
    known = [names for names in parts if names is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None
