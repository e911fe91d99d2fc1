"""Writes a trained model as a SavedModel that needs neither Keras nor this library.

    python -m scripts.export --model=runs/demo/model.keras --out=runs/demo/saved_model

Its signatures are generate, encode, decode, reconstruct and limiting.
"""

import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from absl import flags

from keras_symvae import Pair, Team
from keras_symvae.model import questions as endpoints
from zoo.cli import commands

flags.DEFINE_string("model", None, "The model.keras that training wrote.", required=True)
flags.DEFINE_string("out", None, "The folder to write; it must be new or empty.", required=True)
flags.DEFINE_enum(
    "output",
    None,
    list(endpoints.OUTPUTS),
    "How pixels are shown: their mean, mode or a draw. Default: reconstructions by their mean, all "
    "else as draws, as the methods of the model do.",
)
FLAGS = flags.FLAGS


def main():
    folder = pathlib.Path(FLAGS.out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"--out={folder} exists and is not empty; choose another")
    learner = commands.load_model(FLAGS.model, kinds=(Pair, Team))
    learner.export(folder, output=FLAGS.output)
    print(f"The SavedModel is in {folder}")


if __name__ == "__main__":
    commands.run(main)
