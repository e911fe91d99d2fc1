"""The colours of classes in a picture of a label map."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np

UNLABELLED = (1.0, 1.0, 1.0)
BACKGROUND = (0.0, 0.0, 0.0)
# Okabe and Ito 2008, Color universal design: seven colours beside black that all can tell apart.
FIRST = ("e69f00", "56b4e9", "009e73", "f0e442", "0072b2", "d55e00", "cc79a7")
LEVELS = 6  # of red, of green and of blue, among which more colours are found
# What is seen, in linear RGB: by most, and without cones for long, middle or short waves (Machado,
# Oliveira, Fernandes 2009, A physiologically-based model for simulation of colour vision
# deficiency, severity 1).
SIGHTS = np.array(
    [
        np.eye(3),
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ]
)
# From linear RGB to Oklab, in which distances are those of sight (Ottosson 2020).
CONES = np.array(
    [
        [0.4122215, 0.5363325, 0.0514460],
        [0.2119035, 0.6806995, 0.1073970],
        [0.0883025, 0.2817188, 0.6299787],
    ]
)
OKLAB = np.array(
    [
        [0.2104543, 0.7936178, -0.0040720],
        [1.9779985, -2.4285922, 0.4505937],
        [0.0259040, 0.7827718, -0.8086758],
    ]
)


def colours(
    num_classes: int,
    *,
    background: int = 0,
    classes: Mapping[str, Sequence[int]] | None = None,
) -> np.ndarray:
    """Returns a colour for every class, float32 `[num_classes, 3]` in [0, 1].

    Where none are given the background is black, and others are told apart by people with any kind
    of colour vision as well as so many colours can be. A class keeps its colour when there are more
    of them. To show label maps, see `painted`.

    Args:
        num_classes: Number of classes.
        background: The class that is black.
        classes: {name: (red, green, blue) of 0 to 255} of all classes, in their order.
    """
    if classes is not None:
        return np.array(list(classes.values()), np.float32).reshape(-1, 3) / 255
    safe = _safe()
    rest = safe[np.arange(max(num_classes - 1, 0)) % len(safe)]
    return np.insert(rest, min(background, len(rest)), BACKGROUND, axis=0).astype(np.float32)


def painted(
    s: np.ndarray,
    *,
    num_classes: int,
    background: int = 0,
    classes: Mapping[str, Sequence[int]] | None = None,
) -> np.ndarray:
    """Returns label maps [N, H, W] as colours, float32 `[N, H, W, 3]`; pixels of -1 are white."""
    palette = colours(num_classes, background=background, classes=classes)
    # Index -1 means the last row.
    return np.concatenate([palette, np.array([UNLABELLED], np.float32)])[s]


def legend(
    num_classes: int, *, classes: Mapping[str, Sequence[int]] | None = None
) -> dict[str, list[float]]:
    """Returns {name: colour [3] in [0, 1]} of all classes, whose numbers stand in for names."""
    names = map(str, range(num_classes)) if classes is None else classes
    return dict(zip(names, colours(num_classes, classes=classes).tolist(), strict=True))


def seen(rgb: np.ndarray) -> np.ndarray:
    """Returns how colours [N, 3] in [0, 1] look by each of `SIGHTS`, in Oklab, [S, N, 3]."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = np.clip(linear @ SIGHTS.transpose(0, 2, 1), 0, 1) @ CONES.T
    return np.cbrt(cones) @ OKLAB.T


@functools.cache
def _safe() -> np.ndarray:
    """Returns colours [N, 3], each as far from those before it as any, by the worst sight."""
    first = [[int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)] for text in FIRST]
    levels = np.linspace(0, 1, LEVELS)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    rgb = np.concatenate([[BACKGROUND, UNLABELLED], first, grid])
    look = seen(rgb)
    gaps = np.linalg.norm(look[:, :, None] - look[:, None], axis=-1).min(axis=0)
    order = list(range(2 + len(first)))
    nearest = gaps[order].min(axis=0)
    while nearest.max() > 0:
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, gaps[order[-1]])
    return rgb[order[2:]]
