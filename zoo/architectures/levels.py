"""The latent levels of a hierarchical VAE."""

from collections.abc import Sequence

from keras_symvae.families import Bernoulli, Family


def levels(latents: Sequence[int | Family]) -> dict[str, Family]:
    """Returns {"z0": family, "z1": ...}; an integer n stands for n bits.

    Raises:
        ValueError: there is no level.
    """
    if not latents:
        raise ValueError("latents needs at least one latent level; received none.")
    return {
        f"z{index}": latent if isinstance(latent, Family) else Bernoulli(latent)
        for index, latent in enumerate(latents)
    }
