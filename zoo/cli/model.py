"""The flag `--model` of a command."""

from absl import flags


def define(values: flags.FlagValues, *, text: str = "") -> None:
    """Adds the flag to those of a command.

    Args:
        values: flags of the command.
        text: what else the command has to say of it.
    """
    flags.DEFINE_string(
        "model",
        None,
        "A trained model: a model.keras or its folder, the name of one that is shipped (see "
        f"`keras-symvae presets`), hf://USER/NAME or kaggle://...{text}",
        flag_values=values,
    )
