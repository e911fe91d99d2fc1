"""The settings.json of a run, which may be a stranger's."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_symvae import json_file
from zoo.datasets import known_classes
from zoo.datasets.preparation import Preparation
from zoo.presets.recipes import Recipe

NEEDED = ("preset", "learner", "flags", *(each.name for each in dataclasses.fields(Recipe)))
LARGEST = 2**31  # of counts and seeds
Kind = tuple[Callable[[Any], bool], str]
# What values have to be, as a function and in words, and which of it the value of a name has to be.
TEXT = (lambda value: isinstance(value, str), "a text")
COUNT = (lambda value: type(value) is int and 0 < value < LARGEST, "a count")
SEED = (lambda value: type(value) is int and 0 <= value < LARGEST, "an integer from 0")
SWITCH = (lambda value: isinstance(value, bool), "true or false")
NUMBER = (
    lambda value: type(value) in (int, float) and 0 <= value < LARGEST,
    "a number of at least 0",
)
OBJECT = (lambda value: isinstance(value, dict), "an object")
TEXTS = (
    lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "a list of texts",
)
NUMBERS = (
    lambda value: isinstance(value, dict) and all(map(NUMBER[0], value.values())),
    "an object of numbers",
)
TABLE = (
    lambda value: isinstance(value, dict) or value in list(known_classes.TABLES),
    f"an object, or one of {', '.join(known_classes.TABLES)}",
)
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("preset", "learner", "data", "split_rule", "binarize"), TEXT),
    **dict.fromkeys(("prior", "start"), TEXT),
    "classes": TABLE,
    **dict.fromkeys(("steps", "batch_size", "labelled_batch_size", "labelled"), COUNT),
    **dict.fromkeys(("epoch_steps", "steps_per_execution", "labels_per_class", "masks"), COUNT),
    **dict.fromkeys(("architecture", "preparation", "options", "flags"), OBJECT),
    **dict.fromkeys(("seed", "ignore"), SEED),
    **{"jit_compile": SWITCH, "beta_1": NUMBER, "learning_rate": NUMBERS},
    **dict.fromkeys(("constant", "option"), TEXTS),
}
KINDS_OF_FLAGS = {**KINDS, "learning_rate": NUMBER, "classes": TEXT}


def read(path: str | os.PathLike, *, needed: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the settings that a run keeps in a file; names that are not known are passed on.

    Args:
        path: of the file, which may be a stranger's.
        needed: names of the settings that must be there.

    Raises:
        ValueError: the file is damaged; says which setting is wrong.
    """
    found = json_file.read(path)
    missing = [name for name in needed if name not in found]
    if missing:
        raise ValueError(f"{path} has no {' and no '.join(missing)}; a run cannot be made of it")
    _check(found, KINDS, where=f"{path}:", needed=needed)
    _check(found.get("flags") or {}, KINDS_OF_FLAGS, where=f"{path}: of the flags")
    try:
        Preparation(**found.get("preparation") or {})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: preparation is none that is known: {error}") from None
    return found


def _check(
    found: Mapping[str, Any], kinds: Mapping[str, Kind], *, where: str, needed: Sequence[str] = ()
) -> None:
    """Refuses values of another kind; None stands for what is not given."""
    for name, value in found.items():
        if name not in kinds or (value is None and name not in needed):
            continue
        fits, kind = kinds[name]
        if not fits(value):
            raise ValueError(f"{where} {name} has to be {kind}; it is {_short(value)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
