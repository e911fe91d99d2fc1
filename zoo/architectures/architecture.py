"""An architecture: what is kept of it are the arguments that it was made with."""

import keras


class Architecture:
    """A pair or team that is rebuilt from `_config`, {argument: value}; families are kept whole."""

    _config: dict

    def get_config(self):
        return {
            key: keras.saving.serialize_keras_object(value) for key, value in self._config.items()
        }

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))
