"""The trained models that are shipped with this library, by their names."""

import functools
import pathlib

from zoo.trained.card import FILE, Card

FOLDER = pathlib.Path(__file__).parent / "weights"


@functools.cache
def names() -> tuple[str, ...]:
    """Returns the names of all that are shipped, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob(f"*/{FILE}")))


def folder(name: str) -> pathlib.Path:
    """Returns the folder of a model that is shipped."""
    return FOLDER / name


def card(name: str) -> Card | None:
    """Returns the `Card` of a model that is shipped, or None where none has this name."""
    return Card.read(folder(name)) if name in names() else None
