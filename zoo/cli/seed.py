"""The flag `--seed` of a command."""

from absl import flags


def define(values: flags.FlagValues, *, text: str = "The same seed gives the same draws.") -> None:
    """Adds the flag to those of a command.

    Args:
        values: flags of the command.
        text: what the seed decides.
    """
    flags.DEFINE_integer("seed", 0, text, lower_bound=0, upper_bound=2**31 - 1, flag_values=values)
