"""The likelihood of an image: the family of its pixels."""

from collections.abc import Sequence

from keras_symvae import arguments
from keras_symvae.families import Bernoulli, DiscretizedLogistic, Family, Normal

LIKELIHOODS = ("bernoulli", "normal", "logistic")


def image_family(likelihood: str | Family, shape: Sequence[int]) -> Family:
    """Returns the family of an image.

    Args:
        likelihood: "bernoulli"; "normal", with one learned standard deviation for all pixels;
            "logistic", pixels of 256 values with coupled channels, see `DiscretizedLogistic`; or a
            `Family` of the image's shape.
        shape: (height, width, channels).

    Raises:
        ValueError: unless the shape is (height, width, channels) and the likelihood fits it.
    """
    says = "image_shape is (height, width, channels)"
    shape = arguments.sizes("image_shape", shape, count=3, says=says)
    if isinstance(likelihood, Family):
        if likelihood.shape != shape:
            raise ValueError(
                f"The likelihood {likelihood!r} does not have the shape {shape} of the image."
            )
        return likelihood
    says = f"likelihood is one of {', '.join(LIKELIHOODS)} or a Family"
    if arguments.one_of("likelihood", likelihood, LIKELIHOODS, says=says) == "bernoulli":
        return Bernoulli(shape)
    if likelihood == "logistic":
        return DiscretizedLogistic(shape, coupled=True)
    return Normal(shape, scale="shared", center=0.5, spread=0.5)
