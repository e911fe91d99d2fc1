"""A batch: the values of some examples, and which of the examples know them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping

import tensorflow as tf

from keras_symvae.data.variables import Variables

# Which examples something holds for: all, none, or those where a tensor bool [B] is true. What is
# known before a graph is made costs the graph nothing.
Mask = bool | tf.Tensor


class Batch(Mapping[str, tf.Tensor]):
    """The values {name: [B, ...]} of B examples, some of which may lack some of them.

    In an example that lacks a value something neutral stands in its place, so that every network
    can read it. A batch is immutable.

    Args:
        values: {name: [B, ...]}.
        known: {name: Mask}, the examples that know a value; all, where a name is left out.
        size: B, where there are no values.
    """

    def __init__(
        self,
        values: Mapping[str, tf.Tensor],
        *,
        known: Mapping[str, Mask] | None = None,
        size: int | tf.Tensor | None = None,
    ) -> None:
        self._values = dict(values)
        self._known = {name: (known or {}).get(name, True) for name in self._values}
        self._size = size

    @classmethod
    def of(
        cls, variables: Variables, values: Mapping[str, tf.Tensor], *, lacking: Iterable[str] = ()
    ) -> Batch:
        """Returns the batch of values in which markers (-1, NaN) stand for what is missing.

        Args:
            variables: of the model.
            values: {name: [B, ...]} in the types of the variables.
            lacking: names of those that some example may lack. An example of one variable has it.
        """
        lacking = set(lacking) & values.keys() if len(values) > 1 else set()
        filled, known = dict(values), {}
        for name in [name for name in values if name in lacking]:
            family = variables.families[name]
            known[name] = ~family.missing(values[name])
            filled[name] = family.merged(known[name], values[name], family.neutral)
        return cls(filled, known=known)

    def __getitem__(self, name: str) -> tf.Tensor:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def size(self) -> int | tf.Tensor:
        """B."""
        if self._values:
            return size_of(self._values)
        if self._size is None:
            raise ValueError("A batch without values needs to be told its size.")
        return self._size

    @property
    def whole(self) -> bool:
        """Whether every example knows every value of the batch."""
        return all(mask is True for mask in self._known.values())

    def known(self, name: str) -> Mask:
        """Returns which examples know the value of this name."""
        return self._known.get(name, False)

    def where(self, known: Mapping[str, Mask]) -> Batch:
        """Returns the batch of these names, each known where its mask says so.

        Names that the batch does not hold, or that no example knows any more, are left out.
        """
        kept = {name: self[name] for name in self if known.get(name, False) is not False}
        size = self._size if kept or not self._values else self.size
        return Batch(kept, known=known, size=size)

    def tiled(self, count: int) -> Batch:
        """Returns `count` copies of the batch, one after the other: [count * B, ...]."""
        values = {name: repeated(value, count) for name, value in self._values.items()}
        known = {
            name: mask if isinstance(mask, bool) else repeated(mask, count)
            for name, mask in self._known.items()
        }
        return Batch(values, known=known, size=None if self._size is None else count * self._size)

    def stopped(self) -> Batch:
        """Returns the batch as constants, through which no gradient flows."""
        values = {name: tf.stop_gradient(value) for name, value in self._values.items()}
        return Batch(values, known=self._known, size=self._size)


def of_values(
    values: Mapping[str, tf.Tensor] | None, *, size: int | tf.Tensor | None = None
) -> Batch:
    """Returns a batch as it is, and other values as a batch in which every example knows them."""
    return values if isinstance(values, Batch) else Batch(values or {}, size=size)


def repeated(value: tf.Tensor, count: int) -> tf.Tensor:
    """Returns `count` copies of a tensor [B, ...], one after the other: [count * B, ...]."""
    return tf.concat([value] * count, axis=0)


def size_of(values: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Returns the number of examples of {name: [B, ...]}."""
    return tf.shape(next(iter(values.values())))[0]


def all_of(masks: Iterable[Mask]) -> Mask:
    """Returns the examples for which all masks hold."""
    return _joined(masks, tf.logical_and, neutral=True)


def any_of(masks: Iterable[Mask]) -> Mask:
    """Returns the examples for which any mask holds."""
    return _joined(masks, tf.logical_or, neutral=False)


def none_of(masks: Iterable[Mask]) -> Mask:
    """Returns the examples for which no mask holds."""
    mask = any_of(masks)
    return not mask if isinstance(mask, bool) else ~mask


def _joined(masks: Iterable[Mask], join, *, neutral: bool) -> Mask:
    masks = [mask for mask in masks if mask is not neutral]
    if any(mask is (not neutral) for mask in masks):
        return not neutral
    return functools.reduce(join, masks) if masks else neutral


def kinds(variables: Variables, batch: Batch) -> dict[str, Mask]:
    """Returns which examples of a partly observed data set are of which kind.

    paired      all that the encoder reads, and some latents: a labelled image
    observed    all that the encoder reads, and no latent: an image
    latent      some latents, and not all that the encoder reads: a label
    """
    readable = all_of(batch.known(name) for name in variables.read)
    some = any_of(batch.known(name) for name in variables.latent)
    return {
        "paired": all_of([readable, some]),
        "observed": all_of([readable, none_of([some])]),
        "latent": all_of([none_of([readable]), some]),
    }


def share(mask: Mask) -> float | tf.Tensor:
    """Returns the factors [B] that turn the mean over a batch into the mean over its `mask`."""
    if isinstance(mask, bool):
        return float(mask)
    rows = tf.cast(mask, tf.float32)
    return tf.math.divide_no_nan(rows, tf.reduce_mean(rows))
