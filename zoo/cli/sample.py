"""Draws from a trained model: a grid of images as .png, or all variables as .npz.

python -m scripts.sample --model=runs/demo/model.keras --out=samples.png
python -m scripts.sample --model=runs/demo/model.keras --steps=1000 --n=10000 --out=x.npz
"""

import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

import numpy as np
from absl import flags

import zoo
from keras_symvae import Pair, pictures
from keras_symvae.model import questions as endpoints
from zoo.cli import commands
from zoo.runs import portraits

flags.DEFINE_string("model", None, "The model.keras that training wrote.", required=True)
flags.DEFINE_string("out", None, "The .png or .npz file to write.", required=True)
flags.DEFINE_integer("n", pictures.COLUMNS**2, "Examples; a .png shows at most 100.", lower_bound=1)
flags.DEFINE_integer(
    "steps",
    0,
    "0: one shot from the decoder; more: alternations of encoder and decoder that follow it. "
    "Images with label maps take at least 1: they come from the full limiting distribution.",
    lower_bound=0,
)
flags.DEFINE_enum(
    "output", "mean", list(endpoints.OUTPUTS), "How pixels are shown: their mean, mode or a draw."
)
flags.DEFINE_integer(
    "seed", 0, "The same seed gives the same draws.", lower_bound=0, upper_bound=2**31 - 1
)
FLAGS = flags.FLAGS


def main():
    path = commands.new_file(FLAGS.out, suffixes=(".png", ".npz"))
    most = pictures.COLUMNS**2
    if path.suffix == ".png" and FLAGS.n > most:
        raise ValueError(f"a .png shows at most {most} images, not --n={FLAGS.n}; write a .npz")
    learner = commands.load_model(FLAGS.model, kinds=(Pair, zoo.Segmentation))
    options = {"seed": FLAGS.seed, "output": FLAGS.output}
    if isinstance(learner.pair, zoo.Segmentation):
        values = learner.limiting_pairs(FLAGS.n, steps=FLAGS.steps, **options)
    elif FLAGS.steps:
        values = learner.limiting(FLAGS.n, steps=FLAGS.steps, **options)
    else:
        values = learner.generate(FLAGS.n, **options)
    if path.suffix == ".png":
        columns = min(pictures.COLUMNS, int(np.ceil(np.sqrt(FLAGS.n))))
        pictures.save(path, portraits.grid(learner.pair, values, columns=columns))
    else:
        np.savez_compressed(path, **values)
    print(f"{FLAGS.n} examples are in {path}")


if __name__ == "__main__":
    commands.run(main)
