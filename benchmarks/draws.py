"""The cost of K draws: steps of a preset with K = 1 and more, side by side in one run.

    python -m benchmarks.draws                                     # the presets of bits
    python -m benchmarks.draws --of=fashion_mnist_reverse --draws=1 --draws=20 --xla

Steps of all settings take turns, so that what else the machine does meets all alike; a ratio is the
median over the rounds. The last line is JSON. Results are in train_step.md.
"""

import json
import statistics
import time
from typing import Any

import keras
import tensorflow as tf
from absl import app, flags

import keras_symvae as sv
from benchmarks import learners, train_step
from zoo import presets
from zoo.datasets.preparation import Preparation

PRESETS = ["fashion_mnist_reverse", "fashion_mnist_ladder", "mnist_ladder_paper"]
flags.DEFINE_multi_enum("of", PRESETS, list(presets.PRESETS), "A preset; repeatable.")
flags.DEFINE_multi_integer("draws", [1, 5], "K; the first is what the others are compared with.")
flags.DEFINE_string("game", "symmetric", "The learner.")
flags.DEFINE_integer("size", 256, "Examples per step.", lower_bound=1)
flags.DEFINE_integer("rounds", 20, "Turns of every setting.", lower_bound=1)
flags.DEFINE_bool("xla", False, "Compile the steps with XLA.")
FLAGS = flags.FLAGS


def measure(preset: str, game: str, *, draws: list[int], size: int, rounds: int, xla: bool) -> Any:
    """Returns {"K": {"ms": median, "ratio": median of the ratios to the first K}}."""
    steps = {}
    for number in draws:
        model = learners.of_preset(preset, game, jit_compile=xla, options={"draws": number})
        transform = Preparation(**presets.get(preset).preparation)
        values = train_step.random_values(model.pair.families, size=size)
        batch = sv.Batches(values, batch_size=size, transform=transform).at(0)
        steps[number] = tf.function(
            lambda model=model, batch=batch: model.train_step(batch)["loss"], jit_compile=xla
        )
        steps[number]()
    seconds: dict[int, list[float]] = {number: [] for number in draws}
    for _ in range(rounds):
        for number, step in steps.items():
            begin = time.perf_counter()
            step().numpy()
            seconds[number].append(time.perf_counter() - begin)
    first = seconds[draws[0]]
    return {
        number: {
            "ms": 1e3 * statistics.median(found),
            "ratio": statistics.median(b / a for a, b in zip(first, found, strict=True)),
        }
        for number, found in seconds.items()
    }


def main(argv: list[str]) -> None:
    """Measures what the flags say."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    keras.utils.set_random_seed(0)
    options = {"draws": FLAGS.draws, "size": FLAGS.size, "rounds": FLAGS.rounds, "xla": FLAGS.xla}
    found = {}
    for preset in FLAGS.of:
        found[preset] = measure(preset, FLAGS.game, **options)
        for number, row in found[preset].items():
            print(
                f"{preset:24s} {FLAGS.game} K {number:3d}  {row['ms']:8.2f} ms/step  "
                f"x{row['ratio']:.2f}",
                flush=True,
            )
    print(json.dumps(found))


if __name__ == "__main__":
    app.run(main)
