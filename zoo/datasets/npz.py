"""A `.npz` of images, with labels or label maps beside them."""

import contextlib
import math
import pathlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

import numpy as np

from keras_symvae import archive
from zoo.datasets.splits import Parts

BROKEN = (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error)
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read(path: pathlib.Path, *, target: str, required: bool, kind: str, needs: str) -> Parts:
    """Returns {"train": (x, target)}, and "test" where the file has `x_test`.

    Args:
        path: The file.
        target: Name of the array beside `x`, such as `"y"`; with `_test` that beside `x_test`.
        required: Refuse a part that has only one of its two arrays.
        kind: What the file should be, for messages.
        needs: What the file should hold, for messages.

    Raises:
        ValueError: The file is damaged or hostile, or lacks an array.
    """
    parts: Parts = {}
    pairs = {"train": ("x", target), "test": ("x_test", f"{target}_test")}
    with opened(path, kind=kind) as file:
        for part, (x, y) in pairs.items():
            if x in file and (y in file or not required):
                parts[part] = (file[x], file.get(y))
            elif part == "train" or (required and {x, y} & set(file)):
                raise ValueError(f"{needs}, found {file.files}")
    return parts


@contextlib.contextmanager
def opened(path: pathlib.Path, *, kind: str = "arrays") -> Iterator[np.lib.npyio.NpzFile]:
    """Opens a `.npz`, whose headers claim no more than the file holds, for the block that reads it.

    NumPy itself makes room for what a header claims before it reads anything.

    Args:
        path: The file.
        kind: What the file should be, for messages.

    Raises:
        ValueError: The file is damaged or hostile, holds pickles, or is refused in the block.
    """
    try:
        archive.check(path)
        with zipfile.ZipFile(path) as file:
            for member in file.infolist():
                if not member.filename.endswith(".npy"):  # NumPy would return its bytes.
                    raise ValueError(f"{member.filename} is no array")
                with file.open(member) as content:
                    _check(content, size=member.file_size, where=member.filename)
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except BROKEN as error:
        raise ValueError(f"{path} is no .npz of {kind}: {_first_line(error)}.") from None


def array(path: pathlib.Path) -> np.ndarray:
    """Returns the array of a `.npy`.

    Raises:
        ValueError: The file is damaged or hostile, or holds pickles.
    """
    try:
        if not path.is_file():  # A pipe would never end.
            raise ValueError("it is no file")
        with path.open("rb") as content:
            _check(content, size=path.stat().st_size, where="it")
        return np.load(path, allow_pickle=False)
    except BROKEN as error:
        raise ValueError(f"{path} is no .npy of numbers: {_first_line(error)}.") from None


def _check(content: IO[bytes], *, size: int, where: str) -> None:
    """Refuses an array whose header claims another size than this number of bytes has."""
    version = np.lib.format.read_magic(content)
    if version not in HEADERS:
        raise ValueError(f"{where} has a header of version {version}")
    shape, _, dtype = HEADERS[version](content)
    if dtype.hasobject:
        raise ValueError(f"{where} holds pickled objects, which may run code; store numbers")
    claimed = content.tell() + math.prod(shape) * dtype.itemsize
    if claimed != size or min(shape, default=0) < 0:
        raise ValueError(f"{where} has {size:,} bytes and claims {claimed:,}; store it again")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].removesuffix(".")
