"""The configuration of `gaussian_fits`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Training:
    """The budget of one fit, see `fitted`."""

    steps: int = 1500
    batch_size: int = 2048
    rate: float = 5e-3
    critic_steps: int = 2
    width: int = 64


@dataclasses.dataclass(frozen=True)
class Config:
    """The divergences, which train a fit each, and the budget of all.

    Args:
        divergences: their names.
        training: see `Training`.
    """

    divergences: tuple[str, ...] = (
        "kl",
        "reverse_kl",
        "jensen_shannon",
        "jeffreys",
        "pearson",
        "squared_hellinger",
    )
    training: Training = Training()
