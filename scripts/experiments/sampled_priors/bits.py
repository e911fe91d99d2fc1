"""Images as bits, to learn from and to be measured with."""

import dataclasses
import functools

import numpy as np

from zoo import datasets
from zoo.datasets.preparation import Preparation


@dataclasses.dataclass(frozen=True)
class Bits:
    """Images as bits.

    Args:
        train: to learn from, still grey.
        test: held-out images [N, H, W, C], still grey.
        preparation: makes bits of a batch.
    """

    train: datasets.Images
    test: np.ndarray
    preparation: Preparation

    def bits(self, x: np.ndarray) -> np.ndarray:
        """Returns images as bits, none of them flipped."""
        return (x > self.preparation.threshold).astype("float32")

    @functools.cached_property
    def held_out(self) -> np.ndarray:
        """The held-out images as bits."""
        return self.bits(self.test)
