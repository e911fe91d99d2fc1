"""The cost of one training step, beside what this machine can do.

    python -m benchmarks.train_step                  # the paper's ladder, symmetric, batch 128
    python -m benchmarks.train_step --all            # every preset and learner, also XLA
    python -m benchmarks.train_step --all --preset=digits_gaussian    # every learner of one

Every figure is a ratio within one run or stands beside one, because seconds alone say little on a
shared machine. The last line is JSON. Results are in train_step.md.
"""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

import keras_symvae as sv
from benchmarks import flops, learners
from keras_symvae.data.gate import Gate
from keras_symvae.learners import LEARNERS
from zoo import presets
from zoo.datasets.preparation import Preparation

flags.DEFINE_multi_enum(
    "preset", ["mnist_ladder_paper"], list(presets.PRESETS), "Architecture and recipe; repeatable."
)
flags.DEFINE_enum("learner", None, sorted(LEARNERS), "The game. Default: the preset's first.")
flags.DEFINE_integer("batch_size", 128, "Examples per step.", lower_bound=1)
flags.DEFINE_float("seconds", 8.0, "Time spent on each measured loop.", lower_bound=0.1)
flags.DEFINE_integer("steps_per_execution", 1, "Steps per call of the step in `fit`.")
flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA.")
flags.DEFINE_bool(
    "all",
    False,
    "Every learner of the presets named, or of all, with and without XLA and grouped steps.",
)
FLAGS = flags.FLAGS

MATRIX = 2048  # side of the square matrices whose product is the machine's yardstick


def matmul_rate(seconds: float = 1.0) -> float:
    """Returns the float32 matrix-product rate of this machine, FLOP/s, best of several."""
    a = tf.random.normal([MATRIX, MATRIX])
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(a, a)))
    return 2 * MATRIX**3 / min(_durations(product, seconds))


def _durations(call: Callable[[], Any], seconds: float) -> list[float]:
    call().numpy()
    end, durations = time.perf_counter() + seconds, []
    while time.perf_counter() < end or len(durations) < 3:
        begin = time.perf_counter()
        call().numpy()
        durations.append(time.perf_counter() - begin)
    return durations


def measure(
    preset: str,
    learner: str,
    *,
    batch_size: int,
    seconds: float,
    steps_per_execution: int = 1,
    jit_compile: bool = False,
) -> dict[str, Any]:
    """Returns {"ms_per_step": ..., ...} of one preset and learner on random data."""
    options = {"steps_per_execution": steps_per_execution, "jit_compile": jit_compile}
    model = learners.of_preset(preset, learner, **options)
    transform = Preparation(**presets.get(preset).preparation)
    values = random_values(model.pair.families, size=4 * batch_size)
    batches = sv.Batches(values, batch_size=batch_size, transform=transform)
    batch = batches.at(0)
    step = tf.function(lambda: model.train_step(batch)["loss"], jit_compile=jit_compile)
    before = matmul_rate(min(1.0, seconds))
    bare = statistics.median(_durations(step, seconds))
    rate = max(before, matmul_rate(min(1.0, seconds)))
    checking = _checking(model, batches, min(4.0, seconds))
    feed = iter(batches.dataset())
    feeding = statistics.median(_durations(lambda: next(feed)["x"], min(1.0, seconds)))
    steps = max(10, int(seconds / bare)) // steps_per_execution * steps_per_execution
    timer = _EpochTimer()
    model.fit(batches, epochs=2, steps_per_epoch=max(steps, 1), callbacks=[timer], verbose=0)
    fitting = timer.seconds / max(steps, 1)
    count = flops.count(model, batch)
    return {
        "preset": preset,
        "learner": learner,
        "batch_size": batch_size,
        "steps_per_execution": steps_per_execution,
        "jit_compile": jit_compile,
        "ms_per_step": 1e3 * bare,
        "samples_per_second": batch_size / bare,
        "fit_ms_per_step": 1e3 * fitting,
        "fit_over_step": fitting / bare,
        "input_over_step": feeding / bare,
        "check_over_step": checking / bare,
        "flops_per_step": count,
        "matmul_gflops": rate / 1e9,
        "matmul_fraction": count / bare / rate,
    }


def _checking(model: sv.Learner, batches: sv.Batches, seconds: float, block: int = 50) -> float:
    """Returns the seconds that it takes to check a batch: what it adds to the making of one."""
    gate = Gate(model.pair, check=lambda data, full: data, may_lack=model.may_lack)
    feeds = [iter(batches.dataset(check=check)) for check in (None, gate.minibatch)]

    def making(feed: Any) -> float:
        begin = time.perf_counter()
        for _ in range(block):
            next(feed)
        return (time.perf_counter() - begin) / block

    end, added = time.perf_counter() + seconds, []
    while time.perf_counter() < end or len(added) < 5:
        without, with_check = map(making, feeds)  # in turns: other loads meet both alike
        added.append(with_check - without)
    return statistics.median(added[1:])


def random_values(families: Mapping[str, Any], *, size: int) -> dict[str, np.ndarray]:
    """Returns random images x, and labels y, every other one missing, or label maps s."""
    rng = np.random.default_rng(0)
    values = {"x": rng.random((size, *families["x"].shape), np.float32)}
    for name in families.keys() & {"y", "s"}:
        family = families[name]
        values[name] = rng.integers(0, family.num_classes, (size, *family.shape), np.int32)
    if "y" in values:
        values["y"][::2] = families["y"].marker
    return values


class _EpochTimer(keras.callbacks.Callback):
    """Keeps the seconds of the last epoch: the first one pays for tracing."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begin = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = time.perf_counter() - self._begin


def main(argv: list[str]) -> None:
    """Measures what the flags say."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    keras.utils.set_random_seed(0)
    chosen = (FLAGS.steps_per_execution, FLAGS.jit_compile)
    jobs = [
        (name, FLAGS.learner or next(iter(presets.get(name).recipes)), *chosen)
        for name in FLAGS.preset
    ]
    if FLAGS.all:
        jobs = [
            (name, learner, *variant)
            for name in (FLAGS.preset if FLAGS["preset"].present else presets.PRESETS)
            for learner in presets.get(name).recipes
            for variant in ((1, False), (8, False), (1, True))
        ]
    runs = []
    for preset, learner, steps_per_execution, jit_compile in jobs:
        run = measure(
            preset,
            learner,
            batch_size=FLAGS.batch_size,
            seconds=FLAGS.seconds,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )
        runs.append(run)
        print(
            f"{preset:27} {learner:10} group {steps_per_execution} xla {int(jit_compile)}  "
            f"{run['ms_per_step']:8.2f} ms/step  {run['samples_per_second']:8.0f} samples/s  "
            f"{100 * run['matmul_fraction']:5.1f}% of {run['matmul_gflops']:.0f} GFLOP/s  "
            f"fit x{run['fit_over_step']:.3f}  input x{run['input_over_step']:.3f}  "
            f"check x{run['check_over_step']:.4f}",
            flush=True,
        )
    print(json.dumps({**runs[0], "runs": runs[1:]}))


if __name__ == "__main__":
    app.run(main)
