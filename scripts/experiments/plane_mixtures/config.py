"""The configuration of `plane_mixtures`."""

import dataclasses

from scripts.experiments.plane_mixtures.recipes import Method, methods


@dataclasses.dataclass(frozen=True)
class Config:
    """Methods and sizes.

    Args:
        methods: {label: settings}.
        thorough: labels of the methods that are trained with every seed.
        others: {shape: with how many of the first seeds the other methods are trained on it}.
        samples: points behind every number but the likelihood.
        likelihood_data: points behind the likelihood.
        alternations: of encoder and decoder.
        group, rounds: steps of a turn, and turns, behind the time of a step; see `Pace`.
        shown: points in a panel of the picture.
    """

    methods: dict[str, Method] = dataclasses.field(default_factory=methods)
    thorough: tuple[str, ...] = ("symmetric", "symmetric-4", "symmetric-16", "elbo")
    others: dict[str, int] = dataclasses.field(
        default_factory=lambda: {"ring": 3, "grid": 0, "moons": 1}
    )
    samples: int = 8000
    likelihood_data: int = 400
    alternations: int = 50
    group: int = 20
    rounds: int = 40
    shown: int = 2000
