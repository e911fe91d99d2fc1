"""A file that is written whole or not at all."""

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yields the path of a file to write, which takes the name `path` when the block ends.

    All of it is on the disk before it has the name. Where writing fails or is interrupted nothing
    of it stays, and what had the name before keeps it. A link of this name is replaced, not
    followed.

    Args:
        path: of the file, in a folder that exists.
    """
    path = pathlib.Path(path)
    unfinished = path.with_name(f"unfinished-{path.name}")
    unfinished.unlink(missing_ok=True)  # a link that lies there would be followed
    try:
        yield unfinished
        _sync(unfinished)
        os.replace(unfinished, path)
        with contextlib.suppress(PermissionError):  # of Windows, which opens no folders
            _sync(path.parent)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = os.fspath(path)  # of a full disk, which some writers leave out
        raise


def _sync(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
