"""A `.npz` of images, with labels or label maps beside them."""

import pathlib
import zipfile
import zlib

import numpy as np

from zoo.datasets.splits import Parts


def read(path: pathlib.Path, *, target: str, required: bool, kind: str, needs: str) -> Parts:
    """Returns {"train": (x, target)}, and "test" where the file has `x_test`.

    Args:
        path: The file.
        target: Name of the array beside `x`, such as `"y"`; with `_test` that beside `x_test`.
        required: Refuse a part that has only one of its two arrays.
        kind: What the file should be, for messages.
        needs: What the file should hold, for messages.

    Raises:
        ValueError: The file cannot be read without running code of its own, or lacks an array.
    """
    pairs = {"train": ("x", target), "test": ("x_test", f"{target}_test")}
    parts: Parts = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for part, (x, y) in pairs.items():
                if x in file and (y in file or not required):
                    parts[part] = (file[x], file.get(y))
                elif part == "train" or (required and {x, y} & set(file)):
                    raise ValueError(f"{needs}, found {file.files}")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is no .npz of {kind}: {error}.") from None
    return parts
