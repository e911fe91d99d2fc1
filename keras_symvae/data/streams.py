"""Streams: data that bring their own batches, every one of which is checked."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae.data import intake
from keras_symvae.data.batches import Minibatches
from keras_symvae.data.gate import Gate, Schemas
from keras_symvae.data.variables import unwrapped


def checked(data: Any, *, gate: Gate, steps: Mapping[str, int | None], epochs: int = 1) -> Any:
    """Returns data that bring their own batches, as Keras takes them, each of which is checked.

    Args:
        data: a `tf.data.Dataset`, `keras.utils.PyDataset`, generator, or another iterable of
            batches; a `tf.distribute.DistributedDataset` is taken as it comes.
        gate: what they have to pass.
        steps: {name of the argument: how many batches are taken at a time}, None for all.
        epochs: how often that is done.

    Raises:
        ValueError: the data are none of these, have no end, or cannot be read that often.
    """
    kind, ((name, count),) = type(data).__name__, steps.items()
    if endless(data) and count is None:
        raise ValueError(f"The {kind} has no end; say how many {name} to take.")
    if isinstance(data, Iterator) and epochs > 1 and count is None:
        raise ValueError(
            f"A {kind} can be read once, and not in each of {epochs} epochs; say how many {name} "
            "to take, or give a tf.data.Dataset."
        )
    if isinstance(data, tf.distribute.DistributedDataset):
        return data
    if isinstance(data, tf.data.Dataset):
        return gate.dataset(data)
    if isinstance(data, keras.utils.PyDataset):
        return gate.sequence(data)
    if isinstance(data, Iterable) and not isinstance(data, (tuple, list, Mapping, str, bytes)):
        return gate.iterable(data)
    if isinstance(data, Minibatches):
        raise ValueError(f"{kind} have no end; give batches.dataset().take(n) to be judged by.")
    if isinstance(data, (tuple, list)):
        kind = f"{kind} of {', '.join(type(part).__name__ for part in data[:4])}"
    raise ValueError(
        "Data are arrays, or a tf.data.Dataset, PyDataset or generator, whose batches hold all "
        f"variables; received {kind}."
    )


def read(data: Any, *, model: Schemas, steps: int | None = None) -> Any:
    """Returns all batches of a stream as arrays by name, without what a tuple holds beside x.

    Args:
        data: as in `checked`.
        model: whose variables they are.
        steps: how many batches are read, None for all.

    Raises:
        ValueError: the data are no stream, or have no end.
    """
    asked = _Asked(model)
    gate = Gate(asked, check=asked.check)
    found = checked(data, gate=gate, steps={"steps": steps})
    with gate.told():
        batches = found.as_numpy_iterator() if isinstance(found, tf.data.Dataset) else iter(found)
        taken = list(itertools.islice(batches, steps))
    if not taken:
        raise ValueError(f"The {type(data).__name__} holds no batch.")
    return tf.nest.map_structure(lambda *parts: np.concatenate(parts), *taken)


class _Asked:
    """What a gate knows of a model that is asked about x: labels beside it are left out."""

    def __init__(self, model: Schemas) -> None:
        self.model, self.schema, self.schemas = model, model.schema, model.schemas

    def named(self, data: Any) -> dict[str, Any]:
        data = unwrapped(data)
        hidden = self.schema.latent if isinstance(data, (tuple, list)) else ()
        return {name: v for name, v in self.model.named(data).items() if name not in hidden}

    def check(self, data: Any, *, full: bool) -> dict[str, Any]:
        named = self.named(data)
        for variables, values in self.schemas(named):
            values |= intake.checked(variables, values)
        return named


def endless(data: Any) -> bool:
    """Returns whether data that bring their own batches are known to have no end."""
    if isinstance(data, tf.data.Dataset):
        return bool(data.cardinality() == tf.data.INFINITE_CARDINALITY)
    return isinstance(data, keras.utils.PyDataset) and data.num_batches is None
