"""A description: which columns a table has, found in data or told."""

import dataclasses
import itertools
import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_symvae import arguments
from keras_symvae.families import Family
from zoo.architectures.columns import KINDS, Bounded, Column, unknown

# Integers of at most so many different values are guessed to be classes.
FEW = 2


def of(description: Any) -> dict[str, Column]:
    """Returns {name: Column} of descriptions: a kind, a dict of it and its options, or classes.

    Raises:
        ValueError: names what is no description, and says what would be.
    """
    found = {}
    for name, each in arguments.table("columns", description).items():
        own = {"kind": "class", "classes": each} if isinstance(each, (tuple, list)) else each
        own = dict(own) if isinstance(own, Mapping) else {"kind": own}
        says = f"The kind of column '{name}' is one of {', '.join(KINDS)}, or a list of classes"
        kind = KINDS[arguments.one_of("kind", own.pop("kind", None), tuple(KINDS), says=says)]
        known = {field.name for field in dataclasses.fields(kind)}
        if not own.keys() <= known:
            raise ValueError(
                f"Column '{name}' is '{kind.kind}', which has the options {sorted(known)}; "
                f"received {sorted(own)}."
            )
        column = kind(**{key: _option(name, key, value) for key, value in own.items()})
        if isinstance(column, Bounded) and column.low >= column.high:
            raise ValueError(
                f"The bounds of column '{name}' are low < high; received "
                f"[{column.low}, {column.high}]."
            )
        found[name] = column
    if not found:
        raise ValueError("columns describe at least one column; received none.")
    return found


def describe(data: Any, kinds: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the description of a table that `zoo.Table` takes: kinds, and statistics of cells.

    Texts, True and False and two integers are classes, more integers from 0 on counts, all others
    real.

    Args:
        data: {name: [N]}, a DataFrame, or an array [N, columns], whose columns are "0", "1", ...
        kinds: {name: kind}, where that is another one, or a whole description, which is kept.

    Returns:
        {name: {"kind": ..., and what was found of center, spread, classes, ...}}.

    Raises:
        ValueError: the data are no table, or a column cannot be of its kind.
    """
    cells, kinds = by_name(data), arguments.table("kinds", kinds)
    unknown = sorted(kinds.keys() - cells.keys())
    if unknown:
        raise ValueError(f"kinds: there are no columns {unknown}; known are {sorted(cells)}.")
    found: dict[str, Any] = {}
    for name, values in cells.items():
        kind = kinds.get(name, None) or _guessed(values)
        known = of({name: kind})[name]
        found[name] = (known.seen(name, values) if isinstance(kind, str) else known).config
    return found


def by_name(data: Any, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Returns a table as {name: cells [N]}.

    Args:
        data: {name: [N]}, a DataFrame, or an array [N, columns].
        names: of the columns of an array; None: "0", "1", ...

    Raises:
        ValueError: it is no table.
    """
    if not isinstance(data, Mapping) and isinstance(getattr(data, "columns", None), Iterable):
        data = {name: data[name] for name in data.columns}
    if isinstance(data, Mapping):
        found = {str(name): _cells(name, each) for name, each in data.items()}
    else:
        array = _array(data)
        if array.ndim != 2 or len(names or array.T) != array.shape[1]:
            number = "columns" if names is None else len(names)
            raise ValueError(
                f"A table is {{name: [N]}}, a DataFrame or an array (N, {number}); received "
                f"{arguments.told(data)}."
            )
        names = [str(index) for index in range(array.shape[1])] if names is None else names
        found = {name: _cells(name, each) for name, each in zip(names, array.T, strict=True)}
    if not found:
        raise ValueError("A table has at least one column; received none.")
    if len({len(cells) for cells in found.values()}) != 1:
        lengths = {name: len(cells) for name, cells in found.items()}
        raise ValueError(f"Columns need one common length; received {arguments.told(lengths)}.")
    return found


def parts(columns: Sequence[Column]) -> list[Family]:
    """Returns the families of columns side by side; like neighbours share one."""

    def key(place: tuple[int, Column]) -> tuple[str, int]:
        index, column = place
        return column.kind, 0 if column.alike else index

    groups = (list(group) for _, group in itertools.groupby(enumerate(columns), key))
    return [group[0][1].family(len(group)) for group in groups]


def _array(value: Any) -> np.ndarray:
    """Returns an array, without axes where a value is none."""
    try:
        return np.asarray(value)
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        return np.asarray(None)


def _cells(name: Any, value: Any) -> np.ndarray:
    """Returns the cells of a column [N], or raises ValueError where a value is no column."""
    found = _array(value)
    if found.dtype.kind == "U" and not isinstance(value, np.ndarray):
        found = np.asarray(value, object)  # in which NaN does not become a text
    if found.ndim != 1 or not found.size or found.dtype.kind not in "biufUO":
        raise ValueError(
            f"Column {arguments.told(name)} is a list of cells; received {arguments.told(value)}."
        )
    if found.dtype.kind == "O":
        for cell in found.tolist():
            if not isinstance(cell, (str, numbers.Real, type(None))):
                raise ValueError(
                    f"The cells of column {arguments.told(name)} are numbers, texts or None; "
                    f"received {arguments.told(cell)}."
                )
    return found


def _guessed(values: Any) -> str:
    kind = values.dtype.kind
    if kind in "iu":
        if len(np.unique(values)) <= FEW:
            return "class"
        return "count" if values.min() >= 0 else "real"
    if kind == "O":
        known = [each for each in values.tolist() if not unknown(each)]
        texts = any(isinstance(each, (str, bool)) for each in known)
        return "class" if texts else "real"
    return "class" if kind in "bU" else "real"


def _option(name: str, key: str, value: Any) -> Any:
    label = f"{key} of column '{name}'"
    if key == "classes":
        plain = isinstance(value, (tuple, list)) and all(
            isinstance(each, (str, int, float)) for each in value
        )
        if not plain or len(set(value)) < 2:
            raise ValueError(f"{label}: at least two; received {arguments.told(value)}.")
        return tuple(value)
    above = 0 if key in ("spread", "rate", "scale", "period") else None
    return float(arguments.number(label, value, above=above))
