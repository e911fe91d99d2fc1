"""Memory and open files of a process that trains, answers and saves for as long as one likes.

    python -m benchmarks.soak --minutes=60

Every round trains small ladders on the embedded digits, one by arrays with a `Backup`, one by
tf.data; judges one, asks it everything, and saves it. A line a minute says what the process holds,
the last one how much more it held at the end than after the first tenth of the time.
"""

import gc
import json
import os
import pathlib
import tempfile
import time
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import app, flags

import keras_symvae as sv
from keras_symvae import evaluation
from zoo import datasets, presets
from zoo.datasets.preparation import Preparation

flags.DEFINE_float("minutes", 60.0, "How long.", lower_bound=0.01)
flags.DEFINE_integer("steps", 50, "Updates of a `fit`.", lower_bound=1)
FLAGS = flags.FLAGS
BATCH_SIZE = 32


def held() -> dict[str, float]:
    """Returns what this process holds: resident memory in MiB, and its number of open files."""
    gc.collect()  # what nobody holds any more, and Python has not thrown away yet
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    files = len(os.listdir("/proc/self/fd")) - 1  # without the folder that is read
    return {"mebibytes": pages * os.sysconf("SC_PAGE_SIZE") / 2**20, "files": files}


def rounds(images: np.ndarray, folder: pathlib.Path, steps: int) -> Iterator[int]:
    """Yields the updates made so far, after every round."""
    learner, other = _learner("symmetric"), _learner("elbo")
    stream = tf.data.Dataset.from_tensor_slices(images).repeat().batch(BATCH_SIZE)
    made = 0
    while True:
        backup = sv.Backup(folder / "backup", changed="allow")
        epochs = backup.epochs + 1
        learner.fit(
            images,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            steps_per_epoch=steps,
            callbacks=[backup],
            verbose=0,
        )
        other.fit(stream, steps_per_epoch=steps, verbose=0)
        made += 2 * steps
        learner.evaluate(images, verbose=0)
        some = images[:16]
        codes = learner.encode(some)
        learner.decode(codes)
        learner.reconstruct(some)
        learner.generate(16)
        learner.limiting(16, steps=3)
        evaluation.log_likelihood(learner.pair, {"x": some}, num_samples=4)
        learner.save(folder / "model.keras")
        yield made


def main(argv: list[str]) -> None:
    """Soaks for as long as the flags say."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    begun = time.monotonic()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        images = (datasets.load("digits").x[:512] > Preparation.threshold).astype("float32")
        for made in rounds(images, pathlib.Path(folder), FLAGS.steps):
            minutes = (time.monotonic() - begun) / 60
            done = minutes >= FLAGS.minutes
            if done or not lines or minutes >= lines[-1]["minutes"] + 1:
                lines.append({"minutes": minutes, "updates": made, **held()})
                print("  ".join(f"{k} {v:10.1f}" for k, v in lines[-1].items()), flush=True)
            if done:
                break
    warm = next(line for line in lines if line["minutes"] >= FLAGS.minutes / 10)
    grown = {name: lines[-1][name] - warm[name] for name in ("updates", "mebibytes", "files")}
    print(json.dumps({"lines": lines, "grown": grown}))


def _learner(name: str) -> sv.Learner:
    preset = presets.get("digits_ladder")
    recipe = preset.recipes[name]
    learner = sv.learners.get(name)(preset.pair(), **recipe.options)
    learner.compile(recipe.optimizer(steps=1_000_000))  # pyright: ignore[reportArgumentType]
    return learner


if __name__ == "__main__":
    app.run(main)
