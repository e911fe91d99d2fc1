"""Windows: overlapping parts of images that are larger than what a network takes."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.special import xlogy


def needed(images: object, *, size: Sequence[int]) -> bool:
    """Returns whether images [N, H, W, C] exceed (height, width, C) on one side, and fit both."""
    if not isinstance(images, np.ndarray) or images.ndim != 4 or images.shape[-1] != size[-1]:
        return False
    return images.shape[1:] != tuple(size) and bool(np.all(np.array(images.shape[1:]) >= size))


def segmented(
    answer: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    images: np.ndarray,
    *,
    size: Sequence[int],
    num_classes: int,
    samples: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Segments large images window by window; windows share at least half of their sides.

        P(s | x) = sum_w a_w P_w(s | x_w) / sum_w a_w

    for every pixel, where a_w falls from the centre of window w to its border. A sample takes every
    pixel from one of its windows, w with probability a_w / sum_w a_w, so that it has this
    distribution; one uniform number per window decides for all pixels, so that seams are lines.

    Args:
        answer: segments images of the size of a window, see `Segmentation.segment`.
        images: [N, H, W, C], at least as large as a window.
        size: (height, width, C) of a window.
        num_classes: of a pixel.
        samples: number of draws in an answer.
        seed: integer, of the seams.

    Returns:
        as `answer` does, of whole images.
    """
    rng = np.random.RandomState(seed % 2**32)
    share = np.multiply.outer(*(np.minimum(np.arange(n) + 1, n - np.arange(n)) for n in size[:2]))
    count, *whole = images.shape[:3]
    shares = np.zeros(whole, np.float32)
    p = np.zeros((count, *whole, num_classes), np.float32)
    drawn = np.zeros((count, samples, *whole), np.int32)
    places = (_places(n, part) for n, part in zip(whole, size, strict=False))
    for top, left in itertools.product(*places):
        rows, columns = slice(top, top + size[0]), slice(left, left + size[1])
        part = answer(images[:, rows, columns])
        shares[rows, columns] += share
        p[:, rows, columns] += share[..., None] * part["probabilities"]
        # The window so far drawn gives way with the share that the new one has among all.
        taken = rng.random_sample((count, samples, 1, 1)) < share / shares[rows, columns]
        before = drawn[..., rows, columns]
        drawn[..., rows, columns] = np.where(taken, part["samples"], before)
    p /= shares[..., None]
    s = p.argmax(axis=-1).astype(np.int32)
    return {"s": s, "probabilities": p, "samples": drawn, "uncertainty": -xlogy(p, p).sum(axis=-1)}


def _places(whole: int, part: int) -> list[int]:
    """Returns where windows begin along one side of an image."""
    count = 1 + math.ceil(2 * (whole - part) / part)
    return np.linspace(0, whole - part, count).round().astype(int).tolist()
