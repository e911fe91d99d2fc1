"""A weight: a finite number of at least 0."""

from typing import Any


def is_weight(number: Any) -> bool:
    """True for a finite number of at least 0."""
    return isinstance(number, (int, float)) and 0 <= number < float("inf")
