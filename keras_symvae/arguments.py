"""An argument: a number, a word or an object, refused by the argument's name where it is none."""

import contextlib
import numbers
import pathlib
from collections.abc import Collection, Mapping
from typing import Any

import keras
import numpy as np

LARGEST = 2**31 - 1  # of the integers that a graph counts with
GREATEST = float(np.finfo(np.float32).max)
SHOWN = 80  # characters of what was received


def integer(
    name: str, value: Any, *, least: int | None = None, most: int = LARGEST, says: str = ""
) -> int:
    """Returns an integer.

    Args:
        name: of the argument.
        value: what was received; an integer of NumPy is one, True is none.
        least, most: bounds, included; None: there is none.
        says: what the argument is; None: made of name and bounds.

    Raises:
        ValueError: names the argument, what it is and what was received.
    """
    kinds = {None: "an integer", 1: "a positive integer"}
    kind = says or f"{name} is {kinds.get(least, f'an integer of at least {least}')}"
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or (least is not None and value < least):
        raise ValueError(f"{kind}; received {told(value)}.")
    if value > most or value < -most - 1:
        raise ValueError(f"{name} is an integer below {most + 1}; received {told(value)}.")
    return int(value)


def size(name: str, value: Any) -> int | None:
    """Returns a positive integer, or None, which says that somebody else decides."""
    return None if value is None else integer(name, value, least=1)


def sizes(name: str, value: Any, *, count: int | None = None, says: str = "") -> tuple[int, ...]:
    """Returns a tuple of positive integers.

    Args:
        name: of the argument.
        value: what was received, a list of them.
        count: how many; None: any number, none included.
        says: what the argument is; None: made of the name.

    Raises:
        ValueError: names the argument, what it is and what was received.
    """
    kind = says or f"{name} is a list of positive integers"
    listed = isinstance(value, (tuple, list, range))
    if not listed or count not in (None, len(value)):
        raise ValueError(f"{kind}; received {told(value)}.")
    try:
        return tuple(integer(name, each, least=1, says=kind) for each in value)
    except ValueError:
        raise ValueError(f"{kind}; received {told(value)}.") from None


def number(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    says: str = "",
) -> Any:
    """Returns a number that single precision holds, in Python's own type.

    Args:
        name: of the argument.
        value: what was received; a number of NumPy is one, True is none.
        least, most, above: bounds; that of `above` is not included. None: there is none.
        says: what the argument is; None: made of name and bounds.

    Raises:
        ValueError: names the argument, what it is and what was received.
    """
    kind = "a number" if least is None else f"a number of at least {least}"
    if above == 0:
        kind = "a positive number"
    if (least, most) == (0, 1):
        kind = "a share, from 0 to 1"
    if not is_number(value, least=least, above=above, most=most):
        raise ValueError(f"{says or f'{name} is {kind}'}; received {told(value)}.")
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def positives(name: str, value: Any) -> tuple[float, ...]:
    """Returns positive numbers, one at least, or raises ValueError where a value is none."""
    listed = isinstance(value, (tuple, list)) and len(value) > 0
    if not listed or not all(is_number(each, above=0) for each in value):
        raise ValueError(f"{name} are positive numbers; received {told(value)}.")
    return tuple(map(float, value))


def is_number(
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
) -> bool:
    """Returns whether a value is a finite number within bounds, see `number`."""
    if not isinstance(value, numbers.Real) or isinstance(value, (bool, np.bool_)):
        return False
    low = -GREATEST if least is None else least
    high = GREATEST if most is None else most
    return bool(low <= value <= high) and (above is None or bool(value > above))


def flag(name: str, value: Any) -> bool:
    """Returns True or False, or raises ValueError where a value is neither."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} is True or False; received {told(value)}.")
    return bool(value)


def one_of(name: str, value: Any, choices: Collection[str], *, says: str = "") -> str:
    """Returns one of several words; `says` stands for what is made of name and choices.

    Raises:
        ValueError: the value is none of the choices.
    """
    if not isinstance(value, str) or value not in choices:
        kind = says or f"{name} is one of {', '.join(choices)}"
        raise ValueError(f"{kind}; received {told(value)}.")
    return value


def told(value: Any) -> str:
    """Returns in a few words what was received: a short value itself, of an array its shape."""
    kind = type(value).__name__
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"  # Python may refuse to print it
    shape = getattr(value, "shape", None)
    if shape is not None and not isinstance(value, np.generic):
        return f"{kind} of shape {tuple(shape)}"
    text = repr(value)
    return text if len(text) <= SHOWN and "\n" not in text else f"a {kind}"


def instance(name: str, value: Any, *kinds: type) -> Any:
    """Returns an object of one of some classes, or raises ValueError where a value is none."""
    if not isinstance(value, kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{name} is a {expected}; received {told(value)}.")
    return value


def words(name: str, value: Any) -> tuple[str, ...]:
    """Returns a tuple of words, of which one may come alone.

    Raises:
        ValueError: names the argument, what it is and what was received.
    """
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, (tuple, list)) or not all(isinstance(each, str) for each in listed):
        raise ValueError(f"{name} is a name or a list of names; received {told(value)}.")
    return tuple(listed)


def table(name: str, value: Any) -> dict[str, Any]:
    """Returns a dict by names; None is an empty one.

    Raises:
        ValueError: names the argument, what it is and what was received.
    """
    found = {} if value is None else value
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise ValueError(f"{name} is a dict by names; received {told(value)}.")
    return dict(found)


def label(value: Any) -> str:
    """Returns the name of a layer, or raises ValueError where Keras would take none."""
    if not isinstance(value, str) or not value or "/" in value:
        raise ValueError(f"name is a word without '/'; received {told(value)}.")
    return value


def activation(name: str, value: Any) -> str:
    """Returns the name of an activation of Keras, or raises ValueError where it has none."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            keras.activations.get(value)
            return value
    raise ValueError(f"{name} is a name of keras.activations, as 'relu'; received {told(value)}.")


def path(name: str, value: Any) -> pathlib.Path:
    """Returns a path, or raises ValueError where a value is none."""
    try:
        return pathlib.Path(value)
    except TypeError:
        raise ValueError(f"{name} is a path; received {told(value)}.") from None


def length(value: Any) -> int:
    """Returns the number of examples of an array, 0 where it is none."""
    listed: Any = np.shape(value) if isinstance(value, (tuple, list)) else ()
    shape = getattr(value, "shape", listed)
    return int(shape[0]) if len(shape) else 0


def array(name: str, value: Any) -> np.ndarray:
    """Returns an array of real numbers, or raises ValueError where a value is none."""
    try:
        found = np.asarray(value)
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        found = np.asarray(None)
    if found.dtype.kind not in "biuf":
        raise ValueError(f"{name} is an array of numbers; received {told(value)}.")
    return found


def function(name: str, value: Any) -> Any:
    """Returns what can be called, or raises ValueError where a value cannot."""
    if not callable(value):
        raise ValueError(f"{name} is a function; received {told(value)}.")
    return value
