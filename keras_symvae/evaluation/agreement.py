"""The agreement of two label maps."""

import numpy as np
from numpy.typing import ArrayLike

from keras_symvae import arguments


def agreement(maps: ArrayLike, truth: ArrayLike) -> dict[str, float]:
    """Returns the share of pixels that agree, and the mean over classes of intersection over union.

    Args:
        maps: integer classes [N, H, W] that were predicted.
        truth: integer classes [N, H, W]. Pixels of -1 are unknown and do not count.

    Returns:
        {"pixel_accuracy", "mean_iou"}; the mean runs over the classes that occur in truth.

    Raises:
        ValueError: shapes differ, or truth has no known pixel.
    """
    maps, truth = _known(maps, truth)
    return {
        "pixel_accuracy": float(np.mean(maps == truth)),
        "mean_iou": float(np.mean(list(overlaps(maps, truth).values()))),
    }


def overlaps(maps: ArrayLike, truth: ArrayLike) -> dict[int, float]:
    """Returns {class: intersection over union} of every class that occurs in truth.

    Args:
        maps: integer classes [N, H, W] that were predicted.
        truth: integer classes [N, H, W]. Pixels of -1 are unknown and do not count.

    Raises:
        ValueError: shapes differ, or truth has no known pixel.
    """
    maps, truth = _known(maps, truth)
    found = {}
    for label in np.unique(truth):
        predicted, true = maps == label, truth == label
        found[int(label)] = float(np.sum(predicted & true) / np.sum(predicted | true))
    return found


def _known(maps: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns both maps at the pixels whose truth is known, [P] each."""
    maps, truth = arguments.array("maps", maps), arguments.array("truth", truth)
    if maps.shape != truth.shape:
        raise ValueError(f"maps are {maps.shape}, truth is {truth.shape}; they must be the same.")
    known = truth >= 0
    if not known.any():
        raise ValueError("truth has no known pixel: all its labels are -1; leave such maps out.")
    return maps[known], truth[known]
