"""A ladder: a hierarchical VAE with any number of latent levels."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_symvae import arguments
from keras_symvae.families import Family
from keras_symvae.model.factors import Factor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.trunks import Trunk
from zoo.architectures import bodies
from zoo.architectures.architecture import Architecture
from zoo.architectures.levels import levels
from zoo.architectures.likelihoods import image_family
from zoo.architectures.residual import ResidualBody
from zoo.networks.ladder_trunk import LadderTrunk
from zoo.networks.mlp import MLP

ORDERS = ("ladder", "reverse")
BODIES = (*bodies.BODIES, "residual")


@keras.saving.register_keras_serializable(package="zoo")
class Ladder(Architecture, Pair):
    """A hierarchical VAE over an image x and latents z0 ... zM.

        p(x, z) = p(z0) prod_t p(z_t | z_{t-1}) p(x | zM)
        order="ladder":   q(z | x) = q(z0 | x) prod_t q(z_t | z_{t-1}, x), where
                          q(z_t | z_{t-1}, x) is proportional to p(z_t | z_{t-1}) qtilde(z_t | x)
        order="reverse":  q(z | x) = q(zM | x) prod_t q(z_{t-1} | z_t)      (wake-sleep's order)

    Args:
        image_shape: (height, width, channels).
        latents: the levels from z0 on: an integer n stands for n bits, or a `Family`.
        order: "ladder" or "reverse".
        body: "mlp"; "conv": the convolutions of the official code (sides >= 20, multiples of 4); or
            "residual": residual convolutions (sides that are multiples of 4), for levels that may
            be grids [rows, columns, channels], see `ResidualBody`.
        likelihood: of the image: "bernoulli", "normal" (one learned standard deviation for all
            pixels), "logistic" (256 values) or a `Family` of shape `image_shape`.
        width: of the hidden layers; of "residual": channels of grids, see `ResidualBody`.
        trunk_width: of the encoder's hidden layers; None: `width`.
        depth: of "residual": blocks on every grid.
        skips: p(x | z0 ... zM) in place of p(x | zM), so that what upper levels know need not pass
            through the draw of the lowest. Where codes are resampled cell by cell, take
            order="ladder": there all draws of the lowest level have the same levels above.
        decoder_activation: of p(x | zM); all other activations are tanh.
        prior: of z0, known only by samples, see `Pair`; None: uniform bits, a standard normal.
        name: of the pair.

    Reference: Flach, Schlesinger, Shekhovtsov 2024; the official code dschles70/symvae-aistats2024.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        *,
        latents: Sequence[int | Family] = (30, 100),
        order: str = "ladder",
        body: str = "mlp",
        likelihood: str | Family = "bernoulli",
        width: int = 300,
        trunk_width: int | None = None,
        depth: int = 1,
        skips: bool = False,
        decoder_activation: str = "tanh",
        prior: Any = None,
        name: str = "ladder",
    ) -> None:
        arguments.one_of("order", order, ORDERS)
        arguments.one_of("body", body, BODIES)
        arguments.activation("decoder_activation", decoder_activation)
        width = arguments.integer("width", width, least=1)
        trunk_width = arguments.size("trunk_width", trunk_width)
        depth = arguments.integer("depth", depth, least=1)
        skips = arguments.flag("skips", skips)
        image, hierarchy = image_family(likelihood, image_shape), levels(latents)
        names, families = list(hierarchy), {"x": image, **hierarchy}
        shown = names if skips else names[-1:]
        if body == "residual":
            own = ResidualBody(families, width=width, depth=depth)
            painter = own.network("x", shown, activation=decoder_activation)
            links = [own.network(z, [above]) for above, z in itertools.pairwise(names)]
            own = ResidualBody(families, width=trunk_width or width, depth=depth)
            trunk, encoder = _residual_encoder(own, names, order=order)
        else:
            units = [math.prod(z.raw_shape) for z in hierarchy.values()]
            options = {"hidden": 2 * [trunk_width or width], "width": width, "order": order}
            painter = bodies.painter(body, image, hidden=2 * [width], activation=decoder_activation)
            reader = bodies.reader(body, hidden=options["hidden"])
            links = [MLP(2 * [width], below, skip=True) for below in units[1:]]
            trunk, encoder = _encoder(reader, dict(zip(names, units, strict=True)), **options)
        decoder = [Factor("z0")] if prior is None else []
        decoder += [
            Factor(z, given=above, network=network)
            for above, z, network in zip(names, names[1:], links, strict=False)
        ]
        decoder += [Factor("x", given=shown, network=painter)]
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, trunk=trunk, name="encoder"),
            prior=prior,
            name=name,
        )
        self.image_shape, self.latents, self.order = image.shape, tuple(latents), order
        self.body, self.likelihood, self.width = body, likelihood, width
        self.trunk_width, self.decoder_activation = trunk_width, decoder_activation
        self.depth, self.skips = depth, skips


def _encoder(
    reader: keras.Layer, units: Mapping[str, int], *, hidden: Sequence[int], width: int, order: str
) -> tuple[Trunk | None, list[Factor]]:
    """Returns trunk and factors of an encoder of vectors, {name: raw outputs}."""
    names = list(units)
    if order == "ladder":
        network = LadderTrunk(reader, list(units.values()), hidden=hidden)
        factors = [Factor(z, given=f"a{index}", tilt=index > 0) for index, z in enumerate(names)]
        return Trunk(given="x", network=network), factors
    top = keras.Sequential([reader, keras.layers.Dense(units[names[-1]])], name="top")
    factors = [Factor(names[-1], given="x", network=top)]
    for z, below in reversed(list(itertools.pairwise(names))):
        factors.append(Factor(z, given=below, network=MLP(3 * [width], units[z], skip=True)))
    return None, factors


def _residual_encoder(
    body: ResidualBody, names: Sequence[str], *, order: str
) -> tuple[Trunk | None, list[Factor]]:
    """Returns trunk and factors of an encoder of grids."""
    if order == "ladder":
        features = body.features(names)
        shapes = {name: each.shape[1:] for name, each in features.output.items()}
        factors = [
            Factor(z, given=f"h{n}", network=body.head(z, shapes[f"h{n}"]), tilt=n > 0)
            for n, z in enumerate(names)
        ]
        return Trunk(given="x", network=features), factors
    factors = [Factor(names[-1], given="x", network=body.network(names[-1], ["x"]))]
    for z, below in reversed(list(itertools.pairwise(names))):
        factors.append(Factor(z, given=below, network=body.network(z, [below])))
    return None, factors
