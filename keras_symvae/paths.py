"""Paths of parts and costs, "player/part", and which of some names they lie under."""

from collections.abc import Iterable


def owner(path: str, names: Iterable[str]) -> str | None:
    """Returns the longest of the names that a path lies under, or None where it lies under none.

    "decoder/z1/x" lies under "decoder/z1" and "decoder", and not under "decoder/z".
    """
    return max((n for n in names if f"{path}/".startswith(f"{n}/")), key=len, default=None)
