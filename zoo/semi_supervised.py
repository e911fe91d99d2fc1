"""A semi-supervised VAE: a hierarchical VAE whose top latent is a class label."""

import math

import keras

from keras_symvae.factors import Factor
from keras_symvae.families import Bernoulli, Categorical, Family
from keras_symvae.pair import Pair
from keras_symvae.players import Player
from keras_symvae.trunks import Trunk
from zoo.blocks import MLP, ConvDecoder, ConvEncoder
from zoo.ladder import LIKELIHOODS


@keras.saving.register_keras_serializable(package="zoo")
class SemiSupervised(Pair):
    """A hierarchical VAE over an image x, its class label y and further latents z0 ... zM.

        p(x, y, z) = p(y) p(z0) prod_t p(z_t | z_{t-1}, y) p(x | zM, y)
        q(y, z | x) = q(y | x) q(z0 | x, y) prod_t q(z_t | z_{t-1}, x, y)

    where q(z_t | ...) is proportional to p(z_t | ...) times a likelihood that a network emits.
    The label of an image is -1 where it is not known.
    """

    def __init__(
        self,
        image_shape,
        num_classes,
        *,
        latents=(30, 100),
        body="mlp",
        likelihood="bernoulli",
        width=300,
        name="semi_supervised",
    ):
        image_shape, latents = tuple(image_shape), tuple(latents)
        config = {key: value for key, value in locals().items() if key not in ("self", "__class__")}
        image = (
            likelihood if isinstance(likelihood, Family) else LIKELIHOODS[likelihood](image_shape)
        )
        levels = [latent if isinstance(latent, Family) else Bernoulli(latent) for latent in latents]
        names = [f"z{index}" for index in range(len(levels))]
        families = {
            "x": image,
            "y": Categorical((), num_classes=num_classes),
            **dict(zip(names, levels, strict=True)),
        }
        units = [math.prod(level.raw_shape) for level in levels]
        if body == "conv":
            painter, reader = ConvDecoder(image.raw_shape), ConvEncoder(width)
        else:
            painter = MLP([width, width], math.prod(image.raw_shape))
            reader = MLP([width, width])
        decoder = [Factor("y"), Factor("z0")]
        encoder = [Factor("y", given="h", network=keras.layers.Dense(num_classes))]
        for index, name_ in enumerate(names):
            if index:
                link = MLP([width, width], units[index], skip=True)
                decoder.append(Factor(name_, given=("y", names[index - 1]), network=link))
            head = MLP([width], units[index], skip=True)
            encoder.append(Factor(name_, given=("h", "y"), network=head, tilt=True))
        decoder.append(Factor("x", given=("y", names[-1]), network=painter))
        pixels = keras.Input(image.feature_shape)
        trunk = Trunk(given="x", network=keras.Model(pixels, {"h": reader(pixels)}, name="reader"))
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, trunk=trunk, name="encoder"),
            name=name,
        )
        self._config = config
