"""Labelled images of TFDS."""

import re

import numpy as np

from zoo.datasets.downloads import OFFLINE, prepared
from zoo.datasets.splits import SPLITS, Parts

NAME = re.compile(r"\w+(/[\w.-]+)?(:\d+\.\d+\.\d+)?")  # set, configuration, version


def read(name: str) -> tuple[Parts, int | None]:
    """Returns the images and labels of every part, and the number of classes.

    Raises:
        ValueError: TFDS knows no data set of this name with images of one size.
        ConnectionError: The set is not on this machine and cannot be downloaded.
    """
    import tensorflow_datasets as tfds

    try:
        if not NAME.fullmatch(name):  # In a namespace, such as "huggingface:", others keep code.
            raise ValueError("it is no name of a data set of TFDS itself")
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
    parts: Parts = {}
    for part in [part for part in SPLITS if part in sets]:
        batches = sets[part].map(lambda example: tuple(example[key] for key in keys)).batch(1024)
        columns = [np.concatenate(column) for column in zip(*tfds.as_numpy(batches), strict=True)]
        parts[part] = (columns[0], columns[1] if num_classes else None)
    if not parts:
        raise ValueError(f"TFDS dataset {name!r} has no train or test, but {list(sets)}.")
    return parts, num_classes
