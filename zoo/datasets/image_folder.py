"""A folder of equally large images, whose subfolders are their classes."""

import contextlib
import os
import pathlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_symvae import archive
from zoo.datasets.splits import Parts

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
# What Pillow reads by itself, whatever the suffix says; for PostScript it starts an interpreter.
KINDS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")


def parts_of(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Returns the folders {"train": ..., "test": ...} inside, or {"train": the folder itself}."""
    roots = {part: folder / part for part in ("train", "test")}
    return roots if all(root.is_dir() for root in roots.values()) else {"train": folder}


def read(folder: pathlib.Path) -> tuple[Parts, int | None]:
    """Returns the images and labels of every part, and the number of classes.

    Raises:
        ValueError: The images lie at different depths, differ in size or cannot be read.
    """
    xs: dict[str, np.ndarray] = {}
    found: dict[str, list[str]] = {}
    for part, root in parts_of(folder).items():
        files = sorted(_files(root))
        depths = {len(file.relative_to(root).parts) for file in files}
        if depths not in ({1}, {2}):
            raise ValueError(
                f"{root}: images ({', '.join(SUFFIXES)}, IDX) must lie all in this folder, or all "
                f"in its class subfolders, got {len(files)} images at depths {sorted(depths)}."
            )
        xs[part] = read_images(files)
        if depths == {2}:
            found[part] = [file.parent.name for file in files]
    classes = sorted(set().union(*found.values()))
    ys = {part: np.searchsorted(classes, names) for part, names in found.items()}
    return {part: (x, ys.get(part)) for part, x in xs.items()}, len(classes) or None


def _files(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields the images of a folder, down to the level at which none may lie."""
    for folder, folders, names in os.walk(root):  # It enters no links, so that none is a circle.
        here = pathlib.Path(folder)
        if len(here.relative_to(root).parts) == 2:
            folders.clear()
        files = (here / name for name in names if not name.startswith("."))
        yield from (file for file in files if file.suffix.lower() in SUFFIXES)


@contextlib.contextmanager
def opened(file: pathlib.Path, *, kind: str | None = None) -> Iterator["Image"]:
    """Opens an image.

    Args:
        file: The file.
        kind: The one of `KINDS` that it has to be, or any.

    Raises:
        ValueError: It is no image of this kind, is damaged, or is made to fill the memory.
    """
    import PIL.Image

    if not file.is_file():  # A pipe or a device would never end.
        raise ValueError(f"{file} is no file; remove it.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(file, formats=[kind] if kind else KINDS) as image:
                yield image
    except (PIL.Image.DecompressionBombWarning, PIL.Image.DecompressionBombError):
        raise ValueError(
            f"{file} has more than {PIL.Image.MAX_IMAGE_PIXELS:,} pixels, as files have that are "
            "made to fill the memory; if you trust it, shrink it, or raise "
            "PIL.Image.MAX_IMAGE_PIXELS."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error) as error:
        read = f"read as {kind}" if kind else "read"
        raise ValueError(f"{file} cannot be {read}: {error}.") from None


def check_together(files: list[pathlib.Path]) -> None:
    """Refuses images that would fill the memory together, if all are as large as the first one.

    Raises:
        ValueError: They are made to do so, or the first one is no image.
    """
    if len(files) < 2:
        return
    with opened(files[0]) as image:
        size = len(files) * image.width * image.height * len(image.getbands())
    stored = sum(file.stat().st_size for file in files if file.is_file())
    archive.check_expansion(size, stored=stored, where=f"{files[0].parent} with its images")


def read_images(files: list[pathlib.Path]) -> np.ndarray:
    """Returns the pixels of image files, uint8 `[N, H, W]` or `[N, H, W, 3]`.

    Raises:
        ValueError: An image cannot be read, is not 8-bit, or is unlike the first one.
    """
    check_together(files)
    images: list[np.ndarray] = []
    for file in files:
        with opened(file) as image:
            if image.mode[0] in "IF":  # Pillow would clip 16-bit and float pixels.
                raise OSError(f"mode {image.mode} is not 8-bit gray or colour")
            mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
            images.append(np.asarray(image.convert(mode)))
        if images[-1].shape != images[0].shape:
            shapes = f"{images[-1].shape}, but {files[0].name} is {images[0].shape}"
            raise ValueError(f"{file} is {shapes}; make all images the same size and mode.")
    return np.stack(images)
