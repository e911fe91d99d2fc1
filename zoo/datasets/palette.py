"""The colours of classes in a picture of a label map."""

import colorsys

import numpy as np

UNLABELLED = (1.0, 1.0, 1.0)


def colours(num_classes: int, *, background: int = 0) -> np.ndarray:
    """Returns a colour for every class, float32 `[num_classes, 3]` in [0, 1], background black.

    A class keeps its colour when there are more of them. To show label maps, see `painted`.
    """
    # Steps by the golden ratio never come back to a hue.
    rgb = [
        colorsys.hsv_to_rgb(0.618034 * i % 1, 0.65, 0.7 + 0.3 * (i % 2)) for i in range(num_classes)
    ]
    palette = np.array(rgb, np.float32).reshape(num_classes, 3)
    palette[background] = 0
    return palette


def painted(s: np.ndarray, *, num_classes: int, background: int = 0) -> np.ndarray:
    """Returns label maps [N, H, W] as colours, float32 `[N, H, W, 3]`; pixels of -1 are white."""
    palette = colours(num_classes, background=background)
    # Index -1 means the last row.
    return np.concatenate([palette, np.array([UNLABELLED], np.float32)])[s]
