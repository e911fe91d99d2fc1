"""A run: the folder that training writes."""

import contextlib
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_symvae import Learner, callbacks, files, json_file, lock, pictures
from keras_symvae.data.batches import Minibatches
from zoo.runs import portraits, settings_file
from zoo.runs import report as reports

PICTURES = dict.fromkeys((*portraits.OF_PAIR, *portraits.OF_TEAM, "curves.png"))
FOLDERS = ("backup", "tensorboard")
FILES = ("settings.json", "model.keras", "metrics.jsonl", "report.json", *FOLDERS)
BATCH_SIZE = 500  # of held-out data


class Run:
    """The folder of one run.

        settings.json   flags and recipe       metrics.jsonl   one line per epoch
        model.keras     the trained learner    report.json     last and best of every metric
        backup/         what --resume needs    tensorboard/    curves and pictures
        curves.png and the pictures of `portraits`

    Args:
        folder: its path.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = pathlib.Path(folder)
        self.model = self.folder / "model.keras"
        self.log = callbacks.MetricsLog(self.folder / "metrics.jsonl")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings it was started with.

        Raises:
            FileNotFoundError: the folder holds no run.
            ValueError: its settings are damaged.
        """
        path = self.folder / "settings.json"
        if not path.is_file():
            raise FileNotFoundError(f"{self.folder} holds no run; a run has a settings.json")
        return settings_file.read(path, needed=settings_file.NEEDED)

    def check_new(self) -> None:
        """Refuses a folder in which training would write over anything that was trained.

        A run that failed before its first epoch had ended is nothing to keep.

        Raises:
            FileExistsError: says what to do.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise FileExistsError(f"--out={self.folder} is a file; choose another --out")
        kept = ("model.keras", "report.json", *PICTURES)
        if self.log.records() or self.begun or any((self.folder / name).exists() for name in kept):
            raise FileExistsError(
                f"--out={self.folder} holds a run, which stays as it is; go on with it by "
                "--resume, or choose another --out"
            )

    @property
    def begun(self) -> bool:
        """Whether there is a state to go on from."""
        return self._backup.epochs > 0

    @property
    def _backup(self) -> callbacks.Backup:
        # A rest of steps is an epoch of another length; other steps are refused by `settings`.
        return callbacks.Backup(self.folder / "backup", changed=("steps_per_epoch",))

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keeps the folder for this process.

        Raises:
            BlockingIOError: another process trains there.
            ValueError: its folders are links, and what is written there would lie elsewhere.
        """
        for name in FOLDERS:
            if (self.folder / name).is_symlink():
                raise ValueError(
                    f"{self.folder / name} is a link, and a run writes into its own folder only; "
                    "put the folder itself there"
                )
        return lock.locked(self.folder)

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Makes the folder and keeps the settings there.

        Raises:
            FileExistsError: see `check_new`.
        """
        self.check_new()
        self.folder.mkdir(parents=True, exist_ok=True)
        reports.write(self.folder / "settings.json", settings)

    def train(
        self,
        learner: Learner,
        batches: Minibatches,
        held_out: Mapping[str, np.ndarray],
        *,
        settings: Mapping[str, Any],
        verbose: int,
    ) -> int:
        """Trains up to the last step, from wherever the backup ends; returns the epochs it did."""
        backup = self._backup
        logs = self.folder / "tensorboard"
        # `fit` has epochs of one length only, so a rest is a `fit` of its own.
        full, rest = divmod(settings["steps"], settings["epoch_steps"])
        stages = [(full, settings["epoch_steps"])] + ([(full + 1, rest)] if rest else [])
        final = ("loss", "decoder/x", "val_loss", "val_decoder/x", "accuracy/y")
        watchers = [
            callbacks.Information(held_out),
            *([callbacks.Accuracy(held_out)] if "y" in held_out else []),
            callbacks.Pictures(logs / "pictures", held_out),
            callbacks.TensorBoard(logs),
            self.log,
            callbacks.Progress(final=final, total=stages[-1][0]),
            backup,  # last: what an epoch writes is complete before its state is
        ]
        before = done = backup.restore(learner)
        for epochs, steps in stages:
            if done < epochs:
                learner.fit(
                    batches,
                    epochs=epochs,
                    steps_per_epoch=steps,
                    validation_data=held_out,
                    validation_batch_size=BATCH_SIZE,
                    callbacks=watchers,
                    verbose=verbose,
                )
                done = epochs
        return done - before

    def save(self, learner: Learner) -> None:
        """Writes the model in one move, so that no half-written file takes its name."""
        with files.whole(self.model) as unfinished:
            learner.save(unfinished)

    def draw(
        self,
        learner: Learner,
        held_out: Mapping[str, np.ndarray],
        *,
        limiting_steps: int,
        seed: int,
    ) -> None:
        """Writes the pictures that `portraits.draw` describes, and the curves."""
        portraits.draw(self.folder, learner, held_out, limiting_steps=limiting_steps, seed=seed)
        pictures.curves(self.folder / "curves.png", self.log.records())

    def last_report(self) -> dict[str, Any]:
        """Returns what `report` wrote last."""
        return json_file.read(self.folder / "report.json")

    def report(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Writes and returns report.json, which `reports.of_training` describes."""
        report = reports.of_training(self.log.records(), settings=settings)
        reports.write(self.folder / "report.json", report)
        return report
