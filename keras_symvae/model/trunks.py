"""A trunk: the deterministic network that the factors of one player share."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.config import Configured
from keras_symvae.environment import refuse_legacy
from keras_symvae.model.practice import called


@keras.saving.register_keras_serializable(package="keras_symvae")
class Trunk(Configured, keras.Layer):
    """Named activations, computed once for all factors of a player.

    Args:
        given: names of the variables whose features the network reads; they must be observed
            whenever the player is asked. One name may be a plain string.
        network: a Keras layer or model that returns a dict {activation: [B, ...]}.
    """

    def __init__(
        self, *, given: str | Sequence[str], network: Any, name: str = "trunk", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        refuse_legacy(network, "The network of a trunk")
        self.given = arguments.words("given", given)
        self.network = arguments.instance("The network of a trunk", network, keras.Layer)

    def bind(self, shapes: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
        """Builds the network and returns the shapes {activation: [...]} per example.

        Raises:
            ValueError: the network does not return a dict.
        """
        outputs = self.network(joint([keras.KerasTensor((None, *shapes[n])) for n in self.given]))
        if not isinstance(outputs, dict):
            raise ValueError(
                f"The network of a trunk returns a dict {{activation: tensor}}; received "
                f"{type(outputs).__name__}."
            )
        self.built = True
        return {name: tuple(output.shape[1:]) for name, output in outputs.items()}

    def activations(self, reads: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns {activation: [B, ...]} from `reads`, the features {name: [B, ...]}."""
        return called(self, joint([reads[name] for name in self.given]))


def joint(inputs: Sequence[Any]) -> Any:
    """Returns what a network of several inputs is called with: the one input, or a list of them."""
    return inputs[0] if len(inputs) == 1 else list(inputs)
