"""A log of metrics: one JSON object per epoch."""

import json
import math
import os
import pathlib
import time

import keras


class MetricsLog(keras.callbacks.Callback):
    """Writes one JSON object per epoch: epochs and steps done, seconds trained, all metrics.

    A run that goes on after e epochs keeps the first e lines, so that it ends with the file of an
    uninterrupted one, and with the seconds of all its parts. Put it before `Backup`: a line
    without its state is written anew, but a state without its line would leave a gap.

    Args:
        path: file of lines {"epoch": 1, "step": 150, "seconds": 2.5, "metrics": {...}}, in which
            metrics that are not finite are null.
    """

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)
        self._start = None

    def records(self):
        """Returns the list of complete lines."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        # A killed run may have left half a line, the last one.
        return [json.loads(line) for line in lines if line.endswith("}}")]

    def on_train_begin(self, logs=None):
        self._start = None

    def on_epoch_begin(self, epoch, logs=None):
        if self._start is not None:
            return
        kept = [record for record in self.records() if record["epoch"] <= epoch]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.write_text("".join(map(_line, kept)), encoding="utf-8")
        os.replace(unfinished, self.path)
        self._start = time.monotonic() - (kept[-1]["seconds"] if kept else 0.0)

    def on_epoch_end(self, epoch, logs=None):
        values = {name: float(value) for name, value in (logs or {}).items()}
        record = {
            "epoch": epoch + 1,
            "step": int(self.model.steps.numpy()),
            "seconds": round(time.monotonic() - self._start, 3),
            "metrics": {name: v if math.isfinite(v) else None for name, v in values.items()},
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(record))


def _line(record):
    return f"{json.dumps(record, allow_nan=False)}\n"
