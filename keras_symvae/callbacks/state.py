"""A state: what a learner is after an epoch, in a file with a checksum and a record beside it."""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import warnings
from typing import Any

import h5py
import keras

from keras_symvae import files, hdf5, json_file

NAME = "epoch-{:06d}.weights.h5"
OVERHEAD = 2048  # bytes that HDF5 needs to name an array, approximately
SKIPPED = "Skipping variable loading for optimizer"  # what Keras warns of


@dataclasses.dataclass(frozen=True, order=True)
class State:
    """Weights, optimizer and steps of a learner after an epoch, and whose they are.

    The record holds the checksum of the file, and is there before the file has its name: a file
    without one is of version 0.2.0 or before.

    Args:
        epoch: number of epochs done.
        path: of the file.
    """

    epoch: int
    path: pathlib.Path

    @classmethod
    def after(cls, epoch: int, *, folder: pathlib.Path) -> "State":
        """Returns the state after so many epochs, whether it is there or not."""
        return cls(epoch, folder / NAME.format(epoch))

    @classmethod
    def all_in(cls, folder: pathlib.Path) -> list["State"]:
        """Returns the states of a folder, the newest first."""
        true = [path for path in _files(folder) if path.is_file()]  # a pipe would never end
        found = ((re.fullmatch(r"epoch-(\d+)\.weights\.h5", p.name), p) for p in true)
        return sorted((cls(int(match[1]), path) for match, path in found if match), reverse=True)

    @property
    def record_path(self) -> pathlib.Path:
        """Where the record lies."""
        return self.path.with_name(self.path.name.replace(".weights.h5", ".json"))

    @property
    def record(self) -> dict[str, Any]:
        """What was known when it was written; {} in former versions.

        Raises:
            ValueError: the file beside it is no record.
        """
        if not self.record_path.exists():
            return {}
        return json_file.read(self.record_path)

    def is_whole(self) -> bool:
        """Whether the file is the one that was written."""
        try:
            record = self.record
            if not record:
                with h5py.File(self.path):
                    return True
            return _checksum(self.path) == record["sha256"]
        except (OSError, ValueError, KeyError):
            return False

    def write(self, learner: keras.Model, **record: Any) -> None:
        """Writes file and record, each in one move.

        Raises:
            OSError: the disk is full, or cannot be written; nothing stays of what was begun.
        """
        with files.whole(self.path) as unfinished:
            _find_room(unfinished, variables=_variables(learner))
            learner.save_weights(unfinished)
            with files.whole(self.record_path) as text:
                content = json.dumps({**record, "sha256": _checksum(unfinished)}, indent=1)
                text.write_text(content, encoding="utf-8")

    def load(self, learner: keras.Model, *, exact: bool = True) -> None:
        """Loads it into a compiled learner.

        Args:
            learner: of the same structure.
            exact: whether an optimizer that the state does not fit is refused.

        Raises:
            ValueError: it does not fit, or is hostile.
        """
        hdf5.check(self.path, size=self.path.stat().st_size, where=str(self.path))
        before = [(variable, variable.numpy()) for variable in _variables(learner)]
        try:
            self._load(learner, exact=exact)
        except BaseException:
            for variable, value in before:
                variable.assign(value)
            raise

    def _load(self, learner: keras.Model, *, exact: bool) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.filterwarnings("always", message=SKIPPED)
            try:
                learner.load_weights(self.path)
            except (ValueError, KeyError, OSError):
                raise ValueError(
                    f"{self.path} is no state of this {type(learner).__name__}: its weights are "
                    "others in number or shape."
                ) from None
        for each in caught:
            if exact and str(each.message).startswith(SKIPPED):
                raise ValueError(f"{self.path} is the state of another optimizer.")

    def remove(self) -> None:
        """Removes file and record."""
        self.path.unlink(missing_ok=True)
        self.record_path.unlink(missing_ok=True)


def tidy(folder: pathlib.Path) -> None:
    """Removes what a process that died had begun to write."""
    for path in _files(folder):
        weights = path.with_name(path.name.replace(".json", ".weights.h5"))
        if path.name.startswith("unfinished") or not weights.exists():
            path.unlink(missing_ok=True)


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns what may be a state, or part of one."""
    weights, record = "epoch-*.weights.h5", "epoch-*.json"
    patterns = (weights, record, "unfinished*.weights.h5", f"unfinished-{record}")
    return [path for pattern in patterns for path in folder.glob(pattern)]


def _variables(learner: keras.Model) -> list[Any]:
    """Returns all that a state holds."""
    return [*learner.variables, *(learner.optimizer.variables if learner.optimizer else [])]


def _find_room(path: pathlib.Path, *, variables: list[Any]) -> None:
    """Raises OSError where the disk has no room, which HDF5 would tell in traces of its own."""
    if not hasattr(os, "posix_fallocate"):  # of Linux
        return
    size = sum(each.numpy().nbytes + OVERHEAD for each in variables)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def _checksum(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
