"""Labelled images in memory, from scikit-learn, TFDS, IDX files, `.npz` or image folders."""

import dataclasses
import gzip
import os
import pathlib
import re
import struct
import urllib.error
import zipfile
import zlib

import numpy as np

SPLITS = ("train", "test", "all")
OFFLINE = (
    "'digits', a folder of IDX files (such as Debian's dataset-fashion-mnist), a .npz with 'x' "
    "and perhaps 'y', or a folder of images"
)
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

    A set that comes in one part is divided by a permutation that never changes: 20 % of `digits`
    and 10 % of anything else is for testing.

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

    xs = {part: _pixels(f"{data} ({part})", x) for part, (x, _) in parts.items()}
    ys = {part: _labels(f"{data} ({part})", y, len(xs[part])) for part, (_, y) in parts.items()}
    seen = max((int(y.max()) + 1 for y in ys.values() if y is not None), default=0)
    num_classes = seen if num_classes is None else num_classes
    if seen > num_classes:
        raise ValueError(f"{data}: label {seen - 1} is out of range for {num_classes} classes.")

    if len(parts) == 2 and split != "all":
        x, y = xs[split], ys[split]
    else:
        kinds = {(x.shape[1:], y is None) for x, y in zip(xs.values(), ys.values())}
        if len(kinds) > 1:
            raise ValueError(f"{data}: the sizes, or labels, of train and test differ: {kinds}.")
        x = np.concatenate(list(xs.values()))
        y = None if None in ys.values() else np.concatenate(list(ys.values()))
        if split != "all":
            chosen = _division(data, len(x), 0.2 if data == "digits" else 0.1)[split]
            x, y = x[chosen], None if y is None else y[chosen]
    return Images(name, x, y, None if y is None else num_classes)


def _pixels(where: str, x: np.ndarray) -> np.ndarray:
    if x.ndim not in (3, 4) or not x.size:
        raise ValueError(
            f"{where}: images must be [N, H, W] or [N, H, W, C], and not empty, got {x.shape}."
        )
    x = x[..., None] if x.ndim == 3 else x
    if x.dtype == np.uint8:
        return np.divide(x, 255, dtype=np.float32)
    if x.dtype.kind not in "bf":
        raise ValueError(
            f"{where}: images are {x.dtype}; make them uint8 in 0..255, or float in [0, 1]."
        )
    if not (x.min() >= 0 and x.max() <= 1):  # Written so that NaN, which spreads, fails too.
        raise ValueError(
            f"{where}: float pixels must lie in [0, 1], got {x.min():g} to {x.max():g}; divide "
            "them by their range, or store 0..255 as uint8."
        )
    return x.astype(np.float32)


def _labels(where: str, y: np.ndarray | None, size: int) -> np.ndarray | None:
    if y is None:
        return None
    if y.shape != (size,) or y.dtype.kind not in "iu":
        raise ValueError(
            f"{where}: labels must be one integer for each of {size} images, got {y.dtype} "
            f"{y.shape}; pass class indices, or leave the labels out."
        )
    if y.min() < 0:
        raise ValueError(f"{where}: labels must count from 0, got {y.min()}; renumber them.")
    return y.astype(np.int32)


def _division(where: str, size: int, fraction: float) -> dict[str, np.ndarray]:
    if size < 2:
        raise ValueError(f"{where}: {size} image cannot be divided; use split='all'.")
    # Unlike that of `default_rng`, the stream of `RandomState` is frozen across NumPy versions.
    order = np.random.RandomState(0).permutation(size)
    held_out = max(1, round(fraction * size))
    return {"train": np.sort(order[held_out:]), "test": np.sort(order[:held_out])}


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


def _paired(where: pathlib.Path, xs: dict, ys: dict) -> Parts:
    if not xs or ys.keys() - xs.keys():
        raise ValueError(f"{where}: images are there for {list(xs)}, but labels for {list(ys)}.")
    return {part: (xs[part], ys.get(part)) for part in SPLITS if part in xs}


def _npz(path: pathlib.Path) -> Parts:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("x", "x_test", "y", "y_test") if key in file}
            if "x" not in arrays:
                raise ValueError(f"images must be called 'x', found {file.files}")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is no .npz of plain arrays: {error}.") from None
    xs = {"test" if key == "x_test" else "train": arrays[key] for key in arrays if key[0] == "x"}
    ys = {"test" if key == "y_test" else "train": arrays[key] for key in arrays if key[0] == "y"}
    return _paired(path, xs, ys)


def _idx_folder(folder: pathlib.Path) -> Parts:
    arrays: dict[str, dict[str, np.ndarray]] = {"images": {}, "labels": {}}
    for file in sorted(folder.iterdir()):
        match = IDX.fullmatch(file.name)
        if match is None or (file.suffix == ".gz" and file.with_suffix("").exists()):
            continue
        part = "test" if (match[1] or "").endswith(("t10k", "test")) else "train"
        if part in arrays[match[2]]:
            raise ValueError(f"{folder}: {file.name} is a second file of {part} {match[2]}.")
        arrays[match[2]][part] = _idx(file, 3 if match[2] == "images" else 1)
    return _paired(folder, arrays["images"], arrays["labels"])


def _idx(file: pathlib.Path, rank: int) -> np.ndarray:
    try:
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
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
                f"{root}: {', '.join(SUFFIXES)} or IDX files must lie all in this folder, or all "
                f"in its class subfolders, got {len(files)} images at depths {sorted(depths)}."
            )
        xs[part] = np.stack(_images(files))
        if depths == {2}:
            found[part] = [file.parent.name for file in files]
    classes = sorted(set().union(*found.values()))
    ys = {part: np.searchsorted(classes, names) for part, names in found.items()}
    return _paired(folder, xs, ys), len(classes) or None


def _images(files: list[pathlib.Path]) -> list[np.ndarray]:
    from PIL import Image

    images: list[np.ndarray] = []
    for file in files:
        try:
            with Image.open(file) as image:
                if image.mode[0] in "IF":  # Pillow would clip 16-bit and float pixels.
                    raise OSError(f"mode {image.mode} is not 8-bit gray or colour")
                gray = image.mode in ("1", "L", "LA")
                images.append(np.asarray(image.convert("L" if gray else "RGB")))
        except (OSError, SyntaxError) as error:
            raise ValueError(f"{file} cannot be read: {error}.") from None
        if images[-1].shape != images[0].shape:
            raise ValueError(
                f"{file} is {images[-1].shape}, but {files[0].name} is {images[0].shape}; make "
                "all images the same size and mode."
            )
    return images


def _tfds(name: str) -> tuple[Parts, int | None]:
    import requests
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
    try:
        if not builder.is_prepared():
            # Left to itself, TFDS retries for minutes before it admits that it is offline.
            for url in [url for url in builder.url_infos if url.startswith("http")][:1]:
                requests.head(url, timeout=10)
        sets = tfds.load(name)
    except (requests.RequestException, urllib.error.URLError, ConnectionError, TimeoutError) as e:
        raise ConnectionError(
            f"TFDS dataset {name!r} is not on this machine and cannot be downloaded "
            f"({type(e).__name__}). Without a network, data may be {OFFLINE}."
        ) from None
    num_classes = getattr(features["label"], "num_classes", None) if "label" in features else None
    xs, ys = {}, {}
    for part in sets.keys() & {"train", "test"}:
        keys = ("image", "label") if num_classes else ("image",)
        batches = sets[part].map(lambda example: [example[key] for key in keys]).batch(1024)
        arrays = [np.concatenate(column) for column in zip(*tfds.as_numpy(batches))]
        xs[part], ys[part] = arrays[0], arrays[1] if num_classes else None
    return _paired(name, xs, ys), num_classes
