"""An implicit VAE: its encoder makes codes of an image and noise, and has no density."""

import math

import keras

from keras_symvae.families import Family, Normal
from keras_symvae.model.factors import Factor, ImplicitFactor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from zoo.architectures.architecture import Architecture
from zoo.architectures.ladder import LIKELIHOODS, check_image
from zoo.networks.blocks import MLP, ConvDecoder, ConvEncoder, register


@register
class NoisyEncoder(keras.Layer):
    """Codes of any distribution, (image [B, ...], noise [B, ...]) -> [B, units].

        z = MLP(body(image), noise)

    Args:
        body: layer from the image to a vector; None: the image itself.
        units: width of the output.
        hidden: widths of the layers that see the noise.
        activation: of these layers.
    """

    def __init__(self, body, units, *, hidden, activation="elu", **kwargs):
        super().__init__(**kwargs)
        self.body, self.units = body, units
        self.hidden, self.activation = tuple(hidden), activation
        self.head = MLP(self.hidden, units, activation=activation)

    def call(self, inputs):
        image, noise = inputs
        return self.head([image if self.body is None else self.body(image), noise])

    def get_config(self):
        return {
            **super().get_config(),
            "body": keras.saving.serialize_keras_object(self.body),
            "units": self.units,
            "hidden": self.hidden,
            "activation": self.activation,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "body": keras.saving.deserialize_keras_object(config["body"])})


@register
class BasisEncoder(keras.Layer):
    """Codes with known moments, (image [B, ...], noise [B, basis, n]) -> [B, units].

        z = c(f) + sum_i a_i(f) v_i(eps_i),    f = body(image),  a_i > 0

    The v_i are networks of noise alone, so that their moments over a batch are those of z given f:
    mean = c + sum_i a_i mean(v_i), variance = sum_i a_i^2 var(v_i).

    Args:
        body: layer from the image to a vector f.
        units: width of the output.
        basis: number of v_i.
        hidden: widths of the hidden layers of every v_i.
        activation: of these layers.

    Reference: Mescheder, Nowozin, Geiger 2017, Adversarial Variational Bayes.
    """

    def __init__(self, body, units, *, basis, hidden=(64, 64), activation="elu", **kwargs):
        super().__init__(**kwargs)
        self.body, self.units, self.basis = body, units, basis
        self.hidden, self.activation = tuple(hidden), activation
        self.center = keras.layers.Dense(units)
        self.amplitudes = keras.layers.Dense(basis * units)
        self.vectors = [self._side_by_side(width, activation) for width in self.hidden]
        self.vectors.append(self._side_by_side(units, None))

    def _side_by_side(self, width, activation):
        # Glorot's rule, Keras's default, counts the basis among the outputs of an input.
        start = keras.initializers.VarianceScaling(1.0, "fan_in", "uniform")
        return keras.layers.EinsumDense(
            "bki,kio->bko",
            (self.basis, width),
            bias_axes="ko",
            activation=activation,
            kernel_initializer=start,
        )

    def call(self, inputs):
        center, amplitudes, vectors = self._parts(inputs)
        return center + keras.ops.sum(amplitudes * vectors, axis=1)

    def moments(self, inputs):
        """Returns (mean, variance) of z given the image, [B, units] each."""
        center, amplitudes, vectors = self._parts(inputs)
        mean, variance = keras.ops.moments(vectors, axes=[0], keepdims=True)
        mean = center + keras.ops.sum(amplitudes * mean, axis=1)
        return mean, keras.ops.sum(amplitudes**2 * variance, axis=1)

    def _parts(self, inputs):
        image, vectors = inputs
        f = self.body(image)
        for layer in self.vectors:
            vectors = layer(vectors)
        shape = (-1, self.basis, self.units)
        amplitudes = keras.ops.elu(keras.ops.reshape(self.amplitudes(f), shape)) + 1.0
        return self.center(f), amplitudes / math.sqrt(self.basis), vectors

    def get_config(self):
        return {
            **super().get_config(),
            "body": keras.saving.serialize_keras_object(self.body),
            "units": self.units,
            "basis": self.basis,
            "hidden": self.hidden,
            "activation": self.activation,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "body": keras.saving.deserialize_keras_object(config["body"])})


@keras.saving.register_keras_serializable(package="zoo")
class Implicit(Architecture, Pair):
    """A VAE over an image x and real codes z whose encoder can only be sampled.

        p(x, z) = N(z; 0, 1) p(x | z),    z = network(x, noise)

    Args:
        image_shape: (height, width, channels).
        latent: number of codes.
        noise: number of standard normal numbers that the encoder draws, of a basis per vector.
        basis: number of vectors of noise, whose moments tell those of the codes, as adaptive
            contrast wants them (see `BasisEncoder`); None: noise enters beside the image.
        body: "mlp", or "conv": the convolutions of `Ladder`.
        likelihood: of the image, see `Ladder`.
        width: of the hidden layers.
        depth: number of hidden layers of an MLP.
        activation: of all hidden layers.

    Reference: Mescheder, Nowozin, Geiger 2017, Adversarial Variational Bayes.
    """

    def __init__(
        self,
        image_shape,
        *,
        latent=8,
        noise=32,
        basis=None,
        body="mlp",
        likelihood="bernoulli",
        width=300,
        depth=2,
        activation="elu",
        name="implicit",
    ):
        config = {key: value for key, value in locals().items() if key not in ("self", "__class__")}
        self._check(image_shape, latent, noise, basis, body, likelihood, width, depth)
        image_shape, hidden = tuple(image_shape), depth * [width]
        image = (
            likelihood if isinstance(likelihood, Family) else LIKELIHOODS[likelihood](image_shape)
        )
        if body == "conv":
            if len(image.raw_shape) != 3:
                raise ValueError(f"body='conv' emits images; {image!r} reads {image.raw_shape}.")
            painter = ConvDecoder(image.raw_shape, activation=activation)
            reader = ConvEncoder(width, activation=activation)
        else:
            painter = MLP(hidden, math.prod(image.raw_shape), activation=activation)
            reader = None if basis is None else MLP(hidden, activation=activation)
        if basis is None:
            network = NoisyEncoder(reader, latent, hidden=hidden, activation=activation)
        else:
            network = BasisEncoder(reader, latent, basis=basis, activation=activation)
        shape = (noise,) if basis is None else (basis, noise)
        families = {"x": image, "z": Normal(latent)}
        decoder = [Factor("z"), Factor("x", given="z", network=painter)]
        encoder = [ImplicitFactor("z", given="x", network=network, noise_shape=shape)]
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, name="encoder"),
            name=name,
        )
        self._config = {**config, "image_shape": image_shape}

    @staticmethod
    def _check(image_shape, latent, noise, basis, body, likelihood, width, depth):
        check_image(image_shape, likelihood)
        numbers = {"latent": latent, "noise": noise, "width": width, "depth": depth}
        for key, number in {**numbers, "basis": 1 if basis is None else basis}.items():
            if not isinstance(number, int) or number < 1:
                raise ValueError(f"{key} is a positive integer; received {number!r}.")
        if body not in ("mlp", "conv"):
            raise ValueError(f"body is 'mlp' or 'conv'; received {body!r}.")
