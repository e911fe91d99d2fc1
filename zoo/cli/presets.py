"""The command that lists the presets of the zoo."""

from absl import flags

from zoo.cli.command import Command
from zoo.presets.catalogue import listed

FLAGS = flags.FlagValues()
flags.DEFINE_bool(
    "parameters",
    False,
    "Count the weights that are trained, critics excepted, of those that are not shipped, too; "
    "this builds every network.",
    flag_values=FLAGS,
)


def main(asked: flags.FlagValues) -> None:
    """Prints the table."""
    print(listed(parameters=asked.parameters), end="")


COMMAND = Command(
    name="presets",
    summary="Lists the presets of the zoo, and the trained models that are shipped.",
    examples=("", "--parameters"),
    flags=FLAGS,
    common=("parameters",),
    main=main,
)
