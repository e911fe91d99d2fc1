"""The command that writes a trained model as a SavedModel."""

import pathlib

from absl import flags

from keras_symvae.model import questions
from zoo.cli import model
from zoo.cli.command import Command
from zoo.runs import model_file

FLAGS = flags.FlagValues()
model.define(FLAGS)
flags.DEFINE_string("out", None, "The folder to write; it must be new or empty.", flag_values=FLAGS)
flags.DEFINE_enum(
    "output",
    None,
    list(questions.OUTPUTS),
    "How pixels are shown: their mean, mode or a draw. Default: reconstructions by their mean, all "
    "else as draws, as the methods of the model do.",
    flag_values=FLAGS,
)


def main(asked: flags.FlagValues) -> None:
    """Exports the model."""
    folder = pathlib.Path(asked.out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"--out={folder} exists and is not empty; choose another")
    learner = model_file.load(asked.model)
    learner.export(folder, output=asked.output)
    print(f"The SavedModel is in {folder}")


COMMAND = Command(
    name="export",
    summary="Writes a trained model as a SavedModel, which runs in plain TensorFlow.",
    examples=(
        "--model=fashion_mnist_reverse --out=saved_model",
        "--model=runs/demo/model.keras --out=saved_model --output=mean",
    ),
    flags=FLAGS,
    common=("model", "out", "output"),
    needed=("model", "out"),
    main=main,
)
