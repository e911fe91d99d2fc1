"""The file that a command writes, as `--out` names it."""

import os
import pathlib
from collections.abc import Sequence


def new_file(path: str | os.PathLike, *, suffixes: Sequence[str]) -> pathlib.Path:
    """Returns the path of a file to write, in an existing folder.

    Raises:
        ValueError: the file has none of these suffixes.
    """
    path = pathlib.Path(path)
    if path.suffix not in suffixes:
        raise ValueError(f"--out ends in {' or '.join(suffixes)}; received {str(path)!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
