"""Silhouettes: label maps that are derived from labelled gray images on black."""

import numpy as np

INK = 0.4375  # In a digit of scikit-learn, gray is the share of a pixel that ink covers.
THRESHOLD = 0.05  # Fashion-MNIST has faint halos below it, and whole garments at 0.1.
SPECK = 0.01  # share of an image's pixels


def silhouettes(x: np.ndarray, y: np.ndarray, *, threshold: float = THRESHOLD) -> np.ndarray:
    """Returns label maps: 0 for the background, 1 + its label for the thing on an image.

    The thing is what is brighter than the threshold. Connected pieces under 1 % of the image then
    change sides: bright ones are noise, dark ones are prints, checks and seams. Larger holes stay,
    because the handle of a bag and the straps of a sandal belong to its outline.

    Args:
        x: float `[N, H, W, 1]` in [0, 1].
        y: int `[N]`, from 0.
        threshold: Gray level in [0, 1].

    Returns:
        int32 `[N, H, W]`.
    """
    on = _without_specks(x[..., 0] > threshold, connectivity=2)
    on = ~_without_specks(~on, connectivity=1)
    return np.where(on, 1 + y[:, None, None], 0).astype(np.int32)


def _without_specks(on: np.ndarray, *, connectivity: int) -> np.ndarray:
    from scipy import ndimage

    within = np.zeros((3, 3, 3), bool)  # Pieces connect within an image, not between images.
    within[1] = ndimage.generate_binary_structure(2, connectivity)
    pieces, _ = ndimage.label(on, within)
    small = np.bincount(pieces.ravel()) < SPECK * on[0].size
    return on & ~small[pieces]
