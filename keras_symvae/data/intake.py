"""The intake: data by the names of a model's variables, checked before they are used."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

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
    values = {name: np.asarray(value) for name, value in variables.named(data).items()}
    lengths = {name: len(value) if value.ndim else 0 for name, value in values.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f"Variables need one common length above 0; received {lengths}.")
    for name, value in values.items():
        family = variables.families[name]
        if value.shape[1:] == family.shape:
            rows = missing(family, value)
            if complete and rows.any():
                raise ValueError(
                    f"'{name}' is missing in {rows.sum()} examples; ask about those apart, without "
                    f"'{name}'."
                )
            value = value[~rows]
        family.check(name, value)
    return values


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
