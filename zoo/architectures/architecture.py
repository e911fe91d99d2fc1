"""An architecture: a pair or team of the zoo, without a loss."""


class Architecture:
    """A pair or team whose configuration is its constructor, see `Configured`.

    A constructor ends by keeping its arguments in attributes.
    """

    target: str | None = None  # the variable that data may hold beside the image, such as "y"


def one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Returns the value of an argument.

    Raises:
        ValueError: the value is none of the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} is one of {choices}; received {value!r}.")
    return value
