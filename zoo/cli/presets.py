"""The command that lists the presets of the zoo."""

import math
from collections.abc import Iterable, Sequence

from absl import flags

from keras_symvae import Pair, Team
from zoo.cli.command import Command
from zoo.presets.table import PRESETS, Preset

FLAGS = flags.FlagValues()
flags.DEFINE_bool(
    "parameters",
    False,
    "Count the weights that are trained, too, critics excepted; this builds every network.",
    flag_values=FLAGS,
)


def main(asked: flags.FlagValues) -> None:
    """Prints the table."""
    heads = ["name", "architecture", "learners", "data", "steps"]
    if asked.parameters:
        heads.append("parameters")
    rows = []
    for name, preset in PRESETS.items():
        row = [name, preset.model, ", ".join(preset.recipes), preset.data, f"{preset.steps:,}"]
        rows.append([*row, f"{parameters(preset):,}"] if asked.parameters else row)
    print(table(heads, rows), end="")


def parameters(preset: Preset) -> int:
    """Returns the number of trained weights of a preset's pair, or of its team."""
    model: Pair | Team = preset.pair()
    members = model.members.values() if isinstance(model, Team) else [model]
    return sum(math.prod(v.shape) for member in members for v in member.trainable_variables)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns the text of a table with columns of one width; numbers stand at the right."""
    lines = [list(heads), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = {index for index, head in enumerate(heads) if head in ("steps", "parameters")}
    text = ""
    for line in lines:
        cells = [
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text


COMMAND = Command(
    name="presets",
    summary="Lists the presets of the zoo: architecture, learners, data and training steps.",
    examples=("", "--parameters"),
    flags=FLAGS,
    common=("parameters",),
    main=main,
)
