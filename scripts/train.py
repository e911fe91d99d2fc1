"""Trains a preset of the zoo, see `zoo.cli.train`."""

import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from zoo.cli import commands
from zoo.cli.train import main

if __name__ == "__main__":
    commands.run(main, interrupted="interrupted; go on by --resume with the same --out")
