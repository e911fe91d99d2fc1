"""A folder in the layout of PASCAL VOC: JPEGImages, SegmentationClass, and lists of names."""

import pathlib

from zoo.datasets.mask_folder import Pairs, listed

CLASSES = "voc"
IMAGES, MASKS, LISTS = "JPEGImages", "SegmentationClass", "ImageSets/Segmentation"
PARTS = {"train": "train.txt", "test": "val.txt"}  # the masks of its test part are not public
LARGEST = 2**26  # bytes of a list


def holds(folder: pathlib.Path) -> bool:
    """Returns whether a folder, such as VOCdevkit/VOC2012, is laid out like this."""
    return all((folder / name).is_dir() for name in (IMAGES, MASKS, LISTS))


def pairs(folder: pathlib.Path) -> dict[str, Pairs]:
    """Returns the pairs of train.txt as "train", and those of val.txt, if there is one, as "test".

    Raises:
        ValueError: a list is missing, names no files, or names one that is not there.
    """
    found = {}
    for part, name in PARTS.items():
        path = folder / LISTS / name
        if part == "train" or path.exists():
            found[part] = _listed(folder, path)
    return found


def _listed(folder: pathlib.Path, path: pathlib.Path) -> Pairs:
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise ValueError(f"{path} must be a list of the names of images, one a line.")
    try:
        names = path.read_text(encoding="utf-8").split()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no list of names: {error}.") from None
    for name in names:
        there = pathlib.PureWindowsPath(name)
        if len(there.parts) != 1 or there.drive or name == ".." or not name.isprintable():
            raise ValueError(f"{path} names {name!r}, which leads out of the folder; remove it.")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{path} names no image, or one twice; copy it again.")
    for room, suffix, kind in ((IMAGES, ".jpg", "image"), (MASKS, ".png", "mask")):
        there = {file.stem for file in (folder / room).glob(f"*{suffix}")}
        missing = sorted(set(names) - there)
        if missing:
            raise ValueError(
                f"{path} names what is not in {folder / room}: {listed(missing, kind)} no file "
                f"NAME{suffix}; copy them again."
            )
    return [(folder / IMAGES / f"{name}.jpg", folder / MASKS / f"{name}.png") for name in names]
