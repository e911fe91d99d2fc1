"""The command `keras-symvae export`, from a checkout."""

import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from zoo.cli.export import COMMAND

if __name__ == "__main__":
    COMMAND.run(sys.argv[1:], call="python -m scripts.export")
