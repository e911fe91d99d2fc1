"""A conditional VAE of images and label maps: one is drawn given the other."""

import math
from collections.abc import Sequence

from keras_symvae.families import Family
from keras_symvae.model.factors import Factor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from zoo.networks.map_encoder import MapEncoder
from zoo.networks.unet import UNet


def conditional(
    drawn: str,
    given: str,
    latent: str,
    *,
    families: dict[str, Family],
    filters: Sequence[int],
    width: int,
) -> Pair:
    """Returns the pair p(latent) p(drawn | given, latent), q(latent | drawn, given).

    Args:
        drawn: name of the observed variable.
        given: name of the context.
        latent: name of the code.
        families: {name: Family} of the three.
        filters: of the networks, see `UNet`.
        width: of the networks, see `UNet`.
    """
    painter = UNet(families[drawn].raw_shape, filters=filters, width=width)
    reader = MapEncoder(math.prod(families[latent].raw_shape), filters=filters, width=width)
    return Pair(
        Player(
            [Factor(latent), Factor(drawn, given=(given, latent), network=painter)],
            families=families,
            name="decoder",
        ),
        Player(
            [Factor(latent, given=("x", "s"), network=reader)], families=families, name="encoder"
        ),
    )
