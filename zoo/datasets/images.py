"""Labelled images in memory, from scikit-learn, TFDS, IDX files, `.npz` or image folders."""

import dataclasses
import gzip
import os
import pathlib
import re
import struct
import zipfile
import zlib

import numpy as np

from zoo.datasets.downloads import prepared
from zoo.datasets.splits import SPLITS, choose

OFFLINE = "'digits', a folder of images or IDX files (Debian's dataset-fashion-mnist), or a .npz"
IDX = re.compile(r"(?:(.+)[-.])?(images|labels)[-.]idx[13]-ubyte(?:\.gz)?")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
Parts = dict[str, tuple[np.ndarray, np.ndarray | None]]


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


def load(data: str | os.PathLike = "digits", *, split: str = "train") -> Images:
    """Reads one split of an image set into memory.

    Of a set that comes in one part, a fixed random 10 %, of `digits` 20 %, are for testing.

    Args:
        data: `"digits"`, an existing path (a folder of IDX files, a `.npz` with `x` and perhaps
            `y`, `x_test` and `y_test`, or a folder of equally large images, whose subfolders are
            the classes if it has any), or a TFDS name, `"tfds:NAME"` where a path is so called.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.

    Returns:
        `Images` with `x` `[N, H, W, C]` in [0, 1] and `y` `[N]`.

    Raises:
        ValueError: `data` or `split` is unknown, or the data are no valid images and labels.
        ConnectionError: A TFDS dataset is not on this machine and cannot be downloaded.
        ImportError: The library that reads this kind of data is not installed.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, got {split!r}.")
    data = os.fspath(data)
    path = pathlib.Path(data).expanduser()
    if data == "digits":
        name, (parts, num_classes) = data, _digits()
    elif data and path.exists():
        name, (parts, num_classes) = path.resolve().stem, _path(path)
    else:
        name = data.removeprefix("tfds:")
        parts, num_classes = _tfds(name)

    parts = {part: checked(f"{data} ({part})", *pair) for part, pair in parts.items()}
    seen = max((int(y.max()) + 1 for _, y in parts.values() if y is not None), default=0)
    if seen > (num_classes or seen):
        raise ValueError(f"{data}: label {seen - 1} is out of range for {num_classes} classes.")

    x, y = choose(data, parts, split, share=0.2 if data == "digits" else 0.1)
    return Images(name, x, y, None if y is None else num_classes or seen)


def checked(where: str, x: np.ndarray, y: np.ndarray | None) -> tuple:
    """Returns images as float32 `[N, H, W, C]` in [0, 1] and labels as int32, or refuses them."""
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
    x = x[..., None] if x.ndim == 3 else x
    x = np.divide(x, 255 if x.dtype == np.uint8 else 1, dtype=np.float32)
    return x, None if y is None else y.astype(np.int32)


def _digits() -> tuple[Parts, int]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"train": (digits.images / 16, digits.target)}, 10


def _path(path: pathlib.Path) -> tuple[Parts, int | None]:
    if path.suffix == ".npz":
        return _npz(path), None
    if not path.is_dir():
        raise ValueError(f"{path} is neither a .npz nor a folder; data may be {OFFLINE}.")
    if any(IDX.fullmatch(file.name) for file in path.iterdir()):
        return _idx_folder(path), None
    return _image_folder(path)


def _npz(path: pathlib.Path) -> Parts:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("x", "y", "x_test", "y_test") if key in file}
            if "x" not in arrays:
                raise ValueError(f"images must be called 'x', found {file.files}")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is no .npz of plain arrays: {error}.") from None
    keys = {"train": ("x", "y"), "test": ("x_test", "y_test")}
    return {part: (arrays[x], arrays.get(y)) for part, (x, y) in keys.items() if x in arrays}


def _idx_folder(folder: pathlib.Path) -> Parts:
    xs, ys = {}, {}
    for file in sorted(folder.iterdir()):
        match = IDX.fullmatch(file.name)
        if match is None or (file.suffix == ".gz" and file.with_suffix("").exists()):
            continue
        part = "test" if (match[1] or "").endswith(("t10k", "test")) else "train"
        arrays, rank = (xs, 3) if match[2] == "images" else (ys, 1)
        if part in arrays:
            raise ValueError(f"{folder}: {file.name} is a second file of {part} {match[2]}.")
        arrays[part] = _idx(file, rank)
    if not xs or ys.keys() - xs.keys():
        raise ValueError(f"{folder}: there are images for {list(xs)}, labels for {list(ys)}.")
    return {part: (xs[part], ys.get(part)) for part in SPLITS if part in xs}


def _idx(file: pathlib.Path, rank: int) -> np.ndarray:
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{file} is damaged: {error}.") from None
    magic, start = bytes((0, 0, 8, rank)), 4 + 4 * rank
    if content[:4] != magic:
        raise ValueError(f"{file} must start with {magic.hex()}, got {content[:4].hex() or None}.")
    shape = struct.unpack(f">{rank}I", content[4:start]) if len(content) >= start else (-1,)
    if len(content) - start != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{file} is truncated: {len(content)} bytes for an array of {shape}.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _image_folder(folder: pathlib.Path) -> tuple[Parts, int | None]:
    roots = {part: folder / part for part in ("train", "test")}
    if not all(root.is_dir() for root in roots.values()):
        roots = {"train": folder}
    xs, found = {}, {}
    for part, root in roots.items():
        files = sorted(file for file in root.rglob("[!.]*") if file.suffix.lower() in SUFFIXES)
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


def read_images(files: list[pathlib.Path]) -> np.ndarray:
    """Returns the pixels of image files, uint8 `[N, H, W]` or `[N, H, W, 3]`, or refuses them."""
    from PIL import Image

    images: list[np.ndarray] = []
    for file in files:
        try:
            with Image.open(file) as image:
                if image.mode[0] in "IF":  # Pillow would clip 16-bit and float pixels.
                    raise OSError(f"mode {image.mode} is not 8-bit gray or colour")
                mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
                images.append(np.asarray(image.convert(mode)))
        except (OSError, SyntaxError) as error:
            raise ValueError(f"{file} cannot be read: {error}.") from None
        if images[-1].shape != images[0].shape:
            shapes = f"{images[-1].shape}, but {files[0].name} is {images[0].shape}"
            raise ValueError(f"{file} is {shapes}; make all images the same size and mode.")
    return np.stack(images)


def _tfds(name: str) -> tuple[Parts, int | None]:
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
        features = builder.info.features
        if "image" not in features or None in features["image"].shape:
            raise ValueError(f"it has no 'image' of one size, but {list(features)}")
    except ValueError as error:
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"{name!r} is neither a path nor a TFDS image dataset ({reason}); "
            f"data may be a TFDS name such as 'mnist', {OFFLINE}."
        ) from None
    sets = prepared(builder, known=OFFLINE).as_dataset()
    num_classes = getattr(features["label"], "num_classes", None) if "label" in features else None
    keys = ("image", "label") if num_classes else ("image",)
    parts = {}
    for part in [part for part in SPLITS if part in sets]:
        batches = sets[part].map(lambda example: tuple(example[key] for key in keys)).batch(1024)
        columns = [np.concatenate(column) for column in zip(*tfds.as_numpy(batches), strict=True)]
        parts[part] = (columns[0], columns[1] if num_classes else None)
    if not parts:
        raise ValueError(f"TFDS dataset {name!r} has no train or test, but {list(sets)}.")
    return parts, num_classes
