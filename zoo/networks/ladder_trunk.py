"""The trunk of a ladder encoder: one pass from the image up to the highest latent level."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.mlp import MLP
from zoo.networks.network import Network


@keras.saving.register_keras_serializable(package="zoo")
class LadderTrunk(Network):
    """The deterministic bottom-up pass of a ladder encoder, image -> {"a0": ..., "a1": ...}.

        a_M = Linear(h),  a_t = Linear(MLP(h)) + Linear(a_{t+1}),  h = body(image)

    Args:
        body: layer from the image to a vector h.
        units: widths of a_0 ... a_M, the raw outputs of the latents.
        hidden: widths of the tanh layers between one level and the next.
    """

    def __init__(
        self, body: keras.Layer, units: Sequence[int], *, hidden: Sequence[int], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.body, self.units, self.hidden = body, tuple(units), tuple(hidden)
        self.heads = [keras.layers.Dense(width) for width in self.units]
        self.steps = [MLP(self.hidden) for _ in self.units[1:]]
        self.shortcuts = [keras.layers.Dense(width, use_bias=False) for width in self.units[:-1]]

    def call(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        top = len(self.units) - 1
        h = self.body(image)
        activations = {f"a{top}": self.heads[top](h)}
        for level in reversed(range(top)):
            h = self.steps[level](h)
            shortcut = self.shortcuts[level](activations[f"a{level + 1}"])
            activations[f"a{level}"] = self.heads[level](h) + shortcut
        return activations
