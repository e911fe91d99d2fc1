"""A progress bar that fits into the line of a terminal."""

import keras


class Progress(keras.callbacks.ProgbarLogger):
    """Keras's progress bar with few metrics, so that its line is not longer than a terminal's.

    Args:
        running: names of the metrics to show within an epoch.
        final: names of the metrics to show when it has ended.
        total: number of epochs, where several `fit` share them.
    """

    def __init__(self, *, running=("loss",), final=("loss", "val_loss"), total=None):
        super().__init__()
        self.running, self.final, self.total = tuple(running), tuple(final), total

    def set_params(self, params):
        super().set_params(params)
        self.epochs = self.total or self.epochs

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, _chosen(logs, self.running))

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, _chosen(logs, self.final))


def _chosen(logs, names):
    return {name: logs[name] for name in names if name in (logs or {})}
