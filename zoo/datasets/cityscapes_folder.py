"""A folder in the layout of Cityscapes: leftImg8bit and gtFine, with a folder for every city."""

import pathlib

from zoo.datasets.mask_folder import Pairs, matched, subfolders

CLASSES = "cityscapes"
IMAGES, MASKS = "leftImg8bit", "gtFine"
IMAGE, MASK = "_leftImg8bit.png", "_gtFine_labelIds.png"
PARTS = {"train": "train", "test": "val"}  # the masks of its test part are not public


def holds(folder: pathlib.Path) -> bool:
    """Returns whether a folder is laid out like this."""
    return all((folder / room / "train").is_dir() for room in (IMAGES, MASKS))


def pairs(folder: pathlib.Path) -> dict[str, Pairs]:
    """Returns the pairs of train/ as "train", and those of val/, if there is one, as "test".

    Raises:
        ValueError: there are no images, or a mask has none.
    """
    found = {}
    for part, name in PARTS.items():
        images = _files(folder / IMAGES / name, IMAGE)
        if part == "train" and not images:
            raise ValueError(f"{folder / IMAGES / name} has no images CITY/NAME{IMAGE}.")
        if images:
            found[part] = matched(images, _files(folder / MASKS / name, MASK), where=folder)
    return found


def _files(folder: pathlib.Path, ending: str) -> dict[str, pathlib.Path]:
    """Returns {"city/name": file} of the files with an ending."""
    return {
        f"{city.name}/{file.name.removesuffix(ending)}": file
        for city in subfolders(folder)
        for file in city.glob(f"[!.]*{ending}")
    }
