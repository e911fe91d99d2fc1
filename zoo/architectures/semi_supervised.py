"""A semi-supervised VAE: a hierarchical VAE whose top latent is a class label."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.families import Categorical, Family
from keras_symvae.model.factors import Factor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.questions import Endpoint
from keras_symvae.model.trunks import Trunk
from zoo.architectures import bodies
from zoo.architectures.architecture import Architecture
from zoo.architectures.levels import levels
from zoo.architectures.likelihoods import image_family
from zoo.architectures.residual import ResidualBody
from zoo.networks.mlp import MLP
from zoo.networks.patch_reader import PatchReader

BODIES = (*bodies.BODIES, "patches", "residual")


@keras.saving.register_keras_serializable(package="zoo")
class SemiSupervised(Architecture, Pair):
    """A hierarchical VAE over an image x, its class label y and further latents z0 ... zM.

        p(x, y, z) = p(y) p(z0) prod_t p(z_t | z_{t-1}, y) p(x | zM, y)
        q(y, z | x) = q(y | x) q(z0 | x, y) prod_t q(z_t | z_{t-1}, x, y)

    where q(z_t | ...) is proportional to p(z_t | ...) times a likelihood that a network emits from
    y and from features of x, which q(y | x) reads too. p(y) and p(z0) are uniform. Data are
    {"x": [N, H, W, C], "y": [N]} or (x, y); a label of -1 is missing.

    Args:
        image_shape: (height, width, channels).
        num_classes: labels are 0 ... num_classes - 1.
        latents: the levels from z0 on: an integer n stands for n bits, or a `Family`.
        body: "mlp" or "conv", see `Ladder`; or "patches": the encoder reads a `PatchReader`, whose
            filters can be learned from all images beforehand, and p(x | zM, y) is that of "mlp"; or
            "residual", whose levels may be grids, see `Ladder`.
        likelihood: of the image, see `Ladder`.
        width: of the hidden layers; of "residual": channels of grids, see `ResidualBody`.
        depth: of "residual": blocks on every grid.
        filters: number of filters of the `PatchReader`.
        patch: side of its patches, in pixels.
        name: of the pair.

    Reference: Flach, Schlesinger, Shekhovtsov 2024; the structure is M2 of Kingma et al. 2014.
    """

    target = "y"

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        *,
        latents: Sequence[int | Family] = (30, 100),
        body: str = "mlp",
        likelihood: str | Family = "bernoulli",
        width: int = 300,
        depth: int = 1,
        filters: int = 64,
        patch: int = 6,
        name: str = "semi_supervised",
    ) -> None:
        arguments.one_of("body", body, BODIES)
        width = arguments.integer("width", width, least=1)
        depth = arguments.integer("depth", depth, least=1)
        filters = arguments.integer("filters", filters, least=1)
        patch = arguments.integer("patch", patch, least=1)
        image, hierarchy = image_family(likelihood, image_shape), levels(latents)
        label = Categorical((), num_classes=num_classes)
        families = {"x": image, "y": label, **hierarchy}
        names, hidden = list(hierarchy), [width, width]
        units = {z: math.prod(family.raw_shape) for z, family in hierarchy.items()}
        own = ResidualBody(families, width=width, depth=depth) if body == "residual" else None
        reader: Any = None
        features: Any = None
        if own is not None:
            painter, features = own.network("x", ["y", names[-1]]), own.features(names)
        else:
            inner = "mlp" if body == "patches" else body
            painter = bodies.painter(inner, image, hidden=hidden)
            reader = bodies.reader(inner, hidden=hidden)
        # Few labels leave most directions of many features open, where random weights stay.
        start, read = ("zeros", "responses") if body == "patches" else ("glorot_uniform", "h")
        head = keras.layers.Dense(num_classes, kernel_initializer=start)
        decoder = [Factor("y"), Factor("z0")]
        encoder = [Factor("y", given=read, network=head)]
        for index, z in enumerate(names):
            if index:
                given = ("y", names[index - 1])
                if own is not None:
                    link = own.network(z, given)
                else:
                    link = MLP(hidden, units[z], skip=True)
                decoder.append(Factor(z, given=given, network=link))
            if own is not None:
                h = f"h{index}"
                head = own.head(z, features.output[h].shape[1:])
            else:
                h, head = "h", MLP([width], units[z], skip=True)
            encoder.append(Factor(z, given=(h, "y"), network=head, tilt=True))
        decoder.append(Factor("x", given=("y", names[-1]), network=painter))
        if own is None:
            features = _features(body, image, reader, filters=filters, patch=patch)
        trunk = Trunk(given="x", network=features)
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, trunk=trunk, name="encoder"),
            name=name,
        )
        self.image_shape, self.num_classes = image.shape, num_classes
        self.latents, self.likelihood = tuple(latents), likelihood
        self.body, self.width, self.depth = body, width, depth
        self.filters, self.patch = filters, patch
        self.add_questions(
            classify=Endpoint(self._classify, variables=("x",), integers=("steps", "seed"))
        )

    @property
    def reader(self) -> PatchReader:
        """The `PatchReader` of body="patches".

        Raises:
            ValueError: the model has another body, which has no filters.
        """
        if self.body != "patches":
            raise ValueError(f"body={self.body!r} has no filters; take 'patches'.")
        trunk: Any = self.encoder.trunk
        return trunk.network.get_layer("reader")

    def adopt(
        self, filters: np.ndarray, images: np.ndarray, *, bias: float | np.ndarray = -0.5
    ) -> None:
        """Takes over filters of patches, and standardises their responses over images.

        Args:
            filters: [patch, patch, C, F], such as the weights of an encoder of patches.
            images: [N, H, W, C], for the standardisation.
            bias: number or [F].
        """
        reader = self.reader
        filters = _finite("filters", filters, reader.kernel.shape)
        bias = arguments.array("bias", bias)
        bias = _finite("bias", bias, reader.bias.shape if bias.ndim else ())
        images = self.check({"x": images})["x"]
        reader.kernel.assign(filters)
        reader.bias.assign(np.broadcast_to(bias, reader.bias.shape))
        reader.standardise(self.families["x"].features(images))

    def classify(self, images: np.ndarray, *, steps: int = 0, seed: int = 0) -> np.ndarray:
        """Returns class probabilities [N, num_classes] of images [N, H, W, C].

        Args:
            images: array.
            steps: 0: q(y | x) itself; more: its mean along the limiting chain x = x_0 ... x_steps,
                in which x_{t+1} ~ p(x | y, z) and (y, z) ~ q(y, z | x_t).
            seed: integer, of the chain.
        """
        steps = arguments.integer("steps", steps, least=0, says="classify needs steps >= 0")
        answer = self.ask("classify", {"x": images}, seed=seed, steps=steps)
        return answer["probabilities"]

    def _classify(
        self, values: dict[str, tf.Tensor], *, steps: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        root = seeds.make(seed)

        def recognised(x: tf.Tensor) -> tf.Tensor:
            return tf.nn.softmax(self.encoder.eta("y", {"x": x}))

        def turn(step: tf.Tensor, x: tf.Tensor, total: tf.Tensor) -> tuple:
            after = self.chain.alternate({"x": x}, steps=1, seed=seeds.fold(root, step))["x"]
            return step + 1, after, total + recognised(after)

        start = (0, values["x"], recognised(values["x"]))
        _, _, total = tf.while_loop(lambda step, *_: step < steps, turn, start)
        return {"probabilities": total / tf.cast(steps + 1, tf.float32)}


def _features(
    body: str, image: Family, reader: keras.Layer, *, filters: int, patch: int
) -> keras.Model:
    """Returns the network from an image to "h" and, of patches, to their "responses"."""
    pixels = keras.Input(image.feature_shape)
    if body != "patches":
        return keras.Model(pixels, {"h": reader(pixels)}, name="features")
    if len(image.feature_shape) != 3:
        raise ValueError(f"body='patches' reads images; {image!r} has no pixel features.")
    responses = PatchReader(filters, patch=patch, name="reader")(pixels)
    return keras.Model(pixels, {"responses": responses, "h": reader(responses)}, name="features")


def _finite(name: str, value: Any, shape: Sequence[int]) -> np.ndarray:
    """Returns an array of finite numbers of this shape, or raises ValueError."""
    found = arguments.array(name, value)
    if found.shape != tuple(shape) or not np.isfinite(found).all():
        raise ValueError(
            f"{name} holds finite numbers of shape {tuple(shape)}; received "
            f"{arguments.told(value)}."
        )
    return found
