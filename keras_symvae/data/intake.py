"""The intake: data by the names of a model's variables, checked before they are used."""

import functools
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_symvae.data.variables import Variables
from keras_symvae.families import Family

Arrays = dict[str, np.ndarray]


def checked(variables: Variables, data: Any, *, complete: bool = True) -> Arrays:
    """Returns data as {name: np.ndarray [N, ...]}, or refuses what a variable cannot hold.

    Args:
        variables: of the model.
        data: as in `Variables.named`.
        complete: refuse examples that lack one of the variables, too.

    Raises:
        ValueError: names the variable, what was received and what to do.
    """
    values = {name: array(name, value) for name, value in variables.named(data).items()}
    lengths = {name: len(value) if value.ndim else 0 for name, value in values.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        empty = " The data are empty." if not any(lengths.values()) else ""
        raise ValueError(f"Variables need one common length above 0; received {lengths}.{empty}")
    for name, value in values.items():
        family = variables.families[name]
        family.check_kind(name, value.dtype, value.shape)
        if value.size:
            rows = missing(family, value)
            if complete and rows.any():
                raise ValueError(
                    f"'{name}' is missing in {rows.sum()} examples; ask about those apart, without "
                    f"'{name}'."
                )
            value = value[~rows]
        family.check(name, value)
    return values


def array(name: str, value: Any) -> np.ndarray:
    """Returns what somebody gave for a variable as an array.

    Raises:
        ValueError: it is none, such as a list of lists of several lengths.
    """
    try:
        found = np.asarray(value)
    except (ValueError, TypeError, NotImplementedError):
        raise ValueError(
            f"'{name}' is a {type(value).__name__} that is no array; give np.ndarray or tf.Tensor."
        ) from None
    # In halves the limits of a family are other numbers, and those of TensorFlow are none to NumPy.
    halves = found.dtype in (np.float16, tf.bfloat16.as_numpy_dtype)
    return found.astype("float32") if halves else found


def trainable(
    variables: Variables,
    data: Any,
    *,
    may_lack: Collection[str],
    full: bool,
    learner: str,
    alone: bool = True,
) -> Arrays:
    """Returns data as `checked` does, or refuses those that a learner cannot be trained with.

    Args:
        variables, data: as in `checked`.
        may_lack: names of the variables that some examples may lack.
        full: True for the full data set, False for a single batch.
        learner: who asks, for messages.
        alone: False in a team, where another member may supply missing variables.

    Raises:
        ValueError: names the variable, what was received and what to do.
    """
    values = checked(variables, data, complete=False)
    absent = [name for name in variables.read if name not in values]
    if absent:
        raise ValueError(f"The encoder reads {absent}; the data hold {sorted(values)}.")
    lacking = {name: missing(variables.families[name], value) for name, value in values.items()}
    for name, rows in lacking.items():
        if rows.any() and name not in may_lack:
            raise ValueError(
                f"'{name}' is missing in {rows.sum()} examples, and {learner} cannot do without. "
                "Leave these examples out."
            )
        if rows.all() and full:
            raise ValueError(
                f"'{name}' is missing in all {len(rows)} examples. Leave it out of the data, or "
                "give at least one example a value."
            )
    nobody = np.zeros(len(next(iter(values.values()))), bool)
    unread = np.any([lacking[name] for name in variables.read] + [nobody], axis=0)
    held = [lacking[name] for name in values if name in variables.latent]
    useless = np.all([*held, unread], axis=0)
    if alone and useless.any():
        raise ValueError(
            f"{useless.sum()} examples, such as number {np.argmax(useless)}, lack something that "
            f"the encoder reads ({', '.join(variables.read)}) and hold no latent: there is "
            "nothing to learn from them. Leave them out."
        )
    return values


def lacking(families: Mapping[str, Family], arrays: Mapping[str, np.ndarray]) -> frozenset[str]:
    """Returns the names of the variables that some examples of {name: array} lack."""
    return frozenset(name for name, value in arrays.items() if missing(families[name], value).any())


def missing(family: Family, value: np.ndarray) -> np.ndarray:
    """Returns bool [N]: the examples whose elements all are the family's marker."""
    return np.asarray(family.missing(value))


def check_specs(variables: Variables, specs: Mapping[str, Any]) -> None:
    """Refuses batches whose types or shapes no values of the variables have.

    Args:
        variables: of the model.
        specs: {name: tf.TensorSpec} of a batch; sizes may be unknown.

    Raises:
        ValueError: names the variable, what was received and what to do.
    """
    for name, spec in specs.items():
        family = variables.families[name]
        if not isinstance(spec, (tf.TensorSpec, tf.Tensor)):
            raise ValueError(
                f"'{name}' comes as a {type(spec).__name__}; give dense tensors "
                f"(n, *{family.shape})."
            )
        dtype = np.dtype("float32") if spec.dtype == tf.bfloat16 else spec.dtype.as_numpy_dtype
        shape = (None, *family.shape) if spec.shape.rank is None else tuple(spec.shape.as_list())
        family.check_kind(name, dtype, shape)


def plausible(
    variables: Variables, values: Mapping[str, tf.Tensor], *, may_lack: Collection[str]
) -> tf.Tensor:
    """Returns bool []: whether a batch certainly passes `trainable`; a cheap graph function.

    False says that somebody should have a closer look: a few batches that pass are not certain to,
    such as those in which a real value is missing.

    Args:
        variables, may_lack: as in `trainable`.
        values: {name: [B, ...]} that passed `check_specs`.
    """
    sizes, tests = [], []
    for name, value in values.items():
        family = variables.families[name]
        if value.shape.rank is None:
            return tf.constant(False)
        if tuple(value.shape[1:]) != family.shape:
            tests.append(tf.reduce_all(tf.shape(value)[1:] == tf.constant(family.shape)))
        sizes.append(tf.shape(value)[0])
        missing_is_fine = name in may_lack and name not in variables.read
        low = family.marker if missing_is_fine and family.num_classes is not None else family.low
        tests += _within(value, low, family.high)
    tests += [size == sizes[0] for size in sizes[1:]]
    return functools.reduce(tf.logical_and, tests, tf.constant(True))


def _within(value: tf.Tensor, low: Any, high: Any) -> list[tf.Tensor]:
    """Returns what has to hold, bools [], for all elements to be finite and in [low, high]."""
    if np.ndim(low) and not value.dtype.is_floating:
        value = tf.cast(value, tf.float32)
    if not value.dtype.is_floating:
        least, most = (0, 1) if value.dtype == tf.bool else (value.dtype.min, value.dtype.max)
        value, tests = tf.cast(value, tf.int64), []
        if least < low:
            tests.append(tf.reduce_min(value) >= math.ceil(low))
        if most > high:
            tests.append(tf.reduce_max(value) <= math.floor(high))
        return tests
    if value.dtype.size < 4:
        value = tf.cast(value, tf.float32)
    low, high = np.maximum(low, value.dtype.min), np.minimum(high, value.dtype.max)
    # NaN equals nothing, and what is infinite is clipped, too.
    return [tf.reduce_all(tf.equal(tf.clip_by_value(value, low, high), value))]
