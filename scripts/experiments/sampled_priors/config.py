"""The configuration of `sampled_priors`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Training:
    """What both priors have in common.

    Args:
        rate: peak rate of Adam.
        flip: share of pixels that are flipped in training.
        batch_size, beta_1: of every training.
        width: of the hidden layers.
    """

    rate: float
    flip: float
    batch_size: int = 256
    beta_1: float = 0.5
    width: int = 200


@dataclasses.dataclass(frozen=True)
class Moons(Training):
    """A prior of points in the plane.

    Args:
        noise: of the moons.
        blurs: (noise, steps) of the stages of the training.
        others: see `Training`.
    """

    rate: float = 1e-3
    flip: float = 0.05
    noise: float = 0.05
    blurs: tuple[tuple[float, int], ...] = (
        (0.4, 2000),
        (0.3, 2000),
        (0.22, 2000),
        (0.16, 2000),
        (0.11, 2000),
        (0.05, 5000),
    )


@dataclasses.dataclass(frozen=True)
class Stack(Training):
    """A prior that is a pair.

    Args:
        steps: of one pair alone; each of the three stages has a third.
        bits: codes of the first pair.
        top: codes of the second.
        others: see `Training`.
    """

    rate: float = 2e-3
    flip: float = 0.0
    steps: int = 9000
    bits: int = 40
    top: tuple[int, ...] = (10, 20)


@dataclasses.dataclass(frozen=True)
class Config:
    """Both priors, and sizes.

    Args:
        moons, stack: see there.
        points: of the prior of moons.
        draws: of the codes, over which the numbers are averaged.
        samples: images behind a distance.
        alternations: of encoder and decoder.
        shown: images in a row of the picture.
    """

    moons: Moons = Moons()
    stack: Stack = Stack()
    points: int = 4000
    draws: int = 10
    samples: int = 2000
    alternations: int = 100
    shown: int = 16
