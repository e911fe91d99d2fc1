"""Values: what data hold, by the names of the variables of a pair."""

import numpy as np
import tensorflow as tf


def named(pair, data):
    """Returns data as {name: array}: from an array x, a tuple (x, y) or such a dict.

    A tuple names the observed variables, then the context, then "y" where that is a variable; a
    tuple of one thing, as Keras hands it over, stands for that thing.

    Raises:
        ValueError: the data hold more than this pair has variables for.
    """
    if isinstance(data, (tuple, list)) and all(part is None for part in data[1:]):
        data = data[0]
    if isinstance(data, dict):
        values = dict(data)
    elif isinstance(data, (tuple, list)):
        names = list(dict.fromkeys((*pair.observed, *pair.context, "y")))
        if any(part is not None for part in data[len(names) :]):
            raise ValueError(
                f"The data have {len(data)} parts, but at most {len(names)} are known: {names}."
            )
        parts = zip(names, data, strict=False)
        values = {name: part for name, part in parts if part is not None}
    else:
        values = {pair.observed[0]: data}
    unknown = sorted(values.keys() - pair.families.keys())
    if unknown:
        raise ValueError(
            f"The data hold {unknown}, which are no variables of this pair; its variables are "
            f"{sorted(pair.families)}. Drop them, or pass a dict with the right names."
        )
    return values


def typed(pair, data):
    """Returns data as {name: tensor} in the types of the variables."""
    return {name: tf.cast(v, pair.families[name].dtype) for name, v in named(pair, data).items()}


def checked(pair, data, *, complete=True):
    """Returns data as {name: np.ndarray}, or refuses what a variable cannot hold.

    Args:
        pair: the `Pair`.
        data: as in `named`.
        complete: refuse examples that lack one of the variables, too.

    Raises:
        ValueError: names the variable, what was received and what to do.
    """
    values = {name: np.asarray(value) for name, value in named(pair, data).items()}
    lengths = {name: len(value) if value.ndim else 0 for name, value in values.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f"Variables need one common length above 0; received {lengths}.")
    for name, value in values.items():
        family = pair.families[name]
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


def trainable(pair, data, *, may_lack, whole, learner, alone=True):
    """Returns data as `checked` does, or refuses those that a learner cannot be trained with.

    Args:
        pair, data: as in `checked`.
        may_lack: names of the variables that some examples may lack.
        whole: these are all data there are, not one batch of them.
        learner: who asks, for messages.
        alone: nobody else can supply what an example lacks.

    Raises:
        ValueError: names the variable, what was received and what to do.
    """
    values = checked(pair, data, complete=False)
    absent = [name for name in pair.encoder.needed if name not in values]
    if absent:
        raise ValueError(f"The encoder reads {absent}; the data hold {sorted(values)}.")
    lacking = {name: missing(pair.families[name], value) for name, value in values.items()}
    for name, rows in lacking.items():
        if rows.any() and name not in may_lack:
            raise ValueError(
                f"'{name}' is missing in {rows.sum()} examples, and {learner} cannot do without. "
                "Leave these examples out."
            )
        if rows.all() and whole:
            raise ValueError(
                f"'{name}' is missing in all {len(rows)} examples. Leave it out of the data, or "
                "give at least one example a value."
            )
    nobody = np.zeros(len(next(iter(values.values()))), bool)
    unread = np.any([lacking[name] for name in pair.encoder.needed] + [nobody], axis=0)
    useless = np.all([lacking[name] for name in values if name in pair.latent] + [unread], axis=0)
    if alone and useless.any():
        raise ValueError(
            f"{useless.sum()} examples, such as number {np.argmax(useless)}, lack something that "
            f"the encoder reads ({', '.join(pair.encoder.needed)}) and hold no latent: there is "
            "nothing to learn from them. Leave them out."
        )
    return values


def known(pair, values):
    """Returns (values, {name: bool [B]}): which examples of a batch have which variable.

    In the values returned something neutral stands in place of the markers.
    """
    size = tf.shape(next(iter(values.values())))[:1]
    found = dict.fromkeys(pair.families, tf.zeros(size, tf.bool))
    filled = {}
    for name, value in values.items():
        family = pair.families[name]
        found[name] = ~family.missing(value)
        filled[name] = family.merged(found[name], value, family.neutral)
    return filled, found


def missing(family, value):
    """Returns bool np.ndarray [N]: the examples whose elements all are the family's marker."""
    return np.asarray(family.missing(value))
