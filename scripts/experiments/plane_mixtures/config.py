"""The configuration of `plane_mixtures`."""

import dataclasses

from scripts.experiments.plane_mixtures.recipes import Method, methods


@dataclasses.dataclass(frozen=True)
class Config:
    """Methods and sizes.

    Args:
        methods: {label: settings}.
        samples: points behind every number but the likelihood.
        likelihood_data: points behind the likelihood.
        alternations: of encoder and decoder.
        shown: points in a panel of the picture.
    """

    methods: dict[str, Method] = dataclasses.field(default_factory=methods)
    samples: int = 8000
    likelihood_data: int = 400
    alternations: int = 50
    shown: int = 2000
