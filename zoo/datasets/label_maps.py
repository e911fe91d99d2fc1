"""Images with label maps in memory, from TFDS, folders, `.npz`, or derived as silhouettes."""

import colorsys
import dataclasses
import os
import pathlib
import zipfile
import zlib

import numpy as np

from zoo.datasets import images as datasets
from zoo.datasets import mask_folder
from zoo.datasets.downloads import prepared
from zoo.datasets.silhouettes import THRESHOLD, silhouettes
from zoo.datasets.splits import SPLITS, choose

CELEB_A, PETS, SILHOUETTES = "celeb_a_mask_hq", "oxford_iiit_pet", "silhouettes:"
PET_CLASSES = ("pet", "background", "border")
KNOWN = (
    f"'{CELEB_A}', '{PETS}', a folder of images/ and masks/, a .npz with x and s, or "
    f"'{SILHOUETTES}DATA' for labelled images that zoo.datasets reads"
)
Size = tuple[int, int] | None


@dataclasses.dataclass(frozen=True)
class LabelMaps:
    """Images in memory with a class for each of their pixels.

    Attributes:
        name: What the set is called.
        x: float32 `[N, H, W, C]` in [0, 1].
        s: int32 `[N, H, W]` in `[0, num_classes)`; -1 all over where an image has no map.
        num_classes: Number of classes over train and test together.
        classes: Their names, or None where they are not known.
    """

    name: str
    x: np.ndarray
    s: np.ndarray
    num_classes: int
    classes: tuple[str, ...] | None = None


def load(data: str | os.PathLike, *, split: str = "train", size: int | Size = None) -> LabelMaps:
    """Reads one split of a set of images with label maps into memory.

    Of a folder or `.npz` that comes in one part, a fixed random 10 % are for testing.

    Args:
        data: `"celeb_a_mask_hq"` (see `zoo.celeb_a_mask_hq`; the validation part is not read);
            `"oxford_iiit_pet"`, pets of TFDS with a background and a border;
            a folder with `images/` and `masks/`, or with `train/` and `test/` that have these
            (see `zoo.mask_folder`);
            a `.npz` with `x` and `s` as in `LabelMaps`, perhaps also `x_test` and `s_test`;
            or `"silhouettes:DATA"`, maps derived from labelled gray images that
            `zoo.datasets.load` reads (see `zoo.silhouettes`).
            `"tfds:NAME"` means TFDS where a path is so called.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.
        size: (height, width), or the side of a square, in pixels. Images are cut around their
            centre to these proportions and resized bilinearly with antialiasing, maps by nearest
            neighbour. Pets need it; faces have 64 (the default) and 128.

    Raises:
        ValueError: An argument is unknown, or the data are no valid images and maps.
        FileNotFoundError: Data that are downloaded by hand are missing.
        ConnectionError: A TFDS dataset is not on this machine and cannot be downloaded.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, got {split!r}.")
    size = (size, size) if isinstance(size, int) else size
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise ValueError(f"size must be (height, width) in pixels, got {size}.")
    data = os.fspath(data)
    path = pathlib.Path(data).expanduser()
    if size is not None and (data.startswith(SILHOUETTES) or path.suffix == ".npz"):
        raise ValueError(f"{data} has a size of its own; leave out size={size}.")
    if data.startswith(SILHOUETTES):
        return _silhouettes(data, split)
    if data and path.exists():
        parts = _npz(path) if path.suffix == ".npz" else _folder(path, size)
        parts = {part: _checked(f"{data} ({part})", *pair) for part, pair in parts.items()}
        num_classes = max(int(s.max()) + 1 for _, s in parts.values())
        if not num_classes:
            raise ValueError(f"{data}: no image has a map; add one, or use zoo.datasets.")
        return LabelMaps(path.resolve().stem, *choose(data, parts, split), num_classes)
    name = data.removeprefix("tfds:")
    if name not in (CELEB_A, PETS):
        raise ValueError(f"{name!r} is neither a path nor known; data may be {KNOWN}.")
    x, s, classes = _tfds(name, split, size)
    if s.max() >= len(classes):
        raise ValueError(f"{name!r}: class {s.max()} is out of range for {classes}.")
    return LabelMaps(name, *_checked(data, x, s), len(classes), classes)


def colours(num_classes: int, *, background: int = 0) -> np.ndarray:
    """Returns a colour for every class, float32 `[num_classes, 3]` in [0, 1], background black.

    A class keeps its colour when there are more of them. `colours(n)[s]` shows maps as RGB; take
    out those of -1 before.
    """
    # Steps by the golden ratio never come back to a hue.
    rgb = [
        colorsys.hsv_to_rgb(0.618034 * i % 1, 0.65, 0.7 + 0.3 * (i % 2)) for i in range(num_classes)
    ]
    palette = np.array(rgb, np.float32).reshape(num_classes, 3)
    palette[background] = 0
    return palette


def _checked(where: str, x: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, _ = datasets.checked(where, x, None)
    if s.shape != x.shape[:3] or s.dtype.kind not in "iu":
        raise ValueError(
            f"{where}: maps must be integers, one for each pixel of {x.shape[:3]}, got {s.dtype} "
            f"{s.shape}; store class indices."
        )
    if s.min() < -1 or ((s < 0).any((1, 2)) != (s < 0).all((1, 2))).any():
        raise ValueError(
            f"{where}: classes count from 0, and a map is -1 all over or nowhere, but a map has "
            f"{s.min()} in some pixels; renumber it."
        )
    return x, s.astype(np.int32)


def _silhouettes(data: str, split: str) -> LabelMaps:
    images = datasets.load(data.removeprefix(SILHOUETTES), split=split)
    if images.y is None or images.num_classes is None or images.x.shape[-1] != 1:
        kind = "unlabelled" if images.y is None else "in colour"
        raise ValueError(f"{data}: silhouettes need labelled gray images, these are {kind}.")
    # In a digit of scikit-learn, gray is the share of a pixel that ink covers.
    threshold = 0.4375 if images.name == "digits" else THRESHOLD
    s = silhouettes(images.x, images.y, threshold=threshold)
    return LabelMaps(data, images.x, s, images.num_classes + 1)


def _npz(path: pathlib.Path) -> dict:
    pairs = {"train": ("x", "s"), "test": ("x_test", "s_test")}
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {part: pair for part, pair in pairs.items() if set(pair) & set(file)}
            if "train" not in found or not all(set(pair) <= set(file) for pair in found.values()):
                raise ValueError(f"needs x and s, perhaps x_test and s_test, found {list(file)}")
            return {part: (file[x], file[s]) for part, (x, s) in found.items()}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is no .npz of images and maps: {error}.") from None


def _folder(folder: pathlib.Path, size: Size) -> dict:
    roots = {part: folder / part for part in ("train", "test")}
    if not all(root.is_dir() for root in roots.values()):
        roots = {"train": folder}
    return {part: _stacked(mask_folder.examples(root), size) for part, root in roots.items()}


def _stacked(examples, size: Size) -> tuple[np.ndarray, np.ndarray]:
    xs, ss = [], []
    for file, x, s in examples:
        x, s = (x, s) if size is None else _fitted(x, s, size)
        if xs and x.shape != xs[0].shape:
            shapes = f"{x.shape}, images before it are {xs[0].shape}"
            raise ValueError(f"{file} is {shapes}; pass a size, and do not mix gray and colour.")
        xs.append(x)
        ss.append(s)
    return np.stack(xs), np.stack(ss)


def _fitted(x: np.ndarray, s: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    scale = min(whole / part for whole, part in zip(s.shape, size, strict=True))
    cut = [max(1, round(scale * part)) for part in size]
    top, left = ((whole - part) // 2 for whole, part in zip(s.shape, cut, strict=True))
    x, s = (a[top : top + cut[0], left : left + cut[1]] for a in (x, s))
    image = Image.fromarray(x).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    rows, columns = ((2 * np.arange(n) + 1) * m // (2 * n) for n, m in zip(size, cut, strict=True))
    return np.asarray(image), s[np.ix_(rows, columns)]


def _tfds(name: str, split: str, size: Size) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    import tensorflow_datasets as tfds

    if name == PETS:
        if size is None:
            raise ValueError(f"{name!r} has images of many sizes; pass size=(height, width).")
        classes, first = PET_CLASSES, 1
    else:
        from zoo.datasets import celeb_a_mask_hq

        side = celeb_a_mask_hq.SIDES[0] if size is None else size[0]
        if side not in celeb_a_mask_hq.SIDES or size not in (None, (side, side)):
            raise ValueError(f"{name!r} has the sizes {celeb_a_mask_hq.SIDES}, got {size}.")
        classes, first, name, size = celeb_a_mask_hq.CLASSES, 0, f"{name}/{side}", None
    builder = prepared(tfds.builder(name), known=KNOWN)
    examples = (
        (part, example["image"], example["segmentation_mask"][..., 0] - first)
        for part in (("train", "test") if split == "all" else (split,))
        for example in tfds.as_numpy(builder.as_dataset(split=part))
    )
    return *_stacked(examples, size), classes
