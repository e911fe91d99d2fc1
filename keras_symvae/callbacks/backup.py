"""A backup: the state of a run, kept so that it can be killed and resumed."""

import os
import pathlib
import re

import keras


class Backup(keras.callbacks.Callback):
    """Keeps the state of a run, so that it can be killed at any moment and resumed exactly.

    After every epoch the weights, the optimizer's slots and the step counter go into one file,
    which replaces the former in one move. `Learner.fit` restores it before anything else and goes
    on at the next epoch; with `Batches` or arrays the result equals an uninterrupted run bit for
    bit. The folder stays when training ends.

    Args:
        directory: folder of the run's state.
    """

    def __init__(self, directory):
        super().__init__()
        self.directory = pathlib.Path(directory)

    def restore(self, learner):
        """Loads the newest state into a compiled learner; returns the epochs done, 0 if none."""
        done, path = max(self._states(), default=(0, None))
        if path is not None:
            learner.load_weights(path)
        return done

    def on_epoch_end(self, epoch, logs=None):
        self.directory.mkdir(parents=True, exist_ok=True)
        former = self._states()
        path = self.directory / f"epoch-{epoch + 1:06d}.weights.h5"
        unfinished = self.directory / "unfinished.weights.h5"
        self.model.save_weights(unfinished)
        os.replace(unfinished, path)
        for _, old in former:
            if old != path:
                old.unlink()

    def _states(self):
        """Returns [(epochs done, path)] of the complete states."""
        found = [
            (re.fullmatch(r"epoch-(\d+)\.weights\.h5", path.name), path)
            for path in self.directory.glob("epoch-*.weights.h5")
        ]
        return [(int(match[1]), path) for match, path in found if match]
