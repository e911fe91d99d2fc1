"""The split of a data set into training and test examples."""

import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_symvae import arguments

SPLITS = ("train", "test", "all")
SPLIT_RULES = ("stratified", "shuffled")
Parts = dict[str, tuple[np.ndarray, np.ndarray | None]]


def choose(
    parts: Mapping[str, tuple[np.ndarray, np.ndarray | None]],
    split: str,
    *,
    name: str,
    where: str,
    share: float = 0.1,
    split_rule: str = "stratified",
) -> tuple[np.ndarray, Any]:
    """Returns the arrays of one split, `(x, target)`.

    Of a set in one part, a fixed random share is for testing. There are two rules for it:

        stratified   The share is drawn from every class alike, by a seed that depends on the name
                     of the set. Of label maps, images with and without a map are the classes.
        shuffled     The share is drawn by NumPy's seed 0 from every set. This is the rule of
                     version 0.1.0: its runs resume with it, and the published results were made
                     with it. It fails for a set that its owner sorted by class and then shuffled
                     with the same seed: the test split is a single class, which the training split
                     then lacks.

    Args:
        parts: {"train": (x, target)} and perhaps "test"; a target may be None.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.
        name: What the set is called, wherever its files lie.
        where: What to call the set in messages.
        share: Of the examples for testing.
        split_rule: `"stratified"` or `"shuffled"`.

    Raises:
        ValueError: The parts cannot be joined, or there is nothing to divide.
    """
    if len(parts) == 2 and split != "all":
        return parts[split]
    kinds = {(x.shape[1:], "" if target is None else "labelled") for x, target in parts.values()}
    if len(kinds) > 1:
        raise ValueError(f"{where}: train and test differ and cannot be joined: {kinds}.")
    x = np.concatenate([x for x, _ in parts.values()])
    targets: list[Any] = [target for _, target in parts.values()]
    target: Any = None if targets[0] is None else np.concatenate(targets)
    if split == "all":
        return x, target
    if len(x) == 1:
        raise ValueError(f"{where}: one image cannot be divided; use split='all'.")
    if split_rule == "shuffled":
        # Unlike that of `default_rng`, the stream of `RandomState` never changes.
        order = np.argsort(np.random.RandomState(0).permutation(len(x)))
    else:
        order = _stratified(name, len(x), target)
    chosen = np.full(len(x), split == "train")
    chosen[order[: math.ceil(share * len(x))]] = split == "test"
    return x[chosen], None if target is None else target[chosen]


def check(split: str, split_rule: str) -> None:
    """Refuses a split or a rule that does not exist, with a ValueError."""
    arguments.one_of("split", split, SPLITS)
    arguments.one_of("split_rule", split_rule, SPLIT_RULES)


def _stratified(name: str, size: int, target: np.ndarray | None) -> np.ndarray:
    """Returns indices in a random order whose every beginning has all classes in proportion."""
    order = np.random.RandomState(zlib.crc32(name.encode())).permutation(size)
    if target is None:
        return order
    classes: Any = target if target.ndim == 1 else (target >= 0).any(axis=(1, 2))
    depth = np.empty(size)
    for label in np.unique(classes):
        members = np.flatnonzero(classes[order] == label)
        depth[members] = (np.arange(len(members)) + 0.5) / len(members)
    return order[np.argsort(depth, kind="stable")]
