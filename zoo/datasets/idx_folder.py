"""A folder of IDX files, the format of MNIST."""

import gzip
import math
import pathlib
import re
import struct
import zlib

import numpy as np

from keras_symvae import archive
from zoo.datasets.splits import SPLITS, Parts

NAME = re.compile(r"(?:(.+)[-.])?(images|labels)[-.]idx[13]-ubyte(?:\.gz)?")


def holds(folder: pathlib.Path) -> bool:
    """Returns whether a file of this folder has the name of an IDX file."""
    return any(NAME.fullmatch(file.name) for file in folder.iterdir())


def read(folder: pathlib.Path) -> Parts:
    """Returns the images and labels of every part, the latter None where there are none.

    Raises:
        ValueError: A file is damaged, or the files do not belong together.
    """
    xs: dict[str, np.ndarray] = {}
    ys: dict[str, np.ndarray] = {}
    for file in sorted(folder.iterdir()):
        match = NAME.fullmatch(file.name)
        if match is None or (file.suffix == ".gz" and file.with_suffix("").exists()):
            continue
        part = "test" if (match[1] or "").endswith(("t10k", "test")) else "train"
        arrays, rank = (xs, 3) if match[2] == "images" else (ys, 1)
        if part in arrays:
            raise ValueError(f"{folder}: {file.name} is a second file of {part} {match[2]}.")
        arrays[part] = _array(file, rank)
    if not xs or ys.keys() - xs.keys():
        raise ValueError(f"{folder}: there are images for {list(xs)}, labels for {list(ys)}.")
    return {part: (xs[part], ys.get(part)) for part in SPLITS if part in xs}


def _array(file: pathlib.Path, rank: int) -> np.ndarray:
    if not file.is_file():  # A pipe would never end.
        raise ValueError(f"{file} is no file; remove it.")
    magic, start, stored = bytes((0, 0, 8, rank)), 4 + 4 * rank, file.stat().st_size
    packed = file.suffix == ".gz"
    try:
        with gzip.open(file) if packed else file.open("rb") as content:
            head = content.read(start)
            if head[:4] != magic:
                raise ValueError(
                    f"{file} must start with {magic.hex()}, got {head[:4].hex() or None}."
                )
            if len(head) < start:
                raise ValueError(f"{file} is truncated: {len(head)} bytes.")
            shape = struct.unpack(f">{rank}I", head[4:])
            size = math.prod(shape)
            if packed:
                archive.check_expansion(size, stored=stored, where=str(file))
            # One byte more, which must not be there; of what is not stored nothing is claimed.
            found = content.read(size + 1 if packed else min(size, stored) + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{file} is damaged: {error}.") from None
    if len(found) != size:
        many = f"{start + len(found)} bytes" if len(found) < size else "more bytes"
        raise ValueError(
            f"{file} is {'truncated' if len(found) < size else 'damaged'}: {many} for an array of "
            f"{shape}."
        )
    return np.frombuffer(found, np.uint8).reshape(shape)
