"""Pixels, as presets give them to an architecture."""

from keras_symvae.families import Normal


def gray(*shape: int, scale: float) -> Normal:
    """Returns pixels with a fixed standard deviation, that of draws of the decoder."""
    return Normal(shape, scale=scale, center=0.5, spread=0.5)
