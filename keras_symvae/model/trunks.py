"""A trunk: the deterministic network that the factors of one player share."""

import keras


@keras.saving.register_keras_serializable(package="keras_symvae")
class Trunk(keras.Layer):
    """Named activations, computed once for all factors of a player.

    Args:
        given: names of the variables whose features the network reads; they must be observed
            whenever the player is asked. One name may be a plain string.
        network: a Keras layer or model that returns a dict {activation: [B, ...]}.
    """

    def __init__(self, *, given, network, name="trunk", **kwargs):
        super().__init__(name=name, **kwargs)
        self.given = (given,) if isinstance(given, str) else tuple(given)
        self.network = network

    def bind(self, shapes):
        """Builds the network and returns the shapes {activation: [...]} per example."""
        inputs = [keras.KerasTensor((None, *shapes[name])) for name in self.given]
        outputs = self.network(inputs[0] if len(inputs) == 1 else inputs)
        if not isinstance(outputs, dict):
            raise ValueError(
                f"The network of a trunk returns a dict {{activation: tensor}}; received "
                f"{type(outputs).__name__}."
            )
        self.built = True
        return {name: tuple(output.shape[1:]) for name, output in outputs.items()}

    def activations(self, reads):
        """Returns {activation: [B, ...]} from `reads`, the features {name: [B, ...]}."""
        inputs = [reads[name] for name in self.given]
        return self.network(inputs[0] if len(inputs) == 1 else inputs)

    def get_config(self):
        return {
            "given": self.given,
            "network": keras.saving.serialize_keras_object(self.network),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})
