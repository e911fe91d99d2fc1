"""A fingerprint of data: what tells them from others, without keeping any of them."""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae.data.batches import Batches, Draws, Minibatches, Mixture, Together
from keras_symvae.data.sources import Source

READ = 2**26  # bytes of an array that its digest reads: all rows, or as many evenly spaced ones
CONTENT = "content"  # the name of such a digest


def of_training(
    data: Any,
    *,
    batch_size: int | None,
    steps_per_epoch: int | None,
    shuffle: bool | None,
    validation_split: float,
) -> dict[str, Any]:
    """Returns {part of an `identity`: plain values} of the arguments of `fit`."""
    arrays = [leaf for leaf in tf.nest.flatten(data) if isinstance(leaf, (np.ndarray, tf.Tensor))]
    if isinstance(data, Minibatches):
        batch_size = data.batch_size
        steps_per_epoch = steps_per_epoch or data.steps_per_epoch
    elif arrays:
        batch_size = batch_size or 32
        sizes = [int(len(array) * (1.0 - validation_split)) for array in arrays]
        steps = [size // max(min(batch_size, size), 1) for size in sizes]
        steps_per_epoch = steps_per_epoch or max(steps)
    return {
        "data": _described(data),
        "batch_size": batch_size,
        "steps_per_epoch": steps_per_epoch,
        "shuffle": shuffle is not False,
        "validation_split": validation_split,
    }


def _described(data: Any) -> Any:
    """Returns kind, shapes, types and a digest of data."""
    for kind, description in DESCRIPTIONS:
        if isinstance(data, kind):
            return description(data)
    return None if data is None else {"class_name": type(data).__name__, "config": {}}


def _object(data: Any, **config: Any) -> dict[str, Any]:
    return {"class_name": type(data).__name__, "config": config}


def _of_batches(data: Batches) -> dict[str, Any]:
    values = {name: _of_array(value) for name, value in data.values.items()}
    options = {"seed": data.seed, "shuffle": data.shuffle, "transform": _named(data.transform)}
    return _object(data, **options, **values)


def _named(transform: Any) -> Any:
    """What a function does cannot be compared, its name can; an address in memory says nothing."""
    if dataclasses.is_dataclass(transform) and not isinstance(transform, type):
        return _object(transform, **dataclasses.asdict(transform))
    return re.sub(r" at 0x[0-9a-f]+", "", repr(transform))


def _of_source(data: Source) -> dict[str, Any]:
    """The weights of a source are what it draws from: rows, or a pair that was trained."""
    return _object(
        data, names=list(data.names), **{CONTENT: _digest(map(np.asarray, data.weights))}
    )


def _of_dataset(data: tf.data.Dataset) -> dict[str, Any]:
    specs = tf.nest.flatten(data.element_spec)
    told = [f"{s.shape} {s.dtype.name}" if hasattr(s, "dtype") else repr(s) for s in specs]
    return {"class_name": "Dataset", "config": {"spec": told, "batches": int(data.cardinality())}}


def _of_array(data: Any) -> dict[str, Any]:
    array = np.asarray(data)
    config = {"shape": list(array.shape), "dtype": array.dtype.name, CONTENT: _digest([array])}
    return {"class_name": "array", "config": config}


def _of_list(data: list[Any]) -> dict[str, Any]:
    try:
        return _of_array(data)
    except ValueError:  # its parts differ in shape
        return _object(data, length=len(data))


def _of_parts(parts: Mapping[Any, Any]) -> Any:
    """The same for x, (x,) and {"x": x}."""
    found = {str(name): _described(part) for name, part in parts.items() if part is not None}
    return found if len(found) != 1 else found.popitem()[1]


def _digest(arrays: Iterable[np.ndarray]) -> str:
    found = hashlib.sha256()
    for array in arrays:
        stride = max(-(-array.nbytes // READ), 1)
        rows = array[::stride] if array.ndim else array
        found.update(repr(rows).encode() if rows.dtype.hasobject else rows.tobytes())
    return found.hexdigest()[:16]


DESCRIPTIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Batches, _of_batches),
    (Mixture, lambda data: _object(data, parts=[_described(part) for part in data.parts])),
    (Together, lambda data: _object(data, **{k: _described(v) for k, v in data.members.items()})),
    (Draws, lambda data: _object(data, seed=data.seed, source=_described(data.source))),
    (Minibatches, lambda data: _object(data, examples=data.examples)),
    (Source, _of_source),
    (tf.data.Dataset, _of_dataset),
    (Mapping, _of_parts),
    ((np.ndarray, tf.Tensor), _of_array),
    (list, _of_list),
    (keras.utils.PyDataset, lambda data: _object(data, batches=data.num_batches)),
    (tuple, lambda data: _of_parts(dict(enumerate(data)))),
)
