"""How fast a learner explains held-out data: the decoder's cost against seconds of training.

    python -m benchmarks.time_to_quality --preset digits_ladder --seconds 60

The last line is JSON: {learner: [{"seconds", "steps", "decoder/x"}, ...]}.
"""

import json
import time
from typing import Any

import tensorflow as tf
from absl import app, flags

import keras_symvae as sv
from benchmarks import learners
from zoo import datasets, presets
from zoo.datasets.preparation import Preparation

LADDERS = [  # whose learners all score images
    name
    for name, preset in presets.PRESETS.items()
    if preset.model == "ladder" and "fgan" not in preset.recipes
]
flags.DEFINE_enum("preset", "digits_ladder", LADDERS, "Preset to train.")
flags.DEFINE_string("data", None, "Data set; default: the preset's own.")
flags.DEFINE_float("seconds", 60.0, "Seconds of training per learner.", lower_bound=1.0)
flags.DEFINE_integer("points", 10, "Number of measurements.", lower_bound=2)
flags.DEFINE_integer("seed", 0, "Seed of weights, data order and draws.")
FLAGS = flags.FLAGS
HELD_OUT = 1000  # images on which quality is measured


def trajectory(
    preset: str, learner: str, *, data: str | None, seconds: float, points: int, seed: int
) -> list[dict[str, Any]]:
    """Returns [{"seconds", "steps", "decoder/x"}], nats per example on held-out data."""
    chosen = presets.get(preset)
    model = learners.of_preset(preset, learner, seed=seed)
    preparation = Preparation(**chosen.preparation)
    train, test = (datasets.load(data or chosen.data, split=part) for part in ("train", "test"))
    seeded = sv.seeds.make(seed)
    held_out = preparation.clean()({"x": tf.constant(test.x[:HELD_OUT])}, seeded)["x"].numpy()
    batches = sv.Batches(
        {"x": train.x}, batch_size=chosen.batch_size, seed=seed, transform=preparation
    )
    model.fit(batches, steps_per_epoch=1, verbose=0)  # tracing is no training time
    found, spent, steps = [], 0.0, 1
    while spent < seconds:
        begin = time.perf_counter()
        model.fit(batches, steps_per_epoch=steps, verbose=0)
        took = time.perf_counter() - begin
        spent += took
        steps = max(1, round(steps / took * seconds / points))
        costs = model.evaluate(held_out, batch_size=HELD_OUT, verbose=0, return_dict=True)
        done = {"seconds": spent, "steps": int(model.steps.numpy())}
        found.append({**done, "decoder/x": costs["decoder/x"]})
        print(
            f"{learner:10} {spent:7.1f} s  {done['steps']:7d} steps  {costs['decoder/x']:8.2f} nats"
        )
    return found


def main(argv: list[str]) -> None:
    """Trains every learner of the preset."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    options: dict[str, Any] = {
        key: FLAGS[key].value for key in ("data", "seconds", "points", "seed")
    }
    found = {
        name: trajectory(FLAGS.preset, name, **options)
        for name in presets.get(FLAGS.preset).recipes
    }
    print(json.dumps(found))


if __name__ == "__main__":
    app.run(main)
