"""The configuration of `paper_nets`."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Method:
    """A game and its budget.

    Args:
        learner: key of the preset's recipes.
        steps: updates; those of the published table take equal seconds.
        options: further arguments of the learner.
    """

    learner: str
    steps: int
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def methods() -> dict[str, Method]:
    """Returns the games of the published table."""
    return {
        "symmetric draws=1": Method("symmetric", 3_400),
        "symmetric draws=5": Method("symmetric", 1_700, {"draws": 5}),
        "elbo": Method("elbo", 4_000),
    }


@dataclasses.dataclass(frozen=True)
class Config:
    """Games and sizes.

    Args:
        methods: {label: `Method`}.
        preset: whose networks and recipes all have.
        looks: shares of the updates after which quality is measured.
        warm: first updates, of which the time does not count.
        samples: images behind a distance.
        alternations: of encoder and decoder, after the last update.
        explained: (held-out images, draws for each) behind log p(x).
        shown: images in a row of the picture of samples.
    """

    methods: dict[str, Method] = dataclasses.field(default_factory=methods)
    preset: str = "fashion_mnist_ladder_paper"
    looks: tuple[float, ...] = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
    warm: int = 5
    samples: int = 2000
    alternations: int = 20
    explained: tuple[int, int] = (200, 50)
    shown: int = 12
