"""A mask: the label map of one image as a PNG of numbers or of colours."""

import pathlib

import numpy as np

from zoo.datasets import image_folder
from zoo.datasets.class_table import UNLABELLED, ClassTable


def read(file: pathlib.Path, *, shape: tuple[int, ...], classes: ClassTable | None) -> np.ndarray:
    """Returns the classes of the pixels of an image, int32 [H, W], -1 in pixels without a label.

    Gray levels and palette indices are numbers of classes. Colours need a table, and a palette that
    is made of its colours is read as these: programs that shrink PNGs choose such palettes, and
    their indices mean nothing.

    Args:
        file: of the mask.
        shape: (height, width) of its image.
        classes: the table; None: the numbers are the classes, and 255 marks no label.

    Raises:
        ValueError: it is no such PNG, is of another size than its image, or has numbers or colours
            that the table lacks.
    """
    with image_folder.opened(file, kind="PNG") as image:
        if (image.height, image.width) != shape:  # before room is made for its pixels
            raise ValueError(
                f"{file} is {(image.height, image.width)}, its image is {shape}; make them the "
                "same size."
            )
        with file.open("rb") as content:
            depth, mode = content.read(25)[24], image.mode
        palette = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)
        mask = np.asarray(image)
    if classes is not None and depth == 8 and mode in ("RGB", "RGBA"):
        if not (mask[..., 3:] == 255).all():
            raise ValueError(f"{file} has transparent pixels, whose colours are no classes.")
        return classes.of_colours(mask[..., :3], where=str(file))
    if mode != "P" and (mode, depth) != ("L", 8):  # Pillow scales gray levels of fewer bits.
        raise ValueError(
            f"{file} has mode {mode} of {depth} bits; save class indices as gray (8 bits) or "
            "palette PNG, or say by `classes` what its colours mean, if it has 8 bits of each."
        )
    if classes is None:
        return labels(mask).astype(np.int32)
    if mode == "P" and _tells(palette, np.unique(mask), classes):
        return classes.of_colours(palette[mask], where=str(file))
    return classes.of_numbers(mask, where=str(file))


def labels(mask: np.ndarray) -> np.ndarray:
    """Returns label maps in which -1 stands for pixels without a label, in place of 255.

    Maps with classes above 255 keep theirs of this number, and what holds no integers stays.
    """
    if mask.dtype.kind not in "iu" or mask.max(initial=0) > UNLABELLED:
        return mask
    signed = mask if mask.dtype.kind == "i" else mask.astype(np.int32)
    return np.where(mask == UNLABELLED, -1, signed)


def _tells(palette: np.ndarray, used: np.ndarray, classes: ClassTable) -> bool:
    """Returns whether the colours that a mask uses are those of the table, and no mere grays."""
    if used.max() >= len(palette):
        return False
    colours = palette[used]
    return bool((colours != used[:, None]).any()) and classes.has_colours(colours)
