"""The likelihood of an image: the family of its pixels."""

from collections.abc import Iterable, Sequence

from keras_symvae.families import Bernoulli, Family, Normal

LIKELIHOODS = ("bernoulli", "normal")


def image_family(likelihood: str | Family, shape: Sequence[int]) -> Family:
    """Returns the family of an image.

    Args:
        likelihood: "bernoulli"; "normal", with one learned standard deviation for all pixels; or a
            `Family` of the image's shape.
        shape: (height, width, channels).

    Raises:
        ValueError: unless the shape is (height, width, channels) and the likelihood fits it.
    """
    sizes = tuple(shape) if isinstance(shape, Iterable) else ()
    if len(sizes) != 3 or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(f"image_shape is (height, width, channels); received {shape!r}.")
    shape = sizes
    if isinstance(likelihood, Family):
        if likelihood.shape != shape:
            raise ValueError(
                f"The likelihood {likelihood!r} does not have the shape {shape} of the image."
            )
        return likelihood
    if likelihood == "bernoulli":
        return Bernoulli(shape)
    if likelihood == "normal":
        return Normal(shape, scale="shared", center=0.5, spread=0.5)
    raise ValueError(f"likelihood is one of {LIKELIHOODS} or a Family; received {likelihood!r}.")
