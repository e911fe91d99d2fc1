"""Images with label maps in memory."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from zoo.datasets import (
    celeb_a_folder,
    cityscapes_folder,
    image_folder,
    images,
    known_classes,
    mask_file,
    mask_folder,
    npz,
    splits,
    tfds_maps,
    voc_folder,
)
from zoo.datasets.class_table import ClassTable, Colour
from zoo.datasets.fitting import Size, stacked
from zoo.datasets.known_classes import Classes
from zoo.datasets.palette import colours, painted
from zoo.datasets.silhouettes import INK, THRESHOLD, silhouettes

__all__ = ["SILHOUETTES", "LabelMaps", "colours", "load", "own_classes", "painted"]

SILHOUETTES = "silhouettes:"
KNOWN = (
    f"'{tfds_maps.CELEB_A}', '{tfds_maps.PETS}', a folder of images/ and masks/ or as VOC, "
    f"Cityscapes or CelebAMask-HQ lay theirs out, a .npz with x and s, or '{SILHOUETTES}DATA' for "
    "labelled images that zoo.datasets reads"
)
LAYOUTS = (voc_folder, cityscapes_folder, celeb_a_folder)


@dataclasses.dataclass(frozen=True)
class LabelMaps:
    """Images in memory with a class for each of their pixels.

    Attributes:
        name: What the set is called.
        x: float32 `[N, H, W, C]` in [0, 1].
        s: int32 `[N, H, W]` in `[0, num_classes)`; -1 in pixels without a label, and all over where
            an image has no map.
        num_classes: Number of classes over train and test together.
        classes: Their names, or None where they are not known.
        colours: `{name: (red, green, blue)}` in which pictures show them, or None.
    """

    name: str
    x: np.ndarray
    s: np.ndarray
    num_classes: int
    classes: tuple[str, ...] | None = None
    colours: dict[str, Colour] | None = None


def load(
    data: str | os.PathLike,
    *,
    split: str = "train",
    size: int | Size = None,
    ignore: int | None = None,
    split_rule: str = "stratified",
    classes: Classes | None = None,
) -> LabelMaps:
    """Reads one split of a set of images with label maps into memory.

    Of a folder or `.npz` that comes in one part, a fixed random 10 % are for testing. Images of a
    folder are read and fitted one by one.

    Args:
        data: `"celeb_a_mask_hq"` (see `celeb_a_mask_hq`; the validation part is not read);
            `"oxford_iiit_pet"`, pets of TFDS with a background and a border;
            a folder with `images/` and `masks/`, or with `train/` and `test/` that have these
            (see `mask_folder`), or a folder as VOC, Cityscapes or CelebAMask-HQ lay theirs out
            (see `voc_folder`, `cityscapes_folder`, `celeb_a_folder`);
            a `.npz` with `x` and `s` as in `LabelMaps`, perhaps also `x_test` and `s_test`, where
            255 marks pixels without a label, unless there are classes above it;
            or `"silhouettes:DATA"`, maps derived from labelled gray images that
            `zoo.datasets.load` reads (see `silhouettes`).
            `"tfds:NAME"` means TFDS if there is also a path of this name.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.
        size: (height, width), or the side of a square, in pixels. Images are cut around their
            centre to these proportions and resized bilinearly with antialiasing, maps by nearest
            neighbour. Pets and a folder of faces need it; faces of TFDS have 64 (the default) and
            128.
        ignore: Class of the maps whose pixels count as pixels without a label, such as CamVid's
            "void", which is 11.
        split_rule: How a set in one part is divided: `"stratified"`, or `"shuffled"` as version
            0.1.0 did, see `splits.choose`.
        classes: What the numbers or colours of the maps mean: a key of `known_classes.TABLES`
            (`"camvid"`, `"voc"`, `"cityscapes"`, ...), a `.json` or `.csv` (see
            `class_table.read`), `{name: colour}`, or a `ClassTable`. Default: the table of the
            layout; else the numbers are the classes, which have no names.

    Raises:
        ValueError: An argument is unknown, or the data are no valid images and maps.
        FileNotFoundError: Data that are downloaded by hand are missing.
        ConnectionError: A TFDS dataset is not on this machine and cannot be downloaded.
    """
    splits.check(split, split_rule)
    size = (size, size) if isinstance(size, int) else size
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise ValueError(f"size must be (height, width) in pixels, got {size}.")
    data = os.fspath(data)
    path = pathlib.Path(data).expanduser()
    if ignore is not None and not path.exists():
        raise ValueError(f"ignore={ignore} is of maps in a folder or .npz; {data!r} is none.")
    if size is not None and (data.startswith(SILHOUETTES) or path.suffix == ".npz"):
        raise ValueError(f"{data} has a size of its own; leave out size={size}.")
    classes = own_classes(data) if classes is None else classes
    table = None if classes is None else known_classes.get(classes)
    if data.startswith(SILHOUETTES):
        found = _silhouettes(data, split=split, split_rule=split_rule)
    elif data and path.exists():
        found = _path(path, split, size=size, ignore=ignore, split_rule=split_rule, table=table)
    else:
        name = data.removeprefix("tfds:")
        if name not in (tfds_maps.CELEB_A, tfds_maps.PETS):
            raise ValueError(f"{name!r} is neither a path nor known; data may be {KNOWN}.")
        x, s, names = tfds_maps.read(name, split, size=size, known=KNOWN)
        found = LabelMaps(name, *_checked(x, s, where=data), len(names), names)
    if table is None:
        return found
    if found.num_classes > len(table.names):
        raise ValueError(
            f"{data} has {found.num_classes} classes, and the table has {len(table.names)}: "
            f"{', '.join(table.names)}."
        )
    return dataclasses.replace(
        found, num_classes=len(table.names), classes=table.names, colours=table.shown
    )


def own_classes(data: str | os.PathLike) -> str | None:
    """Returns the key of the table of classes that data have by themselves, or None."""
    path = pathlib.Path(data).expanduser()
    if os.fspath(data).removeprefix("tfds:") == tfds_maps.CELEB_A and not path.exists():
        return celeb_a_folder.CLASSES
    return next((layout.CLASSES for layout in LAYOUTS if layout.holds(path)), None)


def _checked(x: np.ndarray, s: np.ndarray, *, where: str) -> tuple[np.ndarray, np.ndarray]:
    x, _ = images.checked(x, where=where)
    if s.shape != x.shape[:3] or s.dtype.kind not in "iu":
        raise ValueError(
            f"{where}: maps must be integers, one for each pixel of {x.shape[:3]}, got {s.dtype} "
            f"{s.shape}; store class indices."
        )
    if s.min() < -1:
        raise ValueError(
            f"{where}: classes count from 0, and -1 marks pixels without a label, but a map has "
            f"{s.min()}; renumber it."
        )
    if s.max() > np.iinfo(np.int32).max:
        raise ValueError(f"{where}: {s.max()} is no class; renumber the map from 0.")
    return x, s.astype(np.int32)


def _silhouettes(data: str, *, split: str, split_rule: str) -> LabelMaps:
    source = images.load(data.removeprefix(SILHOUETTES), split=split, split_rule=split_rule)
    if source.y is None or source.num_classes is None or source.x.shape[-1] != 1:
        kind = "unlabelled" if source.y is None else "in colour"
        raise ValueError(f"{data}: silhouettes need labelled gray images, these are {kind}.")
    threshold = INK if source.name == "digits" else THRESHOLD
    s = silhouettes(source.x, source.y, threshold=threshold)
    return LabelMaps(data, source.x, s, source.num_classes + 1)


def _path(
    path: pathlib.Path,
    split: str,
    *,
    size: Size,
    ignore: int | None,
    split_rule: str,
    table: ClassTable | None,
) -> LabelMaps:
    """Reads a folder, whose masks a table translates one by one, or a `.npz`."""
    if path.suffix == ".npz":
        readers = {part: functools.partial(tuple, pair) for part, pair in _npz(path).items()}
    else:
        readers = {
            part: functools.partial(stacked, examples, size=size)
            for part, examples in _examples(path, table).items()
        }
    # Without a table, the other part may have more classes.
    alone = table is not None and len(readers) == 2 and split != "all"
    parts = {
        part: _checked(*read(), where=f"{path} ({part})")
        for part, read in readers.items()
        if part == split or not alone
    }
    if table is not None and path.suffix == ".npz":
        where = f"{path}: s"
        parts = {part: (x, table.of_numbers(s, where=where)) for part, (x, s) in parts.items()}
    if ignore is not None:
        parts = {part: (x, np.where(s == ignore, -1, s)) for part, (x, s) in parts.items()}
    name, num_classes = path.resolve().stem, max(int(s.max()) + 1 for _, s in parts.values())
    if not num_classes:
        raise ValueError(f"{path}: no image has a map; add one, or use zoo.datasets.")
    x, s = (
        parts[split]
        if alone
        else splits.choose(parts, split, name=name, where=str(path), split_rule=split_rule)
    )
    return LabelMaps(name, x, s, num_classes)


def _npz(path: pathlib.Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    needs = "needs x and s, perhaps x_test and s_test"
    parts = npz.read(path, target="s", required=True, kind="images and maps", needs=needs)
    return {part: (x, mask_file.labels(s)) for part, (x, s) in parts.items() if s is not None}


def _examples(
    folder: pathlib.Path, table: ClassTable | None
) -> dict[str, Iterator[mask_folder.Example]]:
    """Returns the examples of every part of a folder, by its layout."""
    if celeb_a_folder.holds(folder):
        parts = celeb_a_folder.parts(folder)
        return {part: celeb_a_folder.examples(folder, parts[part]) for part in ("train", "test")}
    if voc_folder.holds(folder):
        pairs = voc_folder.pairs(folder)
    elif cityscapes_folder.holds(folder):
        pairs = cityscapes_folder.pairs(folder)
    else:
        roots = image_folder.parts_of(folder)
        pairs = {part: mask_folder.pairs(root) for part, root in roots.items()}
    return {part: mask_folder.examples(each, classes=table) for part, each in pairs.items()}
