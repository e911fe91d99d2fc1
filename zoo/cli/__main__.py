"""The program `keras-symvae`: it finds the command that users ask for and starts it."""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from keras_symvae import __version__
from zoo.cli.command import HELP, HELP_FULL, Command, fail

PROGRAM = "keras-symvae"
COMMANDS = {
    "train": "train a preset of the zoo",
    "sample": "draw images from a trained model",
    "evaluate": "measure a trained model",
    "export": "write a trained model as a SavedModel",
    "presets": "list the presets of the zoo",
    "completion": "print a script that completes commands and flags in bash",
}


def command(name: str) -> Command:
    """Returns a command; no other one is imported."""
    return importlib.import_module(f"zoo.cli.{name}").COMMAND


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs `keras-symvae COMMAND FLAGS` and ends the process.

    Args:
        arguments: of the command line; by default those of the process.
    """
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or [""]
    if name in COMMANDS:
        command(name).run(rest, call=f"{PROGRAM} {name}")
    if name in HELP | HELP_FULL | {"help"}:
        print(_help(), end="")
        sys.exit(0)
    if name == "--version":
        print(f"{PROGRAM} {__version__}")
        sys.exit(0)
    if not name:
        print(_help(), end="", file=sys.stderr)
        sys.exit(2)
    known = ", ".join(COMMANDS)
    fail(f"{name!r} is none of its commands: {known}; see --help", program=PROGRAM, code=2)


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [
        f"{PROGRAM}: symmetric learning of variational autoencoders, and its baselines.",
        "",
        f"    {PROGRAM} train --steps=300 --out=runs/first",
        f"    {PROGRAM} sample --model=fashion_mnist_reverse --out=samples.png",
        "",
        "Commands:",
        *(f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items()),
        "",
        f"{PROGRAM} COMMAND --help explains the flags of a command; --version tells the version.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
