"""Callbacks: what happens beside training."""

import json
import math
import os
import pathlib
import re
import time

import keras
import tensorflow as tf

from keras_symvae import pictures
from keras_symvae.evaluation.information import information
from keras_symvae.team import Team


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


class Information(keras.callbacks.Callback):
    """Adds "information/z" to the metrics of an epoch: what latent z holds about held-out data.

    The sum over the elements of z, nats per example; near 0 the latent has collapsed. Put it before
    the callbacks that are to see it.

    Args:
        values: data {name: [N, ...]}.
        seed: integer.
    """

    def __init__(self, values, *, seed=0):
        super().__init__()
        self.values, self.seed = values, seed

    def on_epoch_end(self, epoch, logs=None):
        for prefix, pair, values in _members(self.model.pair, self.values):
            found = information(pair, values, seed=self.seed)
            if logs is not None:
                logs |= {f"information/{prefix}{z}": float(each.sum()) for z, each in found.items()}


class Accuracy(keras.callbacks.Callback):
    """Adds "accuracy/y" to the metrics of an epoch, for models with `classify`.

    Args:
        values: held-out data {"x": [N, ...], "y": [N]}.
    """

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        probabilities = self.model.classify(self.values["x"])
        if logs is not None:
            right = probabilities.argmax(axis=1) == self.values["y"]
            logs["accuracy/y"] = float(right.mean())


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras's, with curves of epochs only.

    Keras's own makes a summary of every metric in every step, to throw it away if no step is to be
    written; that takes longer than a small step.

    Args:
        directory: folder of the event files.
    """

    def __init__(self, directory):
        super().__init__(str(directory), write_graph=False)

    def on_train_batch_end(self, batch, logs=None):
        pass


class Pictures(keras.callbacks.Callback):
    """Writes samples and reconstructions to TensorBoard after every epoch.

    Args:
        directory: folder of the event files.
        values: held-out data {name: [N, ...]} to reconstruct.
        n: number of samples; half as many reconstructions.
        seed: integer.
    """

    def __init__(self, directory, values, *, n=50, seed=0):
        super().__init__()
        self.directory, self.values, self.n, self.seed = str(directory), values, n, seed

    def on_train_begin(self, logs=None):
        self._writer = tf.summary.create_file_writer(self.directory)

    def on_train_end(self, logs=None):
        self._writer.close()

    def on_epoch_end(self, epoch, logs=None):
        with self._writer.as_default(step=epoch):
            for prefix, pair, values in _members(self.model.pair, self.values):
                self._write(prefix, pair, values)

    def _write(self, prefix, pair, values):
        originals = {name: value[: self.n // 2] for name, value in values.items()}
        context = {name: values[name][: self.n] for name in pair.context}
        n = None if context else self.n
        samples = pair.generate(n, seed=self.seed, output="mean", **context)
        answers = pair.reconstruct(originals, seed=self.seed)
        for name in pair.observed:
            if len(pair.families[name].shape) != 3:
                continue
            tf.summary.image(f"{prefix}samples/{name}", pictures.grid(samples[name])[None])
            both = pictures.pairs(originals[name], answers[name])
            tf.summary.image(f"{prefix}reconstructions/{name}", both[None])


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


def _members(model, values):
    """Yields ("member/", pair, its values) of a team, or ("", pair, values)."""
    if not isinstance(model, Team):
        yield "", model, values
        return
    for member, pair in model.members.items():
        yield f"{member}/", pair, model.split(values)[member]


def _chosen(logs, names):
    return {name: logs[name] for name in names if name in (logs or {})}


def _line(record):
    return f"{json.dumps(record, allow_nan=False)}\n"
