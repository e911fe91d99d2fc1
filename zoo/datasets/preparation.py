"""What happens to pixels on their way into a batch."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from keras_symvae import arguments, seeds

BINARIZE = ("none", "threshold", "dynamic")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preparation:
    """What happens to pixels on their way into a batch.

    Pixels are binarised, then each is flipped, x to 1 - x, with probability `flip`, then Gaussian
    noise is added. Every draw is a function of the seed alone, so a pipeline can be replayed.

    Args:
        binarize: `"none"`; `"threshold"`, for 1 where a pixel exceeds `threshold`; or `"dynamic"`,
            for 1 with the pixel's value as probability, drawn anew for every seed.
        threshold: Gray level in [0, 1] above which `"threshold"` gives 1.
        flip: Probability in [0, 1] that a binarised pixel is flipped.
        noise: Standard deviation, in gray levels of range 1, of the noise added last.

    Raises:
        ValueError: An argument is out of range, or `flip` is given for gray pixels.
    """

    keeps_known: ClassVar[bool] = True  # see `Batches`

    binarize: str = "none"
    threshold: float = 0.4375  # 7/16, of the official MNIST experiment.
    flip: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        arguments.one_of("binarize", self.binarize, BINARIZE)
        for name, most in (("threshold", 1), ("flip", 1), ("noise", None)):
            arguments.number(name, getattr(self, name), least=0, most=most)
        if self.flip and self.binarize == "none":
            raise ValueError(
                f"flip={self.flip} is for binarised pixels; choose binarize='threshold' or "
                "'dynamic', or use noise."
            )

    def __call__(self, values: dict[str, tf.Tensor], seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Prepares `values["x"]`, float `[...]` in [0, 1], and passes on all other keys.

        Args:
            values: Tensors of a batch or of one example, with pixels under `"x"`.
            seed: int32 `[2]`; one seed always gives one result.

        Raises:
            TypeError: `values["x"]` is not of a float dtype.
        """
        x = tf.convert_to_tensor(values["x"])
        if not x.dtype.is_floating:
            raise TypeError(f"x must be float in [0, 1], got {x.dtype.name}.")
        binarize_seed, flip_seed, noise_seed = (seeds.fold(seed, i) for i in range(3))
        if self.binarize == "threshold":
            x = tf.cast(x > self.threshold, x.dtype)
        elif self.binarize == "dynamic":
            x = tf.cast(_uniform(x, binarize_seed) < x, x.dtype)
        if self.flip:
            x = tf.where(_uniform(x, flip_seed) < self.flip, 1 - x, x)
        if self.noise:
            x += self.noise * tf.random.stateless_normal(tf.shape(x), noise_seed, dtype=x.dtype)
        return {**values, "x": x}

    def clean(self) -> "Preparation":
        """The same without flips and noise, for held-out data."""
        return dataclasses.replace(self, flip=0.0, noise=0.0)


def _uniform(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform(tf.shape(x), seed, dtype=x.dtype)
