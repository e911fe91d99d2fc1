"""A JSON file of whoever wrote it: an object, and one message for all that may be wrong with it."""

import json
import os
import pathlib
from typing import Any

DEEPEST = 100  # levels: a ladder has ten, and Python's stack ends at some hundred


def read(path: str | os.PathLike) -> dict[str, Any]:
    """Returns the object in a file.

    Raises:
        ValueError: the file holds no JSON, or no object.
        OSError: it cannot be read.
    """
    path = pathlib.Path(path)
    if path.exists() and not path.is_file():  # a pipe would never end
        raise ValueError(f"{path} is no file")
    return parsed(path.read_bytes(), where=str(path))


def parsed(text: str | bytes, *, where: str) -> dict[str, Any]:
    """Returns the object in a text.

    Args:
        text: the text.
        where: where it stands, for messages.

    Raises:
        ValueError: it is no JSON, or no object.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{where} is damaged, it holds no JSON: {reason}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{where} is damaged, it holds a {type(found).__name__} and no object")
    level: list[Any] = [found]
    for _ in range(DEEPEST):
        parts = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for part in parts for each in part if isinstance(each, (dict, list))]
    if level:
        raise ValueError(f"{where} is damaged, it is nested more than {DEEPEST} levels deep")
    return found
