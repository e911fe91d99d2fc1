"""The latent levels of a hierarchical VAE."""

import numbers
from collections.abc import Sequence

from keras_symvae import arguments
from keras_symvae.families import Bernoulli, Family


def levels(latents: Sequence[int | Family]) -> dict[str, Family]:
    """Returns {"z0": family, "z1": ...}; an integer n stands for n bits.

    Raises:
        ValueError: there is no level, or something is none.
    """
    if not isinstance(latents, (tuple, list)):
        raise ValueError(
            f"latents is a list of levels, such as (30, 100); received {arguments.told(latents)}."
        )
    for latent in latents:
        if not isinstance(latent, Family) and not isinstance(latent, numbers.Integral):
            raise ValueError(
                "A level of latents is a number of bits or a Family; received "
                f"{arguments.told(latent)}."
            )
    if not latents:
        raise ValueError("latents needs at least one latent level; received none.")
    return {
        f"z{index}": latent if isinstance(latent, Family) else Bernoulli(latent)
        for index, latent in enumerate(latents)
    }
