"""A network of the zoo: a Keras layer whose config is its constructor."""

import inspect
from typing import Any, Self

import keras


class Network(keras.Layer):
    """A layer that knows nothing of probability and is rebuilt from its constructor's arguments.

    A subclass keeps every named argument of `__init__` in an attribute of the same name; arguments
    may themselves be layers.
    """

    def get_config(self) -> dict[str, Any]:
        names = [
            name
            for name, parameter in inspect.signature(type(self).__init__).parameters.items()
            if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
        ]
        own = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))
