"""A folder of IDX files, the format of MNIST."""

import gzip
import pathlib
import re
import struct
import zlib

import numpy as np

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
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{file} is damaged: {error}.") from None
    magic, start = bytes((0, 0, 8, rank)), 4 + 4 * rank
    if content[:4] != magic:
        raise ValueError(f"{file} must start with {magic.hex()}, got {content[:4].hex() or None}.")
    shape = struct.unpack(f">{rank}I", content[4:start]) if len(content) >= start else (-1,)
    if len(content) - start != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{file} is truncated: {len(content)} bytes for an array of {shape}.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
