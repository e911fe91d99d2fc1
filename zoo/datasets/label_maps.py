"""Images with label maps in memory."""

import dataclasses
import os
import pathlib

import numpy as np

from zoo.datasets import image_folder, images, mask_folder, npz, splits, tfds_maps
from zoo.datasets.fitting import Size, stacked
from zoo.datasets.palette import colours, painted
from zoo.datasets.silhouettes import INK, THRESHOLD, silhouettes

__all__ = ["SILHOUETTES", "LabelMaps", "colours", "load", "painted"]

SILHOUETTES = "silhouettes:"
KNOWN = (
    f"'{tfds_maps.CELEB_A}', '{tfds_maps.PETS}', a folder of images/ and masks/, a .npz with x and "
    f"s, or '{SILHOUETTES}DATA' for labelled images that zoo.datasets reads"
)


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
    """

    name: str
    x: np.ndarray
    s: np.ndarray
    num_classes: int
    classes: tuple[str, ...] | None = None


def load(
    data: str | os.PathLike,
    *,
    split: str = "train",
    size: int | Size = None,
    ignore: int | None = None,
    split_rule: str = "stratified",
) -> LabelMaps:
    """Reads one split of a set of images with label maps into memory.

    Of a folder or `.npz` that comes in one part, a fixed random 10 % are for testing.

    Args:
        data: `"celeb_a_mask_hq"` (see `celeb_a_mask_hq`; the validation part is not read);
            `"oxford_iiit_pet"`, pets of TFDS with a background and a border;
            a folder with `images/` and `masks/`, or with `train/` and `test/` that have these
            (see `mask_folder`);
            a `.npz` with `x` and `s` as in `LabelMaps`, perhaps also `x_test` and `s_test`, where
            255 marks pixels without a label, unless there are classes above it;
            or `"silhouettes:DATA"`, maps derived from labelled gray images that
            `zoo.datasets.load` reads (see `silhouettes`).
            `"tfds:NAME"` means TFDS if there is also a path of this name.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.
        size: (height, width), or the side of a square, in pixels. Images are cut around their
            centre to these proportions and resized bilinearly with antialiasing, maps by nearest
            neighbour. Pets need it; faces have 64 (the default) and 128.
        ignore: Class of the maps whose pixels count as pixels without a label, such as CamVid's
            "void", which is 11.
        split_rule: How a set in one part is divided: `"stratified"`, or `"shuffled"` as version
            0.1.0 did, see `splits.choose`.

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
    if data.startswith(SILHOUETTES):
        return _silhouettes(data, split=split, split_rule=split_rule)
    if data and path.exists():
        read = _npz(path) if path.suffix == ".npz" else _folder(path, size)
        parts = {part: _checked(*pair, where=f"{data} ({part})") for part, pair in read.items()}
        if ignore is not None:
            parts = {part: (x, np.where(s == ignore, -1, s)) for part, (x, s) in parts.items()}
        name, num_classes = path.resolve().stem, max(int(s.max()) + 1 for _, s in parts.values())
        if not num_classes:
            raise ValueError(f"{data}: no image has a map; add one, or use zoo.datasets.")
        x, s = splits.choose(parts, split, name=name, where=data, split_rule=split_rule)
        return LabelMaps(name, x, s, num_classes)
    name = data.removeprefix("tfds:")
    if name not in (tfds_maps.CELEB_A, tfds_maps.PETS):
        raise ValueError(f"{name!r} is neither a path nor known; data may be {KNOWN}.")
    x, s, classes = tfds_maps.read(name, split, size=size, known=KNOWN)
    return LabelMaps(name, *_checked(x, s, where=data), len(classes), classes)


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


def _npz(path: pathlib.Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    needs = "needs x and s, perhaps x_test and s_test"
    parts = npz.read(path, target="s", required=True, kind="images and maps", needs=needs)
    return {part: (x, mask_folder.labels(s)) for part, (x, s) in parts.items() if s is not None}


def _folder(folder: pathlib.Path, size: Size) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    roots = image_folder.parts_of(folder)
    return {part: stacked(mask_folder.examples(root), size=size) for part, root in roots.items()}
