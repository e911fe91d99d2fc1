"""The configuration of `sampled_priors`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Moons:
    """A prior of points in the plane.

    Args:
        batch_size, beta_1, rate: of every training; the rate is the peak rate of Adam.
        width: of the hidden layers.
        flip: share of pixels that are flipped in training.
        noise: of the moons.
        blurs: (noise, steps) of the stages of the training.
    """

    batch_size: int = 256
    beta_1: float = 0.5
    width: int = 200
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
class Stack:
    """A prior that is a pair.

    Args:
        batch_size, beta_1, rate, width, flip: as of `Moons`.
        steps: of one pair alone; each of the three stages has a third.
        bits: codes of the first pair.
        top: codes of the second.
    """

    batch_size: int = 256
    beta_1: float = 0.5
    width: int = 200
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
