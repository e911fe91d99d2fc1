"""Players of the plane: the pair that every game is played with, and its critics."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_symvae import Critic, Factor, Pair, Player
from keras_symvae.families import Normal
from scripts.experiments.plane_mixtures.shapes import SPREAD
from zoo.networks.mlp import MLP


def pair_of(settings: dict[str, Any]) -> Pair:
    """Returns the untrained `Pair` p(z) p(x | z) and q(z | x) of MLPs."""
    families = {
        "x": Normal(2, scale=settings["scale"], spread=SPREAD),
        "z": Normal(settings["latent"]),
    }

    def factor(name: str, given: str) -> Factor:
        units = math.prod(families[name].raw_shape)
        hidden = 2 * [settings["width"]]
        return Factor(
            name, given=given, network=MLP(hidden, units, activation=settings["activation"])
        )

    decoder = Player([Factor("z"), factor("x", "z")], families=families, name="decoder")
    return Pair(decoder, Player([factor("z", "x")], families=families, name="encoder"))


@keras.saving.register_keras_serializable(package="scripts")
class Waves(keras.layers.Layer):
    """An MLP of inputs side by side, and of the first one by sines and cosines as well.

    Smooth networks learn slowly what changes over a tenth of the plane's width; waves are sharp.

    Args:
        widths: of the hidden layers.
        frequencies: of the waves, in radians per unit of the input.
        activation: of the hidden layers.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        frequencies: Sequence[float],
        activation: str,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.widths, self.frequencies = tuple(widths), tuple(frequencies)
        self.activation = activation
        self.body = MLP(self.widths, 1, activation=activation)

    def call(self, inputs: Any) -> Any:
        inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        phases = [frequency * inputs[0] for frequency in self.frequencies]
        waves = [wave(phase) for phase in phases for wave in (keras.ops.sin, keras.ops.cos)]
        return self.body([*inputs, *waves])

    def get_config(self) -> dict[str, Any]:
        own = {"widths": self.widths, "frequencies": self.frequencies}
        return {**super().get_config(), **own, "activation": self.activation}


def critic_of(name: str, given: Sequence[str], settings: dict[str, Any]) -> Critic:
    """Returns the `Critic` of this name; one of log q(z | x) - log p(z) starts near it."""
    widths, activation = 2 * [settings["critic_width"]], settings["activation"]
    if "x" in given:
        network = Waves(widths, frequencies=settings["frequencies"], activation=activation)
    else:
        network = MLP(widths, 1, activation=activation)
    of_codes = name == "critic_codes" or settings["learner"] == "avb"
    return Critic(given, network=network, offset="z" if of_codes else ())
