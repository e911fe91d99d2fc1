"""A backup: the states of a run, kept so that it can be killed and resumed."""

import contextlib
import os
import warnings
from collections.abc import Collection, Iterator
from typing import Any

import keras

from keras_symvae import arguments, interruption, lock
from keras_symvae.callbacks import fingerprint, identity
from keras_symvae.callbacks.state import State, tidy

ALLOW = "allow"
KEPT = 2  # states: a damaged one is never the only one


class Backup(keras.callbacks.Callback):
    """Keeps the state of a run, so that it can be killed at any moment and resumed exactly.

    After every epoch the weights, the optimizer's slots and the step counter go into one file, of
    which the newest two stay. `Learner.fit` restores the newest before anything else and continues
    with the next epoch; with `Batches` or arrays the result equals that of an uninterrupted run bit
    for bit, which Keras's `BackupAndRestore` does not reach. The folder stays when training ends.
    At SIGTERM, as at Ctrl-C, `fit` ends and says what is kept.

    A state knows whose it is: learner, pair, optimizer with rates and schedule, seed, batch size,
    steps per epoch, and a digest of the data. What differs is refused. A longer training of the
    same, by more epochs, is none that differs.

    Args:
        directory: folder of the run's states; one process at a time trains there.
        changed: what may differ from the training that wrote the states: names out of
            `identity.PARTS`, such as ("batch_size", "optimizer"), or "allow" for all of them.

    Raises:
        ValueError: `changed` names something else.
    """

    def __init__(self, directory: str | os.PathLike, *, changed: str | Collection[str] = ()):
        super().__init__()
        self.directory = arguments.path("directory", directory).expanduser()
        names = [*arguments.words("changed", changed)]
        self.changed = changed
        unknown = sorted(set(names) - {*identity.PARTS, ALLOW})
        if unknown:
            raise ValueError(
                f"changed is '{ALLOW}' or names of what may differ, out of {identity.PARTS}; "
                f"received {unknown}."
            )
        self._allowed = identity.PARTS if ALLOW in names else names
        self._identity: identity.Identity = {}
        self._damaged: State | None = None  # the last that was told of

    @property
    def epochs(self) -> int:
        """Number of epochs after which the newest state was written, 0 if there is none."""
        return next((state.epoch for state in State.all_in(self.directory)), 0)

    def restore(self, learner: keras.Model) -> int:
        """Loads the newest state into a compiled learner; returns the epochs done, 0 if none.

        Raises:
            ValueError: the state is of another learner, pair or optimizer, or all are damaged.
        """
        return self._restored(learner, identity.of_learner(learner))

    @contextlib.contextmanager
    def alive(self, learner: keras.Model, *, epochs: int, **data: Any) -> Iterator[int]:
        """Restores a learner and keeps the folder for its training; yields the epochs done.

        Args:
            learner: the compiled `Learner`.
            epochs: number of epochs that are asked for.
            data: what decides which examples are seen, see `fingerprint.of_training`.

        Raises:
            ValueError: the state is of another training; says what differs.
            BlockingIOError: another process trains there.
        """
        with lock.locked(self.directory), interruption.raised():
            tidy(self.directory)
            self._identity = identity.of_learner(learner) | fingerprint.of_training(**data)
            done = self._restored(learner, self._identity)
            if done >= epochs:
                warnings.warn(
                    f"Nothing is left to train: {self.directory} holds this run after {done} "
                    f"epochs, and epochs={epochs}. Ask for more epochs, or take another folder "
                    "for a new run.",
                    stacklevel=5,
                )
            try:
                yield done
            except BaseException as error:
                tidy(self.directory)
                if self.epochs:
                    error.add_note(
                        f"The state after epoch {self.epochs} is kept in {self.directory}; "
                        "the same training, started again, goes on from there."
                    )
                raise

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        state = State.after(epoch + 1, folder=self.directory)
        whose = self._identity or identity.of_learner(self.model)
        optimizer = identity.of_optimizer(self.model.optimizer)
        try:
            state.write(self.model, epoch=epoch + 1, identity=whose, optimizer=optimizer)
        except OSError as error:
            cause = os.strerror(error.errno) if error.errno else type(error).__name__
            message = f"The state after epoch {epoch + 1} cannot be written: {cause}"
            raise OSError(error.errno, message, str(self.directory)) from None
        before = [each for each in State.all_in(self.directory) if each < state]
        for other in State.all_in(self.directory):
            if other not in (state, *before[: KEPT - 1]):
                other.remove()

    def _restored(self, learner: keras.Model, whose: identity.Identity) -> int:
        state = self._newest()
        if state is None:
            return 0
        record = state.record
        former = record.get("identity", {})
        if not isinstance(former, dict):
            raise ValueError(f"{state.record_path} is damaged, it does not say whose the state is.")
        found = identity.differences(
            former,
            whose,
            optimizer=record.get("optimizer"),
            allowed=self._allowed,
        )
        if found:
            raise ValueError(
                f"{self.directory} holds a run after {state.epoch} epochs that is another: "
                f"{identity.told(found)}. Take another folder, or "
                f"Backup({str(self.directory)!r}, changed='allow') to go on all the same."
            )
        exact = "optimizer" not in self._allowed
        state.load(learner, exact=exact)
        if exact and "optimizer" in former:  # callbacks may have changed rates since it began
            whose["optimizer"] = former["optimizer"]
        return state.epoch

    def _newest(self) -> State | None:
        """Returns the newest state that is whole, or None where there is none at all."""
        states = State.all_in(self.directory)
        for index, state in enumerate(states):
            if state.is_whole():
                if index and self._damaged != states[0]:
                    self._damaged = states[0]
                    warnings.warn(
                        f"{states[0].path} is damaged; training goes on from the state before it, "
                        f"after {state.epoch} epochs.",
                        stacklevel=7,
                    )
                return state
        if states:
            names = ", ".join(state.path.name for state in states)
            raise ValueError(
                f"{self.directory} holds damaged states only ({names}). Remove the folder to begin "
                "anew, or put a copy of a state there."
            )
        return None
