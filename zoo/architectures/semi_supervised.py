"""A semi-supervised VAE: a hierarchical VAE whose top latent is a class label."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.families import Bernoulli, Categorical, Family
from keras_symvae.model.factors import Factor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.questions import Endpoint
from keras_symvae.model.trunks import Trunk
from zoo.architectures.architecture import Architecture
from zoo.architectures.ladder import LIKELIHOODS, check_image
from zoo.networks.blocks import MLP, ConvDecoder, ConvEncoder
from zoo.networks.patches import PatchReader


@keras.saving.register_keras_serializable(package="zoo")
class SemiSupervised(Architecture, Pair):
    """A hierarchical VAE over an image x, its class label y and further latents z0 ... zM.

        p(x, y, z) = p(y) p(z0) prod_t p(z_t | z_{t-1}, y) p(x | zM, y)
        q(y, z | x) = q(y | x) q(z0 | x, y) prod_t q(z_t | z_{t-1}, x, y)

    where q(z_t | ...) is proportional to p(z_t | ...) times a likelihood that a network emits from
    features of x, which q(y | x) reads too, and y. p(y) and p(z0) are uniform. Data are
    {"x": [N, H, W, C], "y": [N]} or (x, y); a label of -1 is not known.

    Args:
        image_shape: (height, width, channels).
        num_classes: labels are 0 ... num_classes - 1.
        latents: the levels from z0 on: an integer n stands for n bits, or a `Family`.
        body: "mlp", or "conv", see `Ladder`; or "patches": the encoder reads a `PatchReader`, whose
            filters can be learned from all images before, and p(x | zM, y) is that of "mlp".
        likelihood: of the image, see `Ladder`.
        width: of the hidden layers.
        filters, patch: of `PatchReader`.

    Reference: Flach, Schlesinger, Shekhovtsov 2024; the structure is M2 of Kingma et al. 2014.
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
        filters=64,
        patch=6,
        name="semi_supervised",
    ):
        image_shape, latents = tuple(image_shape), tuple(latents)
        config = {key: value for key, value in locals().items() if key not in ("self", "__class__")}
        check_image(image_shape, likelihood)
        if not latents:
            raise ValueError("SemiSupervised needs a latent beside the label; received none.")
        if body not in ("mlp", "conv", "patches"):
            raise ValueError(f"body is 'mlp', 'conv' or 'patches'; received {body!r}.")
        image = (
            likelihood if isinstance(likelihood, Family) else LIKELIHOODS[likelihood](image_shape)
        )
        levels = [latent if isinstance(latent, Family) else Bernoulli(latent) for latent in latents]
        names = [f"z{index}" for index in range(len(levels))]
        label = Categorical((), num_classes=num_classes)
        families = {"x": image, "y": label, **dict(zip(names, levels, strict=True))}
        if body == "conv":
            painter, reader = ConvDecoder(image.raw_shape), ConvEncoder(width)
        else:
            painter = MLP([width, width], math.prod(image.raw_shape))
            reader = MLP([width, width])
        decoder = [Factor("y"), Factor("z0")]
        if body == "patches":
            # Few labels leave most directions of many features open, where random weights stay.
            start, read = "zeros", "responses"
        else:
            start, read = "glorot_uniform", "h"
        head = keras.layers.Dense(num_classes, kernel_initializer=start)
        encoder = [Factor("y", given=read, network=head)]
        for index, level in enumerate(levels):
            units = math.prod(level.raw_shape)
            if index:
                link = MLP([width, width], units, skip=True)
                given = ("y", names[index - 1])
                decoder.append(Factor(names[index], given=given, network=link))
            head = MLP([width], units, skip=True)
            encoder.append(Factor(names[index], given=("h", "y"), network=head, tilt=True))
        decoder.append(Factor("x", given=("y", names[-1]), network=painter))
        pixels = keras.Input(image.feature_shape)
        if body == "patches":
            if len(image.feature_shape) != 3:
                raise ValueError(f"body='patches' reads images; {image!r} has no pixel features.")
            responses = PatchReader(filters, patch=patch, name="reader")(pixels)
            activations = {"responses": responses, "h": reader(responses)}
        else:
            activations = {"h": reader(pixels)}
        features = keras.Model(pixels, activations, name="features")
        trunk = Trunk(given="x", network=features)
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, trunk=trunk, name="encoder"),
            name=name,
        )
        self._config = config

    @property
    def reader(self):
        """The `PatchReader` of body="patches".

        Raises:
            ValueError: another body has none.
        """
        if self._config["body"] != "patches":
            raise ValueError(f"body={self._config['body']!r} has no filters; take 'patches'.")
        return self.encoder.trunk.network.get_layer("reader")

    def adopt(self, filters, images, *, bias=-0.5):
        """Takes over filters of patches, and standardises what they respond to images.

        Args:
            filters: [patch, patch, C, F], such as the weights of an encoder of patches.
            images: [N, H, W, C], for the standardisation.
            bias: number or [F].
        """
        reader = self.reader
        reader.kernel.assign(filters)
        reader.bias.assign(np.broadcast_to(bias, reader.bias.shape))
        reader.standardise(self.families["x"].features(images))

    def classify(self, images, *, steps=0, seed=0):
        """Returns class probabilities [N, num_classes] of images [N, H, W, C].

        Args:
            images: array.
            steps: 0: q(y | x) itself; more: its mean along the limiting chain x = x_0 ... x_steps,
                in which x_{t+1} ~ p(x | y, z) and (y, z) ~ q(y, z | x_t).
            seed: integer, of the chain.
        """
        if steps < 0:
            raise ValueError(f"classify needs steps >= 0; received {steps!r}.")
        answer = self.ask("classify", {"x": images}, seed=seed, steps=steps)
        return answer["probabilities"]

    def own_endpoints(self):
        return {"classify": Endpoint(self._classify, variables=("x",), integers=("steps", "seed"))}

    def _classify(self, values, *, steps, seed):
        root = seeds.make(seed)

        def recognised(x):
            reads = self.encoder.trunk.activations({"x": self.families["x"].features(x)})
            return tf.nn.softmax(self.encoder.natural("y", reads, tf.shape(x)[0]))

        def turn(step, x, total):
            after = self.chain.alternate({"x": x}, steps=1, seed=seeds.fold(root, step))["x"]
            return step + 1, after, total + recognised(after)

        start = (0, values["x"], recognised(values["x"]))
        _, _, total = tf.while_loop(lambda step, *_: step < steps, turn, start)
        return {"probabilities": total / tf.cast(steps + 1, tf.float32)}
