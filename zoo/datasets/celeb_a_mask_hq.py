"""CelebAMask-HQ: faces with maps of their parts, as a TFDS data set that is downloaded by hand."""

import bisect
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

HOMEPAGE = "https://github.com/switchablenorms/CelebAMask-HQ"
SIDES = (64, 128)  # pixels
# In the numbering of the authors, which is also the order in which parts are painted.
PARTS = ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear")
PARTS += ("mouth", "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth")
CLASSES = ("background", *PARTS)
FOLDER_SIZE = 2000  # images whose masks share a folder
MAPPING, COLUMNS = "CelebA-HQ-to-CelebA-mapping.txt", ("idx", "orig_idx", "orig_file")
# CelebA's own partition: where its three parts end, counting its images from 0.
ENDS = {"train": 162_770, "validation": 182_637, "test": 202_599}


class CelebAMaskHQ(tfds.core.GeneratorBasedBuilder):
    """Faces [H, W, 3] and one label map [H, W, 1] for each, classes as in `CLASSES`.

    The download has one mask per part of a face, and masks overlap. They are painted over the
    background in the order of `PARTS`, so hair hides skin, and a hat hides hair. Images are shrunk
    bilinearly with antialiasing, maps by nearest neighbour. A face is in the split in which CelebA
    has the photograph it was cut from.

    Reference: Lee, Liu, Wu, Luo, MaskGAN: Towards Diverse and Interactive Facial Image
    Manipulation, CVPR 2020.
    """

    name = "celeb_a_mask_hq"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name=str(side), description=f"{side} x {side} pixels")
        for side in SIDES
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Get CelebAMask-HQ.zip by the links on {HOMEPAGE} (for non-commercial research only) and "
        "unpack it in the manual folder. It must then hold CelebAMask-HQ/ with CelebA-HQ-img/, "
        f"CelebAMask-HQ-mask-anno/ and {MAPPING}."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        side = int(self.builder_config.name)
        return tfds.core.DatasetInfo(
            builder=self,
            description="30,000 faces of CelebA-HQ with label maps of 18 parts and background.",
            homepage=HOMEPAGE,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(side, side, 3), encoding_format="png"),
                    "segmentation_mask": tfds.features.LabeledImage(
                        labels=list(CLASSES), shape=(side, side, 1), encoding_format="png"
                    ),
                    "celeb_a_file": tfds.features.Text(doc="Name of the photograph in CelebA."),
                }
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        folder = dl_manager.manual_dir / "CelebAMask-HQ"
        faces: dict[str, list[tuple[int, int]]] = {split: [] for split in ENDS}
        for index, original in _mapping(folder / MAPPING):
            part = bisect.bisect_right(list(ENDS.values()), original)
            faces[list(ENDS)[part]].append((index, original))
        return {split: self._generate_examples(folder, rows) for split, rows in faces.items()}

    def _generate_examples(
        self, folder: pathlib.Path, faces: list[tuple[int, int]]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        size = (int(self.builder_config.name), int(self.builder_config.name))
        for index, original in faces:
            image = _open(folder / "CelebA-HQ-img" / f"{index}.jpg", "RGB")
            masks = folder / "CelebAMask-HQ-mask-anno" / str(index // FOLDER_SIZE)
            labels = Image.fromarray(_merged(masks, f"{index:05d}"))
            labels = np.asarray(labels.resize(size, Image.Resampling.NEAREST))
            yield (
                index,
                {
                    "image": np.asarray(image.resize(size, Image.Resampling.BILINEAR)),
                    "segmentation_mask": labels[..., None],
                    "celeb_a_file": _file(original),
                },
            )


def _file(original: int) -> str:
    """Returns the name of CelebA's image `original`; indices count from 0 and names from 1."""
    return f"{original + 1:06d}.jpg"


def _found(path: pathlib.Path) -> pathlib.Path:
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing. {CelebAMaskHQ.MANUAL_DOWNLOAD_INSTRUCTIONS}")
    return path


def _open(path: pathlib.Path, mode: str) -> Image.Image:
    with _found(path).open("rb") as file:
        try:
            return Image.open(file, formats=("JPEG", "PNG")).convert(mode)
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"{path} cannot be read: {error}; unpack it again.") from None


def _merged(folder: pathlib.Path, stem: str) -> np.ndarray:
    """Returns the masks of one face as one map of classes, uint8 [H, W]."""
    merged = None
    for label, part in enumerate(PARTS, start=1):
        path = folder / f"{stem}_{part}.png"
        if path.exists():  # A face without glasses has no file of glasses.
            mask = np.asarray(_open(path, "L")) > 0
            merged = np.zeros(mask.shape, np.uint8) if merged is None else merged
            if mask.shape != merged.shape:
                raise ValueError(
                    f"{path} is {mask.shape}, other masks of this face are {merged.shape}; unpack "
                    "it again."
                )
            merged[mask] = label
    if merged is None:
        raise FileNotFoundError(
            f"{folder} has no mask {stem}_PART.png for any of {PARTS}. "
            f"{CelebAMaskHQ.MANUAL_DOWNLOAD_INSTRUCTIONS}"
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
        valid = index >= 0 <= original < ENDS["test"] and row["orig_file"] == _file(original)
    except (KeyError, ValueError):
        return None
    return (index, original) if valid else None
