"""An architecture: a pair or team of the zoo, without a loss."""


class Architecture:
    """A pair or team whose configuration is its constructor, see `Configured`.

    A constructor ends by keeping its arguments in attributes.
    """

    target: str | None = None  # the variable that data may hold beside the image, such as "y"
