"""A network of the zoo: a Keras layer whose config is its constructor."""

from typing import Any, Self

import keras

from keras_symvae.config import arguments


class Network(keras.Layer):
    """A layer that knows nothing of probability and is rebuilt from its constructor's arguments.

    A subclass keeps every argument in an attribute of the same name; an argument may be a layer.
    """

    def get_config(self) -> dict[str, Any]:
        own = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in arguments(type(self))
        }
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))
