"""A segmentation model: images and label maps, each conditioned on the other."""

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.families import Categorical, Family
from keras_symvae.model.player import sampled
from keras_symvae.model.questions import BATCH_SIZE, Endpoint
from keras_symvae.model.team import Team
from zoo.architectures import windows
from zoo.architectures.architecture import Architecture
from zoo.architectures.conditional import conditional
from zoo.architectures.levels import levels
from zoo.architectures.likelihoods import image_family

Values = Mapping[str, tf.Tensor]
PAIRS = {"painter": ("x", "s", "z2"), "labeller": ("s", "x", "z1")}  # drawn, given, latent


@keras.saving.register_keras_serializable(package="zoo")
class Segmentation(Architecture, Team):
    """Images x and label maps s, each conditioned on the other: two conditional VAEs as one model.

        painter    p(z2) p(x | s, z2)    q(z2 | x, s)
        labeller   p(z1) p(s | x, z1)    q(z1 | x, s)

    Train it with `Cooperative`: with mixing 1 each pair plays the symmetric game with the other's
    variable as context; with less the two teach each other, so that images without a label map are
    of use. Data are {"x": [N, H, W, C], "s": [N, H, W]} or (x, s); -1 marks pixels without a label,
    and in all pixels of an image that it has no label map.

    Args:
        image_shape: (height, width, channels), sides that 4 divides.
        num_classes: of a pixel.
        classes: {name: (red, green, blue)} of all classes in their order, integers of 0 to 255, for
            pictures and reports; None: they have numbers alone.
        latent: bits of z1 and of z2, or a `Family`.
        likelihood: of the image, see `Ladder`.
        filters: of the networks, see `UNet`.
        width: of the networks, see `UNet`.
        name: of the team.

    Reference: Flach, Schlesinger, Shekhovtsov 2024, the CelebA experiment.
    """

    target = "s"
    kept = {"latent": operator.attrgetter("codes")}

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        *,
        classes: Mapping[str, Sequence[int]] | None = None,
        latent: int | Family = 32,
        likelihood: str | Family = "normal",
        filters: Sequence[int] = (16, 32, 64),
        width: int = 128,
        name: str = "segmentation",
    ) -> None:
        image = image_family(likelihood, image_shape)
        maps = Categorical(image.shape[:2], num_classes=num_classes)
        (code,) = levels([latent]).values()
        filters = arguments.sizes("filters", filters)
        width = arguments.integer("width", width, least=1)
        members = {}
        for member, (drawn, given, hidden) in PAIRS.items():
            families = {"x": image, "s": maps, hidden: code}
            with keras.name_scope(member):
                members[member] = conditional(
                    drawn, given, hidden, families=families, filters=filters, width=width
                )
        super().__init__(members, name=name)
        self.image_shape, self.num_classes, self.likelihood = image.shape, num_classes, likelihood
        self.classes = _named(classes, num_classes)
        self.codes, self.filters, self.width = latent, tuple(filters), width
        pixels = math.prod(self.image_shape[:2])
        options: dict[str, Any] = {"batch_size": max(1, BATCH_SIZE * 28 * 28 // pixels)}
        chain, draws = ("n", "steps", "seed"), ("samples", "seed")
        self.add_questions(
            segment=Endpoint(self._segment, variables=("x",), integers=draws, **options),
            render=Endpoint(self._render, variables=("s",), **options),
            limiting_pairs=Endpoint(self._limiting, integers=chain, **options),
        )

    def segment(
        self, images: np.ndarray, *, samples: int = 16, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Segments images [N, H, W, C] by draws of z1 from its prior.

        Larger images than those of the model are segmented by overlapping windows, which share the
        draws of z1; see `windows.segmented`.

        Args:
            images: array, of the size of the model's or larger.
            samples: number of draws S.
            seed: integer.

        Returns:
            {"s": [N, H, W], the most probable class of the average; "probabilities": [N, H, W, K],
            the average over draws; "samples": [N, S, H, W], draws of the whole map;
            "uncertainty": [N, H, W], the entropy of the average, nats}.
        """
        samples = arguments.integer("samples", samples, least=1)

        def answer(images: np.ndarray) -> dict[str, np.ndarray]:
            return self.ask("segment", {"x": images}, seed=seed, samples=samples)

        if not windows.needed(images, size=self.image_shape):
            return answer(images)
        options = {"size": self.image_shape, "num_classes": self.num_classes, "samples": samples}
        return windows.segmented(answer, images, **options, seed=seed)

    def render(
        self,
        label_maps: np.ndarray,
        *,
        z2: np.ndarray | None = None,
        seed: int = 0,
        output: str = "mean",
    ) -> np.ndarray:
        """Paints label maps [N, H, W]; returns images [N, H, W, C].

        Args:
            label_maps: array.
            z2: codes of the appearance [N, ...]; None: drawn from their prior.
            seed: integer.
            output: "sample", "mean" or "mode" of the pixels.
        """
        given = {"s": label_maps} if z2 is None else {"s": label_maps, "z2": z2}
        return self.ask("render", given, seed=seed, output=output)["x"]

    def transfer(
        self,
        donor_images: np.ndarray,
        donor_maps: np.ndarray,
        label_maps: np.ndarray,
        *,
        seed: int = 0,
        output: str = "mean",
    ) -> np.ndarray:
        """Paints label maps [M, H, W] in the appearance of donors, their images [N, H, W, C].

        Returns:
            [N, M, H, W, C]: row n with the code z2 ~ q(z2 | x, s) of donor n (Figure 3 of the
            paper).
        """
        codes = self["painter"].encode({"x": donor_images, "s": donor_maps}, seed=seed)["z2"]
        count, label_maps = len(codes), self.check({"s": label_maps})["s"]
        painted = self.render(
            np.tile(label_maps, (count, 1, 1)),
            z2=np.repeat(codes, len(label_maps), axis=0),
            seed=seed,
            output=output,
        )
        return painted.reshape(count, len(label_maps), *painted.shape[1:])

    def limiting_pairs(
        self,
        n: int | None = None,
        *,
        steps: int,
        start: Mapping[str, np.ndarray] | None = None,
        seed: int = 0,
        output: str = "sample",
    ) -> dict[str, np.ndarray]:
        """Draws pairs from the full limiting distribution (Figure 4 of the paper).

        One step is z1 ~ q(z1 | x, s), s ~ p(s | x, z1), z2 ~ q(z2 | x, s), x ~ p(x | s, z2).

        Args:
            n: number of chains; not needed where `start` is given.
            steps: number of steps.
            start: {"x", "s"} to start from; None: maps of independent, uniform classes, which
                are far from all data, so that many steps may be needed.
            seed: integer.
            output: how the last x is shown, "sample", "mean" or "mode".

        Returns:
            {"x": [n, H, W, C], "s": [n, H, W], "z1", "z2"}.
        """
        says = "limiting_pairs needs steps >= 1"
        steps = arguments.integer("steps", steps, least=1, says=says)
        return self.ask("limiting_pairs", start, n=n, seed=seed, steps=steps, output=output)

    # Graph functions of tensors and an integer seed.

    def _segment(self, values: Values, *, samples: tf.Tensor, seed: tf.Tensor) -> Values:
        decoder, root = self["labeller"].decoder, seeds.make(seed)
        size = tf.shape(values["x"])[0]

        def turn(index, total, drawn):
            fork = seeds.fold(root, index)
            found, eta = decoder.walk(values, draw=sampled, seed=fork)
            return index + 1, total + tf.nn.softmax(eta["s"]), drawn.write(index, found["s"])

        shape = tf.concat([[size], self.families["s"].raw_shape], axis=0)
        start = (0, tf.zeros(shape), tf.TensorArray(tf.int32, samples))
        _, total, drawn = tf.while_loop(lambda index, *_: index < samples, turn, start)
        probabilities = total / tf.cast(samples, tf.float32)
        return {
            "s": tf.argmax(probabilities, axis=-1, output_type=tf.int32),
            "probabilities": probabilities,
            "samples": tf.experimental.numpy.swapaxes(drawn.stack(), 0, 1),
            "uncertainty": -tf.reduce_sum(tf.math.xlogy(probabilities, probabilities), axis=-1),
        }

    def _render(self, values: Values, *, seed: tf.Tensor, output: str) -> Values:
        size = tf.shape(values["s"])[0]
        return self["painter"].chain.dream(size, seed=seeds.make(seed), given=values, output=output)

    def _limiting(
        self,
        values: Values,
        *,
        n: tf.Tensor,
        steps: tf.Tensor,
        seed: tf.Tensor,
        output: str,
    ) -> Values:
        root = seeds.make(seed)
        if not values:
            fork = seeds.fold(root, 0)
            shape = tf.concat([[n], self.families["s"].shape], axis=0)
            noise = tf.random.stateless_uniform(shape, fork, 0, self.num_classes, tf.int32)
            values = self["painter"].chain.dream(n, seed=fork, given={"s": noise})
        pair = {"x": values["x"], "s": values["s"]}

        def turn(step, pair):
            after = self._turn(pair, seed=seeds.fold(root, 1, step))
            return step + 1, {name: after[name] for name in pair}

        _, pair = tf.while_loop(lambda step, _: step < steps - 1, turn, (0, pair))
        return self._turn(pair, seed=seeds.fold(root, 2), output=output)

    def _turn(self, pair: Values, *, seed: tf.Tensor, output: str = "sample") -> Values:
        """One step of the full chain."""
        painter, labeller = self["painter"], self["labeller"]
        coded = labeller.chain.encode(pair, seed=seeds.fold(seed, 0))
        mapped = labeller.chain.decode(coded, seed=seeds.fold(seed, 1))
        coded = painter.chain.encode({"x": pair["x"], "s": mapped["s"]}, seed=seeds.fold(seed, 2))
        painted = painter.chain.decode(coded, seed=seeds.fold(seed, 3), output=output)
        return {**painted, "z1": mapped["z1"]}


def _named(
    classes: Mapping[str, Sequence[int]] | None, num_classes: int
) -> dict[str, list[int]] | None:
    """Returns names and colours of classes as plain values.

    Raises:
        ValueError: they are not as many as there are classes, or no colours.
    """
    if classes is None:
        return None
    says = f"classes are {{name: (red, green, blue)}} of all {num_classes} classes, 0 to 255 each"
    if not isinstance(classes, Mapping) or len(classes) != num_classes:
        raise ValueError(f"{says}; received {arguments.told(classes)}.")
    arguments.words("The names of classes", tuple(classes))
    for name, colour in classes.items():
        levels = list(colour) if isinstance(colour, (list, tuple)) else []
        if len(levels) != 3 or not all(map(_is_level, levels)):
            raise ValueError(f"{says}; {name!r} has {arguments.told(colour)}.")
    return {name: [int(level) for level in colour] for name, colour in classes.items()}


def _is_level(value: Any) -> bool:
    return isinstance(value, int) and arguments.is_number(value, least=0, most=255)
