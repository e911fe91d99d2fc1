"""Fitting images and their label maps, which may have many sizes, to one size."""

from collections.abc import Iterable, Sequence

import numpy as np

Size = tuple[int, int] | None


def stacked(
    examples: Iterable[tuple[object, np.ndarray, np.ndarray]], *, size: Size
) -> tuple[np.ndarray, np.ndarray]:
    """Returns images and maps as two arrays, [N, H, W(, C)] and [N, H, W].

    Args:
        examples: (where it comes from, image, map) each.
        size: (height, width) that all are fitted to; None: all have one size already.

    Raises:
        ValueError: The images do not have one shape.
    """
    xs: list[np.ndarray] = []
    ss: list[np.ndarray] = []
    for where, x, s in examples:
        if size is None and x.shape[:2] != s.shape:
            raise ValueError(f"{where} is {x.shape}, and its map is {s.shape}; pass a size.")
        x, s = (x, s) if size is None else fitted(x, s, size=size)
        if xs and x.shape != xs[0].shape:
            shapes = f"{x.shape}, images before it are {xs[0].shape}"
            raise ValueError(f"{where} is {shapes}; pass a size, and do not mix gray and colour.")
        xs.append(x)
        ss.append(s)
    if not xs:
        raise ValueError("There are no images of this part; look whether all files were copied.")
    return np.stack(xs), np.stack(ss)


def fitted(x: np.ndarray, s: np.ndarray, *, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns an image and its map, cut around their centre and resized to (height, width).

    Images are resized bilinearly with antialiasing, maps by nearest neighbour. An image may have
    more pixels than its map.
    """
    from PIL import Image

    scale = min(whole / part for whole, part in zip(s.shape, size, strict=True))
    cut = [max(1, round(scale * part)) for part in size]
    height, width = size
    image = Image.fromarray(_middle(x, cut, of=s))
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    rows, columns = ((2 * np.arange(n) + 1) * m // (2 * n) for n, m in zip(size, cut, strict=True))
    return np.asarray(image), _middle(s, cut, of=s)[np.ix_(rows, columns)]


def _middle(a: np.ndarray, cut: Sequence[int], *, of: np.ndarray) -> np.ndarray:
    """Returns what lies under the middle pixels of another array, which has as many or fewer."""
    spans = []
    for whole, part, pixels in zip(of.shape, cut, a.shape, strict=False):
        first = (whole - part) // 2
        spans.append(slice(*(round(end * pixels / whole) for end in (first, first + part))))
    return a[tuple(spans)]
