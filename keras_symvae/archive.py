"""An archive: a zip file of whoever made it, measured before anything is read of it."""

import os
import pathlib
import zipfile

# Deflate makes zeros a thousand times smaller. Bits stored as float32 shrink up to a hundred times;
# what shrinks further is refused only where it is large, and read where it is not compressed.
EXPANSION = 200
HARMLESS = 2**28  # bytes; as float32, pixels need four times as much, which any machine has
KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # those that NumPy and Keras write
ENCRYPTED = 0x1  # the flag of a member


def check(path: str | os.PathLike) -> None:
    """Refuses a zip file that is damaged, claims more than it holds, or leads out of a folder.

    Raises:
        ValueError: says which member is wrong, and how.
    """
    path = pathlib.Path(path)
    if not path.is_file():  # a pipe would never end
        raise ValueError(f"{path} is no file")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged, or no archive: {error}; copy it again") from None
    names = [member.filename for member in members]
    for name in names:
        here, there = pathlib.PurePosixPath(name), pathlib.PureWindowsPath(name)
        if here.is_absolute() or there.is_absolute() or ".." in there.parts:
            raise ValueError(
                f"{path} has a member {name!r}, which leads out of its folder; take the file from "
                "where it was written"
            )
    if len(set(names)) < len(names):
        raise ValueError(f"{path} has a member that is there twice; pack it again")
    if sum(member.compress_size for member in members) > path.stat().st_size:
        raise ValueError(f"{path} claims more bytes than it has; copy it again")
    for member in members:
        if member.compress_type not in KINDS or member.flag_bits & ENCRYPTED:
            raise ValueError(
                f"{path}: {member.filename} is encrypted, or compressed in a way that neither "
                "NumPy nor Keras writes; unpack it, and pack it again without compression"
            )
    size, stored = (
        sum(getattr(m, name) for m in members) for name in ("file_size", "compress_size")
    )
    check_expansion(size, stored=stored, where=str(path))


def check_expansion(size: int, *, stored: int, where: str) -> None:
    """Refuses what would fill the memory and is next to nothing on the disk.

    Args:
        size: bytes in memory.
        stored: bytes on the disk.
        where: what it is, for the message.

    Raises:
        ValueError: says both sizes, and what to do with true data.
    """
    if size > max(HARMLESS, EXPANSION * stored):
        raise ValueError(
            f"{where} would grow from {stored:,} to {size:,} bytes, more than {EXPANSION}-fold, as "
            "files do that are made to fill the memory; if you trust it, unpack it and store it "
            "without compression"
        )
