"""An architecture: a pair or team that is rebuilt from the arguments of its constructor."""

from typing import Any, Self

import keras


class Architecture:
    """A pair or team of the zoo, without a loss; its config is its constructor.

    A constructor ends by keeping its arguments in `_config`, {argument: plain value or family}.
    """

    target: str | None = None  # the variable that data may hold beside the image, such as "y"
    kept: tuple[str, ...] = ()  # arguments that the pair itself keeps under their own name
    _config: dict[str, Any]

    def get_config(self) -> dict[str, Any]:
        arguments = self._config | {name: getattr(self, name) for name in self.kept}
        return {
            name: keras.saving.serialize_keras_object(value) for name, value in arguments.items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))


def one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    """Returns the value of an argument.

    Raises:
        ValueError: the value is none of the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} is one of {choices}; received {value!r}.")
    return value
