"""The configuration of `semi_supervised`."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Setup:
    """What is learned from one data set.

    Args:
        budgets: (labels per class, steps) of every training; None: all labels.
        architecture: arguments of `zoo.SemiSupervised`.
        rates: {key of `compile`: peak rate of Adam}.
        dreams: weight of the encoder's utility of dreams.
        information: weights of the information of y, both of which are tried.
        batch_sizes: labelled images and images in a step.
        validation: labelled images that no network learns from.
    """

    budgets: tuple[tuple[int | None, int], ...]
    architecture: Mapping[str, Any]
    rates: Mapping[str, float]
    dreams: float
    batch_sizes: tuple[int, int]
    validation: int
    information: tuple[float, ...] = (1.0, 0.0)


FASHION_MNIST = Setup(
    budgets=((10, 400), (50, 600), (100, 600), (None, 2000)),
    architecture={"body": "patches", "latents": [30, 100], "width": 200, "filters": 64},
    rates={"decoder": 2e-3, "encoder": 2e-3, "encoder/trunk": 5e-4, "encoder/y": 1e-3},
    dreams=0.1,
    batch_sizes=(50, 100),
    validation=2000,
)
DIGITS = Setup(
    budgets=((5, 900), (10, 900)),
    architecture={"latents": [10], "width": 200},
    rates={"decoder": 2e-3, "encoder": 2e-3},
    dreams=1.0,
    batch_sizes=(50, 128),
    validation=200,
)


@dataclasses.dataclass(frozen=True)
class Filters:
    """How filters of patches are learned, see `filters.learned`."""

    rates: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: {"decoder": 1e-2, "encoder": 1e-2}
    )
    steps: int = 1500


@dataclasses.dataclass(frozen=True)
class Config:
    """Setups and sizes.

    Args:
        digits, fashion_mnist: the setup of the embedded digits, and of any other data.
        filters: see `Filters`.
        dropouts: tried by labels alone, as "information" is by the game.
        rate: peak rate of Adam of labels alone.
        epochs: how often a network is looked at.
        many: labels to cross-validate with.
        embedded: images whose codes are shown.
    """

    digits: Setup = DIGITS
    fashion_mnist: Setup = FASHION_MNIST
    filters: Filters = Filters()
    dropouts: tuple[float, ...] = (0.0, 0.5)
    rate: float = 1e-3
    epochs: int = 4
    many: int = 5000
    embedded: int = 2000
