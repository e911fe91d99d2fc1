"""A ladder: a hierarchical VAE with any number of latent levels."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_symvae import arguments
from keras_symvae.families import Family
from keras_symvae.model.factors import Factor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.trunks import Trunk
from zoo.architectures import bodies
from zoo.architectures.architecture import Architecture
from zoo.architectures.levels import levels
from zoo.architectures.likelihoods import image_family
from zoo.networks.ladder_trunk import LadderTrunk
from zoo.networks.mlp import MLP

ORDERS = ("ladder", "reverse")


@keras.saving.register_keras_serializable(package="zoo")
class Ladder(Architecture, Pair):
    """A hierarchical VAE over an image x and latents z0 ... zM.

        p(x, z) = p(z0) prod_t p(z_t | z_{t-1}) p(x | zM)
        order="ladder":   q(z | x) = q(z0 | x) prod_t q(z_t | z_{t-1}, x), where
                          q(z_t | z_{t-1}, x) is proportional to p(z_t | z_{t-1}) qtilde(z_t | x)
        order="reverse":  q(z | x) = q(zM | x) prod_t q(z_{t-1} | z_t)      (wake-sleep's order)

    Args:
        image_shape: (height, width, channels).
        latents: the levels from z0 on: an integer n stands for n bits, or a `Family`.
        order: "ladder" or "reverse".
        body: "mlp", or "conv": the convolutions of the official code (sides >= 20, multiples of 4).
        likelihood: of the image: "bernoulli", "normal" (one learned standard deviation for all
            pixels) or a `Family` of shape `image_shape`.
        width: of the hidden layers.
        trunk_width: of the encoder's hidden layers; None: `width`.
        decoder_activation: of p(x | zM); all other activations are tanh.
        prior: of z0, known only by samples, see `Pair`; None: uniform bits, a standard normal.
        name: of the pair.

    Reference: Flach, Schlesinger, Shekhovtsov 2024; the official code dschles70/symvae-aistats2024.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        *,
        latents: Sequence[int | Family] = (30, 100),
        order: str = "ladder",
        body: str = "mlp",
        likelihood: str | Family = "bernoulli",
        width: int = 300,
        trunk_width: int | None = None,
        decoder_activation: str = "tanh",
        prior: Any = None,
        name: str = "ladder",
    ) -> None:
        arguments.one_of("order", order, ORDERS)
        arguments.activation("decoder_activation", decoder_activation)
        width = arguments.integer("width", width, least=1)
        trunk_width = arguments.size("trunk_width", trunk_width)
        image, hierarchy = image_family(likelihood, image_shape), levels(latents)
        names, units = list(hierarchy), [math.prod(z.raw_shape) for z in hierarchy.values()]
        families = {"x": image, **hierarchy}
        trunk_hidden = 2 * [trunk_width or width]

        def link(index: int, depth: int) -> MLP:
            return MLP(depth * [width], units[index], skip=True)

        painter = bodies.painter(body, image, hidden=2 * [width], activation=decoder_activation)
        reader = bodies.reader(body, hidden=trunk_hidden)
        decoder = [Factor("z0")] if prior is None else []
        decoder += [
            Factor(names[index], given=names[index - 1], network=link(index, 2))
            for index in range(1, len(names))
        ]
        decoder += [Factor("x", given=names[-1], network=painter)]
        if order == "ladder":
            network = LadderTrunk(reader, units, hidden=trunk_hidden)
            trunk = Trunk(given="x", network=network)
            encoder = [
                Factor(name, given=f"a{index}", tilt=index > 0) for index, name in enumerate(names)
            ]
        else:
            top = keras.Sequential([reader, keras.layers.Dense(units[-1])], name="top")
            trunk = None
            encoder = [Factor(names[-1], given="x", network=top)]
            encoder += [
                Factor(names[index], given=names[index + 1], network=link(index, 3))
                for index in reversed(range(len(names) - 1))
            ]
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, trunk=trunk, name="encoder"),
            prior=prior,
            name=name,
        )
        self.image_shape, self.latents, self.order = image.shape, tuple(latents), order
        self.body, self.likelihood, self.width = body, likelihood, width
        self.trunk_width, self.decoder_activation = trunk_width, decoder_activation
