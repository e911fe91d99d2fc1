"""Labelled images in memory."""

import dataclasses
import os
import pathlib

import numpy as np

from zoo.datasets import embedded, idx_folder, image_folder, npz, splits, tfds_images
from zoo.datasets.downloads import OFFLINE
from zoo.datasets.splits import Parts


@dataclasses.dataclass(frozen=True)
class Images:
    """A labelled image set in memory.

    Attributes:
        name: What the set is called.
        x: float32 `[N, H, W, C]` in [0, 1].
        y: int32 `[N]` in `[0, num_classes)`, or None for unlabelled images.
        num_classes: Number of classes over train and test together, or None without labels.
    """

    name: str
    x: np.ndarray
    y: np.ndarray | None
    num_classes: int | None


def load(
    data: str | os.PathLike = "fashion_mnist_bits",
    *,
    split: str = "train",
    split_rule: str = "stratified",
) -> Images:
    """Reads one split of an image set into memory.

    Of a set that comes in one part, a fixed random 10 %, of `digits` 20 %, are for testing.

    Args:
        data: `"fashion_mnist_bits"` or `"digits"`, see `embedded`; an existing path, which is a
            folder of IDX files, a `.npz` with `x` and perhaps `y`, `x_test` and `y_test`, or a
            folder of equally large images, whose subfolders, if it has any, are the classes; or a
            TFDS name, written `"tfds:NAME"` if there is also a path of this name.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.
        split_rule: How a set in one part is divided: `"stratified"`, or `"shuffled"` as version
            0.1.0 did, see `splits.choose`.

    Raises:
        ValueError: An argument is unknown, or the data are no valid images and labels.
        ConnectionError: A TFDS dataset is not on this machine and cannot be downloaded.
        ImportError: The library that reads this kind of data is not installed.
    """
    splits.check(split, split_rule)
    data = os.fspath(data)
    path = pathlib.Path(data).expanduser()
    if data in embedded.SHARES:
        name, (parts, num_classes) = data, embedded.read(data)
    elif data and path.exists():
        name, (parts, num_classes) = path.resolve().stem, _path(path)
    else:
        name = data.removeprefix("tfds:")
        parts, num_classes = tfds_images.read(name)

    parts = {part: checked(*pair, where=f"{data} ({part})") for part, pair in parts.items()}
    seen = max((int(y.max()) + 1 for _, y in parts.values() if y is not None), default=0)
    if seen > (num_classes or seen):
        raise ValueError(f"{data}: label {seen - 1} is out of range for {num_classes} classes.")

    share = embedded.SHARES.get(data, 0.1)
    x, y = splits.choose(parts, split, name=name, where=data, share=share, split_rule=split_rule)
    return Images(name, x, y, None if y is None else num_classes or seen)


def settled(data: str) -> str:
    """Returns a path in full, and the name of a data set as it is."""
    path = pathlib.Path(data).expanduser()
    return str(path.resolve()) if data not in embedded.SHARES and path.exists() else data


def checked(
    x: np.ndarray, y: np.ndarray | None = None, *, where: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns images as float32 `[N, H, W, C]` in [0, 1], and labels as int32.

    Args:
        x: Images `[N, H, W]` or `[N, H, W, C]`, uint8 or float.
        y: Labels `[N]`, or None.
        where: Where they come from, for messages.

    Raises:
        ValueError: They are no images of this kind, or not labelled by one class each.
    """
    if x.ndim not in (3, 4) or not x.size:
        raise ValueError(f"{where}: images must be [N, H, W(, C)], not empty, got {x.shape}.")
    if x.dtype != np.uint8 and x.dtype.kind not in "bf":
        hint = "make them uint8 in 0..255, or float in [0, 1]"
        raise ValueError(f"{where}: images are {x.dtype}; {hint}.")
    if x.dtype != np.uint8 and not (x.min() >= 0 and x.max() <= 1):  # NaN fails this too.
        raise ValueError(
            f"{where}: float pixels must lie in [0, 1], got {x.min():g} to {x.max():g}; divide "
            "them by their range, or store 0..255 as uint8."
        )
    if y is not None and (y.shape != x.shape[:1] or y.dtype.kind not in "iu"):
        raise ValueError(
            f"{where}: labels must be one integer for each of {len(x)} images, got {y.dtype} "
            f"{y.shape}; pass class indices, or leave the labels out."
        )
    if y is not None and y.min() < 0:
        raise ValueError(f"{where}: labels must count from 0, got {y.min()}; renumber them.")
    if y is not None and y.max() > np.iinfo(np.int32).max:
        raise ValueError(f"{where}: label {y.max()} is no class; renumber them from 0.")
    x = x[..., None] if x.ndim == 3 else x
    x = np.divide(x, 255 if x.dtype == np.uint8 else 1, dtype=np.float32)
    return x, None if y is None else y.astype(np.int32)


def _path(path: pathlib.Path) -> tuple[Parts, int | None]:
    if path.suffix == ".npz":
        needs = "images must be called 'x'"
        return npz.read(path, target="y", required=False, kind="plain arrays", needs=needs), None
    if not path.is_dir():
        raise ValueError(f"{path} is neither a .npz nor a folder; data may be {OFFLINE}.")
    if idx_folder.holds(path):
        return idx_folder.read(path), None
    return image_folder.read(path)
