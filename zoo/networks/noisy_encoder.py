"""An encoder that reads noise beside the image, so that its codes follow any distribution."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.mlp import MLP
from zoo.networks.network import Network


@keras.saving.register_keras_serializable(package="zoo")
class NoisyEncoder(Network):
    """Codes of any distribution, (image [B, ...], noise [B, ...]) -> [B, units].

        z = MLP(body(image), noise)

    Args:
        body: layer from the image to a vector; None: the image itself.
        units: width of the output.
        hidden: widths of the layers that see the noise.
        activation: of these layers.
    """

    def __init__(
        self,
        body: keras.Layer | None,
        units: int,
        *,
        hidden: Sequence[int],
        activation: str = "elu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.body, self.units = body, units
        self.hidden, self.activation = tuple(hidden), activation
        self.head = MLP(self.hidden, units, activation=activation)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        image, noise = inputs
        return self.head([image if self.body is None else self.body(image), noise])
