"""A lock: one living process for a folder."""

import contextlib
import os
import pathlib
import platform
from collections.abc import Iterator
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: folders are not locked there
    fcntl = None

NAME = "lock"
_HELD: set[pathlib.Path] = set()  # by this process, from which the system does not keep its own


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps a folder for this process until the block ends; the folder is made if need be.

    The system takes the lock from a process that dies, however it dies, so that none is stale.

    Args:
        folder: its path.

    Raises:
        BlockingIOError: a living process has it; says which.
        OSError: a link lies in the place of the lock.
    """
    path = pathlib.Path(folder).resolve() / NAME
    if path in _HELD:
        raise BlockingIOError(_taken(path.parent, "this process"))
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _acquired(path)
    _HELD.add(path)
    try:
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"process {os.getpid()} on {platform.node()}".encode())
        yield
    finally:
        _HELD.discard(path)
        path.unlink(missing_ok=True)  # while it is held: nobody can have taken it
        file.close()


def _acquired(path: pathlib.Path) -> IO[bytes]:
    """Returns the locked file of this path."""
    while True:
        if path.is_symlink():
            raise OSError(f"{path} is a link, which no lock is; remove it")
        file = open(path, "ab+", opener=_unfollowed)  # noqa: SIM115 (as long as it is held)
        try:
            if fcntl is not None:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.seek(0)
            holder = file.read().decode(errors="replace") or "another process"
            file.close()
            raise BlockingIOError(_taken(path.parent, holder)) from None
        except OSError:  # a file system without locks
            return file
        # Its last holder may have removed the file after it was opened here.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _unfollowed(path: str, flags: int) -> int:
    """Opens a file, and no link: what it leads to would be emptied."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _taken(folder: pathlib.Path, holder: str) -> str:
    return (
        f"{folder} is in use: {holder} trains there. Wait until it has ended, or choose another "
        "folder."
    )
