"""A folder of images, and of masks that hold the class of each of their pixels."""

import pathlib
from collections.abc import Iterator

import numpy as np

from zoo.datasets import image_folder

VOID = 255  # marks pixels without a label in VOC, Cityscapes and most other sets


def examples(root: pathlib.Path) -> Iterator[tuple[pathlib.Path, np.ndarray, np.ndarray]]:
    """Yields (file, image, map) in the order of names.

    Args:
        root: A folder with `images/`, of 8-bit gray or colour, and `masks/`, of PNGs that hold
            class indices as gray levels or as palette indices; 255 marks a pixel without a label.
            A mask is named like its image up to the suffix. An image may lack a mask.

    Yields:
        The image's file, uint8 `[H, W]` or `[H, W, 3]`, and int32 `[H, W]`, -1 in pixels without a
        label, which are all pixels of an image without a mask.

    Raises:
        ValueError: The folder is not laid out like this, or one of its files is not of this kind.
    """
    if not (root / "images").is_dir() or not (root / "masks").is_dir():
        raise ValueError(f"{root} must be a folder that has the folders images/ and masks/.")
    images, masks = _by_stem(root / "images"), _by_stem(root / "masks")
    for stem in sorted(masks.keys() - images.keys()):
        raise ValueError(f"{masks[stem]} has no image; remove it, or add images/{stem}.png.")
    if not images:
        suffixes = ", ".join(image_folder.SUFFIXES)
        raise ValueError(f"{root / 'images'} has no images ({suffixes}).")
    image_folder.check_together(list(images.values()))
    for stem, file in images.items():
        image = image_folder.read_images([file])[0]
        mask = np.full(image.shape[:2], -1, np.int32)
        if stem in masks:
            mask[:] = labels(_mask(masks[stem], image.shape[:2]))
        yield file, image, mask


def labels(mask: np.ndarray) -> np.ndarray:
    """Returns label maps in which -1 stands for pixels without a label, in place of 255.

    Maps with classes above 255 keep theirs of this number, and what holds no integers stays.
    """
    if mask.dtype.kind not in "iu" or mask.max(initial=0) > VOID:
        return mask
    signed = mask if mask.dtype.kind == "i" else mask.astype(np.int32)
    return np.where(mask == VOID, -1, signed)


def _by_stem(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    files: dict[str, pathlib.Path] = {}
    for file in sorted(folder.glob("[!.]*")):
        if file.suffix.lower() in image_folder.SUFFIXES:
            if file.stem in files:
                raise ValueError(f"{file} has the stem of {files[file.stem].name}; remove one.")
            files[file.stem] = file
    return files


def _mask(file: pathlib.Path, shape: tuple[int, ...]) -> np.ndarray:
    with image_folder.opened(file, kind="PNG") as image:
        with file.open("rb") as content:
            depth, mode = content.read(25)[24], image.mode
        mask = np.asarray(image)
    if mode != "P" and (mode, depth) != ("L", 8):  # Pillow scales gray levels of fewer bits.
        kind = f"mode {mode} of {depth} bits"
        raise ValueError(f"{file} has {kind}; save class indices as gray (8 bits) or palette PNG.")
    if mask.shape != shape:
        raise ValueError(f"{file} is {mask.shape}, its image is {shape}; make them the same size.")
    return mask
