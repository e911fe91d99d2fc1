"""A feed: whatever `fit` takes, as what Keras's own `fit` takes, from some step on."""

import dataclasses
import numbers
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.data import streams
from keras_symvae.data.batches import Batches, Draws, Minibatches, Together
from keras_symvae.data.gate import Gate
from keras_symvae.data.sources import Source
from keras_symvae.data.variables import unwrapped
from keras_symvae.families import Family


@dataclasses.dataclass(frozen=True)
class Feed:
    """Data that were checked, and what is known of them before the first step.

    Args:
        data: what Keras's `fit` is given.
        held_out: validation data that were split off, or None.
        steps_per_epoch: as in `fit`.
        lacking: names of the variables that some example may lack; None: nobody can tell.
        endless: whether the batches come from a function of the step, in batches of their own size.
        examples: see `Minibatches`.
    """

    data: Any
    held_out: Any = None
    steps_per_epoch: int | None = None
    lacking: frozenset[str] | None = None
    endless: bool = False
    examples: Any = None


def of(
    data: Any,
    *,
    gate: Gate,
    families: Mapping[str, Family],
    batch_size: int | None,
    seed: int,
    start: int,
    steps_per_epoch: int | None,
    epochs: int = 1,
    shuffle: bool | None,
    validation_split: float,
    numbered: bool = False,
) -> Feed:
    """Returns the `Feed` of arrays, of `Minibatches`, of a `Source`, or of what Keras takes.

    Args:
        data: arrays, in any form that names the variables, are shuffled as a function of seed and
            step; a source has no end; what brings its own batches is taken in its order.
        gate: what data have to pass.
        families: {name: Family} of the variables.
        batch_size: of arrays and sources; 32 where it is None.
        seed: integer, of the order.
        start: the step to begin with.
        steps_per_epoch: None: until all examples were seen.
        epochs: how often the data are read, where there are no steps.
        shuffle: False takes arrays in their own order.
        validation_split: the share of arrays, the last ones, that is held out.
        numbered: batches tell the numbers of their examples, see `Minibatches.rows`.

    Raises:
        ValueError: the data do not fit the variables; a source was given without steps; order or
            split were asked of data that decide them on their own; the examples have no numbers.
    """
    data = unwrapped(data)
    arrays = holds_arrays(data)
    if not arguments.is_number(validation_split, least=0, most=1) or validation_split == 1:
        raise ValueError(
            "validation_split is a share from 0 to below 1; got "
            f"{arguments.told(validation_split)}."
        )
    if not arrays:
        _refuse_options(data, shuffle=shuffle, validation_split=validation_split)
    held_out = None
    size = arguments.size("batch_size", batch_size) or 32
    steps_per_epoch = arguments.size("steps_per_epoch", steps_per_epoch)
    options: dict[str, Any] = {"batch_size": size, "seed": seed}
    if arrays:
        data = gate.check(data)
        if validation_split:
            data, held_out = _split(data, validation_split)
        data = batches(data, shuffle=shuffle is not False, **options)
    elif isinstance(data, Source):
        data = Draws(data, **options)
    if numbered and getattr(data, "examples", None) is None:
        raise ValueError(
            "This learner remembers codes of every example, which therefore needs a number: give "
            f"arrays or Batches, not {type(data).__name__}; or set remember=0."
        )
    if not isinstance(data, Minibatches):
        steps = {"steps_per_epoch": steps_per_epoch}
        found = streams.checked(data, gate=gate, steps=steps, epochs=epochs)
        return Feed(found, steps_per_epoch=steps_per_epoch)
    steps_per_epoch = steps_per_epoch or data.steps_per_epoch
    if steps_per_epoch is None:
        raise ValueError("A source has no end; say how many steps_per_epoch to take.")
    gate.check(tf.nest.map_structure(np.asarray, data.at(0)), full=False)
    # Arrays were checked as a whole; what batches hold beyond the first one nobody knows.
    watch = None if arrays else gate.minibatch
    return Feed(
        data.dataset(start=start, numbered=numbered, check=watch),
        held_out=held_out,
        steps_per_epoch=steps_per_epoch,
        lacking=data.lacking(families),
        endless=True,
        examples=data.examples,
    )


def batches(arrays: Mapping[str, Any], **options: Any) -> Minibatches:
    """Returns the `Minibatches` of {name: array} or {member: {name: array}}."""
    if not isinstance(next(iter(arrays.values())), dict):
        return Batches(arrays, **options)
    return Together({member: Batches(part, **options) for member, part in arrays.items()})


def is_shuffled_by_keras(data: Any, *, shuffle: bool | None) -> bool:
    """Returns what Keras is told: it can shuffle the batches of a finite `PyDataset` alone."""
    return (
        isinstance(data, keras.utils.PyDataset)
        and not streams.endless(data)
        and shuffle is not False
    )


def holds_arrays(data: Any) -> bool:
    """True for arrays, lists, and nests of these; False for data sets, generators and None."""
    if isinstance(data, Mapping):
        data = tuple(data.values())
    if isinstance(data, (tuple, list)):
        leaves = (numbers.Number, str, bytes, type(None))
        return all(isinstance(part, leaves) or holds_arrays(part) for part in data)
    return isinstance(data, tf.Tensor) or hasattr(data, "__array__")


def _refuse_options(data: Any, *, shuffle: bool | None, validation_split: float) -> None:
    kind = type(data).__name__
    if validation_split:
        raise ValueError(
            f"validation_split divides arrays, and the data are {kind}; give validation_data."
        )
    if shuffle or (shuffle is False and isinstance(data, (Minibatches, Source))):
        raise ValueError(
            f"shuffle={shuffle} is about arrays; the data are {kind}, which decides its own order. "
            "Batches take shuffle=... themselves."
        )


def _split(arrays: dict[str, Any], share: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the first and the last examples, as Keras divides them: before any shuffling."""

    def part(array: np.ndarray, last: bool) -> np.ndarray:
        end = int(len(array) * (1.0 - share))
        if not 0 < end < len(array):
            raise ValueError(
                f"validation_split={share} of {len(array)} examples leaves none on one side."
            )
        return array[end:] if last else array[:end]

    first = tf.nest.map_structure(lambda array: part(array, False), arrays)
    return first, tf.nest.map_structure(lambda array: part(array, True), arrays)
