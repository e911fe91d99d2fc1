"""An implicit VAE: its encoder makes codes of an image and noise, and has no density."""

import operator
from collections.abc import Sequence
from typing import Any

import keras

from keras_symvae import arguments
from keras_symvae.families import Family, Normal
from keras_symvae.model.factors import Factor, ImplicitFactor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from zoo.architectures import bodies
from zoo.architectures.architecture import Architecture
from zoo.architectures.likelihoods import image_family
from zoo.networks.basis_encoder import BasisEncoder
from zoo.networks.noisy_encoder import NoisyEncoder


@keras.saving.register_keras_serializable(package="zoo")
class Implicit(Architecture, Pair):
    """A VAE over an image x and real codes z whose encoder can only be sampled.

        p(x, z) = N(z; 0, 1) p(x | z),    z = network(x, noise)

    Args:
        image_shape: (height, width, channels).
        latent: number of codes.
        noise: number of standard normal numbers that the encoder draws, with a basis for each of
            its vectors.
        basis: number of vectors of noise, from whose moments those of the codes follow, as adaptive
            contrast needs them (see `BasisEncoder`); None: noise enters beside the image.
        body: "mlp", or "conv": the convolutions of `Ladder`.
        likelihood: of the image, see `Ladder`.
        width: of the hidden layers.
        depth: number of hidden layers of an MLP.
        activation: of all hidden layers.
        name: of the pair.

    Reference: Mescheder, Nowozin, Geiger 2017, Adversarial Variational Bayes.
    """

    kept = {"latent": operator.attrgetter("codes")}  # `latent` are the names of variables

    def __init__(
        self,
        image_shape: Sequence[int],
        *,
        latent: int = 8,
        noise: int = 32,
        basis: int | None = None,
        body: str = "mlp",
        likelihood: str | Family = "bernoulli",
        width: int = 300,
        depth: int = 2,
        activation: str = "elu",
        name: str = "implicit",
    ) -> None:
        image = image_family(likelihood, image_shape)
        latent = arguments.integer("latent", latent, least=1)
        noise, basis = arguments.integer("noise", noise, least=1), arguments.size("basis", basis)
        width = arguments.integer("width", width, least=1)
        depth = arguments.integer("depth", depth, least=1)
        arguments.activation("activation", activation)
        layers: dict[str, Any] = {"hidden": depth * [width], "activation": activation}
        painter = bodies.painter(body, image, **layers)
        if basis is None:
            reader = None if body == "mlp" else bodies.reader(body, **layers)
            network, shape = NoisyEncoder(reader, latent, **layers), (noise,)
        else:
            reader = bodies.reader(body, **layers)
            network = BasisEncoder(reader, latent, basis=basis, activation=activation)
            shape = (basis, noise)
        families = {"x": image, "z": Normal(latent)}
        decoder = [Factor("z"), Factor("x", given="z", network=painter)]
        encoder = [ImplicitFactor("z", given="x", network=network, noise_shape=shape)]
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, name="encoder"),
            name=name,
        )
        self.image_shape, self.likelihood, self.body = image.shape, likelihood, body
        self.codes, self.noise, self.basis = latent, noise, basis
        self.width, self.depth, self.activation = width, depth, activation
