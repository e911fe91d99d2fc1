"""A ladder: a hierarchical VAE with any number of latent levels."""

import math

import keras

from keras_symvae.families import Bernoulli, Family, Normal
from keras_symvae.model.factors import Factor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.trunks import Trunk
from zoo.architectures.architecture import Architecture
from zoo.networks.blocks import MLP, ConvDecoder, ConvEncoder, LadderTrunk

LIKELIHOODS = {
    "bernoulli": lambda shape: Bernoulli(shape),
    "normal": lambda shape: Normal(shape, scale="shared", center=0.5, spread=0.5),
}


def check_image(image_shape, likelihood):
    """Refuses a shape that is no image's, and a likelihood that is none of it."""
    if len(image_shape) != 3:
        raise ValueError(f"image_shape is (height, width, channels); received {image_shape}.")
    if isinstance(likelihood, Family):
        if likelihood.shape != tuple(image_shape):
            raise ValueError(f"The likelihood {likelihood!r} has not the shape {image_shape}.")
    elif likelihood not in LIKELIHOODS:
        raise ValueError(
            f"likelihood is one of {tuple(LIKELIHOODS)} or a Family; received {likelihood!r}."
        )


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
        trunk_width: of the encoder's hidden layers, where it differs.
        decoder_activation: of p(x | zM); all other activations are tanh.
        prior: of z0, known only by samples, see `Pair`; None: uniform bits, a standard normal.

    Reference: Flach, Schlesinger, Shekhovtsov 2024; the official code dschles70/symvae-aistats2024.
    """

    def __init__(
        self,
        image_shape,
        *,
        latents=(30, 100),
        order="ladder",
        body="mlp",
        likelihood="bernoulli",
        width=300,
        trunk_width=None,
        decoder_activation="tanh",
        prior=None,
        name="ladder",
    ):
        self._check(image_shape, latents, order, body, likelihood)
        image_shape, latents = tuple(image_shape), tuple(latents)
        config = {key: value for key, value in locals().items() if key not in ("self", "__class__")}
        trunk_width = trunk_width or width
        image = (
            likelihood if isinstance(likelihood, Family) else LIKELIHOODS[likelihood](image_shape)
        )
        levels = [latent if isinstance(latent, Family) else Bernoulli(latent) for latent in latents]
        names = [f"z{index}" for index in range(len(levels))]
        families = {"x": image, **dict(zip(names, levels, strict=True))}
        units = [math.prod(level.raw_shape) for level in levels]

        def link(index, depth):
            return MLP(depth * [width], units[index], skip=True)

        if body == "conv":
            if len(image.raw_shape) != 3:
                raise ValueError(f"body='conv' emits images; {image!r} reads {image.raw_shape}.")
            painter = ConvDecoder(image.raw_shape, activation=decoder_activation)
            reader = ConvEncoder(trunk_width)
        else:
            pixels = math.prod(image.raw_shape)
            painter = MLP([width, width], pixels, activation=decoder_activation)
            reader = MLP([trunk_width, trunk_width])
        decoder = [Factor("z0")] if prior is None else []
        decoder += [
            Factor(names[index], given=names[index - 1], network=link(index, 2))
            for index in range(1, len(names))
        ]
        decoder += [Factor("x", given=names[-1], network=painter)]
        if order == "ladder":
            network = LadderTrunk(reader, units, hidden=[trunk_width, trunk_width])
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
        self._config = {**config, "prior": None}  # the source itself belongs to the pair

    @staticmethod
    def _check(image_shape, latents, order, body, likelihood):
        check_image(image_shape, likelihood)
        if len(latents) < 1:
            raise ValueError("A ladder needs at least one latent level; received none.")
        choices = {"order": ("ladder", "reverse"), "body": ("mlp", "conv")}
        for key, value in {"order": order, "body": body}.items():
            if value not in choices[key]:
                raise ValueError(f"{key} is one of {choices[key]}; received {value!r}.")

    def get_config(self):
        return {**super().get_config(), "prior": keras.saving.serialize_keras_object(self.prior)}
