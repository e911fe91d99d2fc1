"""The split of a data set into training and test examples."""

from typing import Any

import numpy as np

SPLITS = ("train", "test", "all")


def choose(data: str, parts: dict, split: str, *, share: float = 0.1) -> tuple[np.ndarray, Any]:
    """Returns the arrays of one split, `(x, target)`.

    Of a set that comes in one part, a fixed random share is for testing.

    Args:
        data: What the set is called, for messages.
        parts: {"train": (x, target)} and perhaps "test"; a target may be None.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.
        share: Of the examples for testing.

    Raises:
        ValueError: The parts cannot be joined, or there is nothing to divide.
    """
    if len(parts) == 2 and split != "all":
        return parts[split]
    kinds = {(x.shape[1:], "" if target is None else "labelled") for x, target in parts.values()}
    if len(kinds) > 1:
        raise ValueError(f"{data}: train and test differ and cannot be joined: {kinds}.")
    xs, targets = zip(*parts.values(), strict=True)
    x, target = np.concatenate(xs), None if targets[0] is None else np.concatenate(targets)
    if split == "all":
        return x, target
    if len(x) == 1:
        raise ValueError(f"{data}: one image cannot be divided; use split='all'.")
    # Unlike that of `default_rng`, the stream of `RandomState` never changes.
    chosen = (np.random.RandomState(0).permutation(len(x)) < share * len(x)) == (split == "test")
    return x[chosen], None if target is None else target[chosen]
