"""The command that draws from a trained model: a grid of images, or all variables as arrays."""

import numpy as np
from absl import flags

import zoo
from keras_symvae import Pair, files, pictures
from keras_symvae.model import questions
from zoo.cli import model, seed
from zoo.cli.command import Command
from zoo.cli.out import new_file
from zoo.runs import model_file, portraits

MOST = pictures.COLUMNS**2  # images in a picture

FLAGS = flags.FlagValues()
model.define(FLAGS)
flags.DEFINE_string("out", None, "The .png or .npz file to write.", flag_values=FLAGS)
flags.DEFINE_integer(
    "n", MOST, f"Examples; a .png shows at most {MOST}.", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_integer(
    "steps",
    0,
    "0: one shot from the decoder; more: alternations of encoder and decoder that follow it. "
    "Images with label maps take at least 1: they come from the full limiting distribution.",
    lower_bound=0,
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "output",
    "mean",
    list(questions.OUTPUTS),
    "How pixels are shown: their mean, mode or a draw.",
    flag_values=FLAGS,
)
seed.define(FLAGS)


def main(asked: flags.FlagValues) -> None:
    """Draws and writes the file."""
    path = new_file(asked.out, suffixes=(".png", ".npz"))
    if path.suffix == ".png" and asked.n > MOST:
        raise ValueError(f"a .png shows at most {MOST} images, not --n={asked.n}; write a .npz")
    learner = model_file.load(asked.model, kinds=(Pair, zoo.Segmentation))
    options = {"seed": asked.seed, "output": asked.output}
    if isinstance(learner.pair, zoo.Segmentation):
        values = learner.limiting_pairs(asked.n, steps=asked.steps, **options)
    elif asked.steps:
        values = learner.limiting(asked.n, steps=asked.steps, **options)
    else:
        values = learner.generate(asked.n, **options)
    if path.suffix == ".png":
        columns = min(pictures.COLUMNS, int(np.ceil(np.sqrt(asked.n))))
        pictures.save(path, portraits.grid(learner.pair, values, columns=columns))
    else:
        with files.whole(path) as unfinished:
            np.savez_compressed(unfinished, **values)
    print(f"{asked.n} examples are in {path}")


COMMAND = Command(
    name="sample",
    summary="Draws from a trained model: a grid of images as .png, or all variables as .npz.",
    examples=(
        "--model=fashion_mnist_reverse --out=samples.png",
        "--model=runs/demo/model.keras --steps=1000 --n=10000 --out=x.npz",
    ),
    flags=FLAGS,
    common=("model", "out", "n", "steps", "output", "seed"),
    needed=("model", "out"),
    main=main,
)
