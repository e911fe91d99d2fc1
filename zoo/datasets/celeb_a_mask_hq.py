"""CelebAMask-HQ: faces with maps of their parts, as a TFDS data set that is downloaded by hand."""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from zoo.datasets import celeb_a_folder
from zoo.datasets.known_classes import FACES

SIDES = (64, 128)  # pixels


class CelebAMaskHQ(tfds.core.GeneratorBasedBuilder):
    """Faces [H, W, 3] and one label map [H, W, 1] for each, see `celeb_a_folder`.

    Images are shrunk bilinearly with antialiasing, maps by nearest neighbour. A face is in the
    split in which CelebA has the photograph it was cut from.

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
    MANUAL_DOWNLOAD_INSTRUCTIONS = celeb_a_folder.INSTRUCTIONS

    def _info(self) -> tfds.core.DatasetInfo:
        side = int(self.builder_config.name)
        return tfds.core.DatasetInfo(
            builder=self,
            description="30,000 faces of CelebA-HQ with label maps of 18 parts and background.",
            homepage=celeb_a_folder.HOMEPAGE,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(side, side, 3), encoding_format="png"),
                    "segmentation_mask": tfds.features.LabeledImage(
                        labels=list(FACES.names), shape=(side, side, 1), encoding_format="png"
                    ),
                    "celeb_a_file": tfds.features.Text(doc="Name of the photograph in CelebA."),
                }
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        folder = dl_manager.manual_dir / "CelebAMask-HQ"
        parts = celeb_a_folder.parts(folder)
        return {split: self._generate_examples(folder, faces) for split, faces in parts.items()}

    def _generate_examples(
        self, folder: pathlib.Path, faces: celeb_a_folder.Faces
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        size = (int(self.builder_config.name), int(self.builder_config.name))
        found = celeb_a_folder.examples(folder, faces)
        for (index, original), (_, image, labels) in zip(faces, found, strict=True):
            image = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
            labels = Image.fromarray(labels.astype(np.uint8))
            yield (
                index,
                {
                    "image": np.asarray(image),
                    "segmentation_mask": np.asarray(labels.resize(size, Image.Resampling.NEAREST))[
                        ..., None
                    ],
                    "celeb_a_file": celeb_a_folder.name_of(original),
                },
            )
