"""Writes a trained model as a SavedModel, see `zoo.cli.export`."""

import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from zoo.cli import commands
from zoo.cli.export import main

if __name__ == "__main__":
    commands.run(main)
