"""Weights in HDF5: a file of whoever made it, looked through before Keras reads it."""

import io
import os
from typing import IO

import h5py
import numpy as np


def check(file: str | os.PathLike | IO[bytes], *, size: int, where: str) -> int:
    """Refuses weights that lie in other files, or that claim more bytes than the file has.

    Keras writes plain arrays. HDF5 can also refer to any file of the machine, by links, by storage
    outside and by virtual arrays, and it can claim arrays of which nothing is stored.

    Args:
        file: path, or an open binary file.
        size: bytes that it has.
        where: what it is, for messages.

    Returns:
        Bytes of all arrays.

    Raises:
        ValueError: says what is wrong with which array.
    """
    total, seen = 0, set()
    try:
        with h5py.File(file, "r") as root:
            waiting: list[h5py.Group] = [root]
            while waiting:
                group = waiting.pop()
                for name in group:
                    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                        raise ValueError(f"{name!r} is a link to elsewhere")
                    part = group[name]
                    address = h5py.h5o.get_info(part.id).addr
                    if address in seen:
                        raise ValueError(f"{name!r} is there twice")
                    seen.add(address)
                    if isinstance(part, h5py.Group):
                        waiting.append(part)
                    else:
                        total += _bytes(part)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{where} holds no weights as Keras writes them: {reason}; take the file from where it "
            "was trained"
        ) from None
    if total > size:
        raise ValueError(
            f"{where} claims {total:,} bytes of weights and has {size:,}; copy it again"
        )
    return total


def rounded(content: bytes, dtype: str) -> bytes:
    """Returns weights whose floating-point numbers have another precision; others stay as they are.

    Args:
        content: of the file.
        dtype: of NumPy, such as "float16".

    Raises:
        ValueError: a weight is no finite number in this precision.
    """
    rounded = io.BytesIO()
    with h5py.File(io.BytesIO(content), "r") as source, h5py.File(rounded, "w") as target:

        def keep(name: str, part: h5py.Group | h5py.Dataset) -> None:
            if isinstance(part, h5py.Dataset):
                values = np.asarray(part[()])
                if values.dtype.kind == "f":
                    with np.errstate(over="ignore"):  # told below
                        values = values.astype(dtype)
                    if not np.isfinite(values).all():
                        raise ValueError(f"weights {name} are no finite numbers as {dtype}")
                target.create_dataset(name, data=values)
            else:
                target.require_group(name)
            target[name].attrs.update(part.attrs)

        source.visititems(keep)
    return rounded.getvalue()


def _bytes(part: h5py.Dataset | h5py.Datatype) -> int:
    """Returns the bytes of an array that lies in this file as it is."""
    if not isinstance(part, h5py.Dataset) or part.shape is None or part.dtype.hasobject:
        raise ValueError(f"{part.name!r} is no array of numbers")
    if part.external or part.is_virtual:
        raise ValueError(f"{part.name!r} lies in another file")
    if part.nbytes > part.id.get_storage_size():
        raise ValueError(f"of {part.name!r} less is stored than it claims")
    return part.nbytes
