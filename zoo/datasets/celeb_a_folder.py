"""The folder of CelebAMask-HQ as its authors pack it: faces, and a mask for each of their parts."""

import bisect
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np

from zoo.datasets import image_folder
from zoo.datasets.known_classes import FACES
from zoo.datasets.mask_folder import Example

CLASSES = "celeb_a_mask_hq"
HOMEPAGE = "https://github.com/switchablenorms/CelebAMask-HQ"
# In the numbering of the authors, which is also the order in which parts are painted.
PARTS = FACES.names[1:]
FOLDER_SIZE = 2000  # images whose masks share a folder
IMAGES, MASKS = "CelebA-HQ-img", "CelebAMask-HQ-mask-anno"
MAPPING, COLUMNS = "CelebA-HQ-to-CelebA-mapping.txt", ("idx", "orig_idx", "orig_file")
# CelebA's own partition: where its three parts end, counting its images from 0.
ENDS = {"train": 162_770, "validation": 182_637, "test": 202_599}
INSTRUCTIONS = (
    f"Get CelebAMask-HQ.zip by the links on {HOMEPAGE} (for non-commercial research only) and "
    f"unpack it in the manual folder. It must then hold CelebAMask-HQ/ with {IMAGES}/, "
    f"{MASKS}/ and {MAPPING}."
)
Faces = list[tuple[int, int]]  # the number of a face, and that of its photograph in CelebA


def holds(folder: pathlib.Path) -> bool:
    """Returns whether a folder is that of CelebAMask-HQ."""
    return (folder / IMAGES).is_dir() and (folder / MASKS).is_dir()


def parts(folder: pathlib.Path) -> dict[str, Faces]:
    """Returns the faces of every part: each is in that in which CelebA has its photograph.

    Raises:
        FileNotFoundError: the file that tells the photographs is missing.
        ValueError: it is damaged.
    """
    found: dict[str, Faces] = {part: [] for part in ENDS}
    for index, original in _mapping(folder / MAPPING):
        part = bisect.bisect_right(list(ENDS.values()), original)
        found[list(ENDS)[part]].append((index, original))
    return found


def examples(folder: pathlib.Path, faces: Iterable[tuple[int, int]]) -> Iterator[Example]:
    """Yields (file, image uint8 [H, W, 3], map int32 [h, w]); maps are smaller than images.

    The download has one mask per part of a face, and masks overlap. They are painted over the
    background in the order of `PARTS`, so hair hides skin, and a hat hides hair.

    Raises:
        FileNotFoundError: a face has no image or no mask.
        ValueError: a file cannot be read.
    """
    for index, _ in faces:
        file = folder / IMAGES / f"{index}.jpg"
        image = _read(file, "RGB")
        masks = folder / MASKS / str(index // FOLDER_SIZE)
        yield file, image, _merged(masks, f"{index:05d}").astype(np.int32)


def name_of(original: int) -> str:
    """Returns the name of CelebA's image `original`; indices count from 0 and names from 1."""
    return f"{original + 1:06d}.jpg"


def _found(path: pathlib.Path) -> pathlib.Path:
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing. {INSTRUCTIONS}")
    return path


def _read(path: pathlib.Path, mode: str) -> np.ndarray:
    try:
        with image_folder.opened(_found(path)) as image:
            return np.asarray(image.convert(mode))
    except ValueError as error:
        raise ValueError(f"{str(error).removesuffix('.')}; unpack it again.") from None


def _merged(folder: pathlib.Path, stem: str) -> np.ndarray:
    """Returns the masks of one face as one map of classes, uint8 [H, W]."""
    merged = None
    for label, part in enumerate(PARTS, start=1):
        path = folder / f"{stem}_{part}.png"
        if path.exists():  # A face without glasses has no file of glasses.
            mask = _read(path, "L") > 0
            merged = np.zeros(mask.shape, np.uint8) if merged is None else merged
            if mask.shape != merged.shape:
                raise ValueError(
                    f"{path} is {mask.shape}, other masks of this face are {merged.shape}; unpack "
                    "it again."
                )
            merged[mask] = label
    if merged is None:
        raise FileNotFoundError(
            f"{folder} has no mask {stem}_PART.png for any of {PARTS}. {INSTRUCTIONS}"
        )
    return merged


def _mapping(path: pathlib.Path) -> Iterator[tuple[int, int]]:
    """Yields (index in CelebA-HQ, index in CelebA), both from 0."""
    header, *lines = _found(path).read_text().splitlines() or [""]
    columns = header.split()
    if not set(COLUMNS) <= set(columns):
        raise ValueError(
            f"{path} must have the columns {COLUMNS} in its first line, got {header!r}."
        )
    for line in filter(str.strip, lines):
        indices = _indices(dict(zip(columns, line.split(), strict=False)))
        if indices is None:
            raise ValueError(
                f"{path}: {line!r} is not a row of {COLUMNS}, such as '0 119613 119614.jpg'; "
                "unpack it again."
            )
        yield indices


def _indices(row: dict[str, str]) -> tuple[int, int] | None:
    """Returns (index in CelebA-HQ, index in CelebA) of a row, or None if it contradicts itself."""
    try:
        index, original = int(row["idx"]), int(row["orig_idx"])
        valid = index >= 0 <= original < ENDS["test"] and row["orig_file"] == name_of(original)
    except (KeyError, ValueError):
        return None
    return (index, original) if valid else None
