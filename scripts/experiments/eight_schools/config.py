"""The configuration of `eight_schools`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Sampling:
    """Settings of the No-U-Turn sampler, see `inference.reference`."""

    chains: int = 32
    draws: int = 4000
    warmup: int = 1000


@dataclasses.dataclass(frozen=True)
class GaussianFit:
    """Settings of a Gaussian approximation, see `inference.gaussian_fit`."""

    full_rank: bool
    noise: int = 4096
    starts: int = 5
    draws: int = 16000


@dataclasses.dataclass(frozen=True)
class AdversarialFit:
    """Settings of an approximation by a critic, see `inference.adversarial_fit`.

    Args:
        start: the Gaussian that it starts as.
        others: see there.
    """

    adaptive_contrast: bool
    start: GaussianFit = GaussianFit(full_rank=True)
    widths: tuple[int, ...] = (64,)
    critic_widths: tuple[int, ...] = (64, 64)
    critic_steps: int = 5
    rate: float = 3e-4
    critic_rate: float = 3e-3
    warmup: int = 200
    steps: int = 4000
    batch_size: int = 400
    draws: int = 16000


Method = Sampling | GaussianFit | AdversarialFit


def methods() -> dict[str, Method]:
    """Returns the methods of the published table."""
    return {
        "nuts": Sampling(),
        "mean-field": GaussianFit(full_rank=False),
        "full-rank": GaussianFit(full_rank=True),
        "avb": AdversarialFit(adaptive_contrast=False),
        "avb-ac": AdversarialFit(adaptive_contrast=True),
    }


@dataclasses.dataclass(frozen=True)
class Config:
    """The methods that are compared, and how.

    Args:
        methods: {label: settings}; "nuts" judges all others.
        num_chains, num_steps: of the annealed importance sampling of log p(x).
        compared: draws behind a kernel distance.
        points: draws in a panel of the picture.
    """

    methods: dict[str, Method] = dataclasses.field(default_factory=methods)
    num_chains: int = 500
    num_steps: int = 1000
    compared: int = 4000
    points: int = 1000
