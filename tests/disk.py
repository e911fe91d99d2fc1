"""A full disk."""

import contextlib
import resource
from collections.abc import Iterator


@contextlib.contextmanager
def full(size: int) -> Iterator[None]:
    """No file can have more bytes than size until the block ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
