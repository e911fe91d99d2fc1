"""Images with label maps of TFDS."""

import numpy as np

from zoo.datasets.downloads import prepared
from zoo.datasets.fitting import Size, stacked
from zoo.datasets.known_classes import FACES

CELEB_A, PETS = "celeb_a_mask_hq", "oxford_iiit_pet"
PET_CLASSES = ("pet", "background", "border")


def read(
    name: str, split: str, *, size: Size, known: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Returns the images and label maps of one split, and the names of the classes.

    Args:
        name: `CELEB_A` or `PETS`.
        split: `"train"`, `"test"`, or `"all"`, which is train followed by test.
        size: (height, width), or None for the size that the set has.
        known: What may be loaded without a network, for messages.

    Raises:
        ValueError: The set has no images of this size, or a map has a class that is not known.
        ConnectionError: The set is not on this machine and cannot be downloaded.
        FileNotFoundError: Files that are downloaded by hand are missing.
    """
    import tensorflow_datasets as tfds

    if name == PETS:
        if size is None:
            raise ValueError(f"{name!r} has images of many sizes; pass size=(height, width).")
        builder_name, classes, first, fitted = name, PET_CLASSES, 1, size
    else:
        from zoo.datasets import celeb_a_mask_hq

        side = celeb_a_mask_hq.SIDES[0] if size is None else size[0]
        if side not in celeb_a_mask_hq.SIDES or size not in (None, (side, side)):
            raise ValueError(f"{name!r} has the sizes {celeb_a_mask_hq.SIDES}, got {size}.")
        builder_name, classes, first, fitted = f"{name}/{side}", FACES.names, 0, None
    builder = prepared(tfds.builder(builder_name), known=known)
    examples = (
        (part, example["image"], example["segmentation_mask"][..., 0] - first)
        for part in (("train", "test") if split == "all" else (split,))
        for example in tfds.as_numpy(builder.as_dataset(split=part))
    )
    x, s = stacked(examples, size=fitted)
    if s.max() >= len(classes):
        raise ValueError(f"{name!r}: class {s.max()} is out of range for {classes}.")
    return x, s, classes
