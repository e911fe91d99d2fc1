"""A log of metrics: one JSON object per epoch."""

import json
import math
import os
import time
from typing import Any

import keras

from keras_symvae import arguments, files, json_file

LARGEST = 1e300  # no cost is, and integers beyond cannot be drawn


class MetricsLog(keras.callbacks.Callback):
    """Writes one JSON object per epoch: epochs and steps done, seconds trained, all metrics.

    A run that is resumed after e epochs keeps the first e lines. It ends with the same lines as an
    uninterrupted run, and its seconds count all its parts. Put it before `Backup`: a line whose
    state is lost is written again, but a state without its line would leave a gap.

    Args:
        path: file of lines {"epoch": 1, "step": 150, "seconds": 2.5, "metrics": {...}}, in which
            metrics that are not finite are null.
    """

    def __init__(self, path: str | os.PathLike):
        super().__init__()
        self.path = arguments.path("path", path)
        self._start: float | None = None

    def records(self) -> list[dict[str, Any]]:
        """Returns the list of complete lines.

        Raises:
            ValueError: a line is none that was written here.
        """
        lines = self.path.read_bytes().splitlines() if self.path.is_file() else []
        # A killed run may have left half a line, the last one.
        whole = [(row, line) for row, line in enumerate(lines, start=1) if line.endswith(b"}}")]
        return [_record(line, where=f"{self.path}, line {row},") for row, line in whole]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._start = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._start is not None:
            return
        kept = [record for record in self.records() if record["epoch"] <= epoch]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(self.path) as unfinished:
            unfinished.write_text("".join(map(_line, kept)), encoding="utf-8")
        self._start = time.monotonic() - (kept[-1]["seconds"] if kept else 0.0)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        record = {
            "epoch": epoch + 1,
            "step": int(self.model.steps.numpy()),
            "seconds": round(time.monotonic() - self._start, 3),
            "metrics": {name: v if math.isfinite(v) else None for name, v in values.items()},
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(record))


def _record(line: bytes, *, where: str) -> dict[str, Any]:
    """Returns what `_line` wrote, or refuses it."""
    record = json_file.parsed(line, where=where)
    metrics = record.get("metrics")
    told = metrics.values() if isinstance(metrics, dict) else [metrics or "none"]
    numbers: list[Any] = [record.get(name) for name in ("epoch", "step", "seconds")]
    numbers += [value for value in told if value is not None]
    if not all(type(number) in (int, float) and abs(number) < LARGEST for number in numbers):
        raise ValueError(f"{where} is damaged, it is no line of metrics")
    return record


def _line(record: dict[str, Any]) -> str:
    return f"{json.dumps(record, allow_nan=False)}\n"
