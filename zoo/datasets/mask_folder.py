"""A folder of images, and of masks that hold the class of each of their pixels."""

import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from zoo.datasets import image_folder, mask_file
from zoo.datasets.class_table import ClassTable

Pairs = list[tuple[pathlib.Path, pathlib.Path | None]]  # an image and its mask, if it has one
Example = tuple[pathlib.Path, np.ndarray, np.ndarray]
ENDINGS = ("_L", "_mask", "_label")  # of the names of masks; "_L" are those of CamVid
LISTED = 5  # names that a message lists


def pairs(root: pathlib.Path) -> Pairs:
    """Returns the pairs of a folder in the order of names.

    Args:
        root: a folder with `images/` and `masks/`. A mask is named like its image up to the suffix,
            before which all masks may have one of `ENDINGS`. An image may lack a mask.

    Raises:
        ValueError: the folder is not laid out like this, or a mask has no image.
    """
    if not (root / "images").is_dir() or not (root / "masks").is_dir():
        raise ValueError(f"{root} must be a folder that has the folders images/ and masks/.")
    images, masks = _by_stem(root / "images"), _by_stem(root / "masks")
    if not images:
        suffixes = ", ".join(image_folder.SUFFIXES)
        raise ValueError(f"{root / 'images'} has no images ({suffixes}).")
    for ending in ENDINGS:
        if masks and all(stem.endswith(ending) for stem in masks) and not images.keys() & masks:
            masks = {stem.removesuffix(ending): file for stem, file in masks.items()}
    return matched(images, masks, where=root)


def matched(
    images: Mapping[str, pathlib.Path], masks: Mapping[str, pathlib.Path], *, where: pathlib.Path
) -> Pairs:
    """Returns images with the masks of their names, in the order of names.

    Raises:
        ValueError: a mask has no image; lists these, and the images that have no mask.
    """
    lonely = sorted(masks.keys() - images.keys())
    if lonely:
        bare = sorted(images.keys() - masks.keys())
        rest = f", while {listed(bare, 'image')} no mask" if bare else ""
        raise ValueError(
            f"{where}: {listed(lonely, 'mask')} no image{rest}. Name a mask like its image up to "
            "the suffix, or remove it."
        )
    return [(file, masks.get(name)) for name, file in sorted(images.items())]


def listed(names: Sequence[str], kind: str) -> str:
    """Returns some names and how many there are, such as "2 masks (a, b) have"."""
    more = f" and {len(names) - LISTED:,} others" if len(names) > LISTED else ""
    number = f"{len(names):,} {kind}s" if len(names) > 1 else f"1 {kind}"
    return f"{number} ({', '.join(names[:LISTED])}{more}) {'have' if len(names) > 1 else 'has'}"


def subfolders(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the folders inside of one, without links, of which some may be circles."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(folder / e.name for e in entries if e.is_dir(follow_symlinks=False))


def examples(found: Pairs, *, classes: ClassTable | None) -> Iterator[Example]:
    """Yields (file, image, map), of which one is in memory at a time.

    Args:
        found: the pairs.
        classes: what the masks' numbers or colours mean, see `mask_file.read`.

    Yields:
        The image's file, uint8 `[H, W]` or `[H, W, 3]`, and int32 `[H, W]`, -1 in pixels without a
        label, which are all pixels of an image without a mask.

    Raises:
        ValueError: a file is not of this kind, or all together would fill the memory.
    """
    image_folder.check_together([image for image, _ in found])
    for file, mask in found:
        image = image_folder.read_images([file])[0]
        shape = image.shape[:2]
        if mask is None:
            yield file, image, np.full(shape, -1, np.int32)
        else:
            yield file, image, mask_file.read(mask, shape=shape, classes=classes)


def _by_stem(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    files: dict[str, pathlib.Path] = {}
    for file in sorted(folder.glob("[!.]*")):
        if file.suffix.lower() in image_folder.SUFFIXES:
            if file.stem in files:
                raise ValueError(f"{file} has the stem of {files[file.stem].name}; remove one.")
            files[file.stem] = file
    return files
