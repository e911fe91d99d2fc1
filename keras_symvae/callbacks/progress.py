"""A progress bar that fits into one line of a terminal."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_symvae import arguments


class Progress(keras.callbacks.ProgbarLogger):
    """Keras's progress bar with few metrics, so that its line is not longer than a terminal's.

    Args:
        running: names of the metrics to show within an epoch.
        final: names of the metrics to show when it has ended.
        total: number of epochs, where several `fit` share them.
    """

    def __init__(
        self,
        *,
        running: Sequence[str] = ("loss",),
        final: Sequence[str] = ("loss", "val_loss"),
        total: int | None = None,
    ):
        super().__init__()
        self.running = arguments.words("running", running)
        self.final = arguments.words("final", final)
        self.total = arguments.size("total", total)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self.epochs = self.total or self.epochs

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, _chosen(logs, self.running))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, _chosen(logs, self.final))


def _chosen(logs: dict[str, Any] | None, names: Sequence[str]) -> dict[str, Any]:
    logs = logs or {}
    return {name: logs[name] for name in names if name in logs}
