"""A backup: the state of a run, kept so that it can be killed and resumed."""

import os
import pathlib
import re
from typing import Any

import keras


class Backup(keras.callbacks.Callback):
    """Keeps the state of a run, so that it can be killed at any moment and resumed exactly.

    After every epoch the weights, the optimizer's slots and the step counter go into one file,
    which replaces the former in one move. `Learner.fit` restores it before anything else and
    continues with the next epoch; with `Batches` or arrays the result equals that of an
    uninterrupted run bit for bit. The folder stays when training ends.

    Args:
        directory: folder of the run's state.
    """

    def __init__(self, directory: str | os.PathLike):
        super().__init__()
        self.directory = pathlib.Path(directory)

    def restore(self, learner: keras.Model) -> int:
        """Loads the newest state into a compiled learner; returns the epochs done, 0 if none."""
        done, path = max(self._states(), default=(0, None))
        if path is not None:
            learner.load_weights(path)
        return done

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        former = self._states()
        path = self.directory / f"epoch-{epoch + 1:06d}.weights.h5"
        unfinished = self.directory / "unfinished.weights.h5"
        self.model.save_weights(unfinished)
        os.replace(unfinished, path)
        for _, old in former:
            if old != path:
                old.unlink()

    def _states(self) -> list[tuple[int, pathlib.Path]]:
        """Returns [(epochs done, path)] of the complete states."""
        found = [
            (re.fullmatch(r"epoch-(\d+)\.weights\.h5", path.name), path)
            for path in self.directory.glob("epoch-*.weights.h5")
        ]
        return [(int(match[1]), path) for match, path in found if match]
