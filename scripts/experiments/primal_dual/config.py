"""The configuration of `primal_dual`."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Side:
    """How networks learn one side of the link.

    Args:
        steps, batch_size: of the training.
        width: of two hidden layers.
        rate, critic_rate: peak rates of Adam.
        critic_steps: updates of the critic per step.
    """

    steps: int
    critic_rate: float
    critic_steps: int
    batch_size: int = 512
    width: int = 64
    rate: float = 1e-3


def training() -> dict[str, Side]:
    """Returns the budgets of both sides."""
    return {
        "gan": Side(steps=1500, critic_rate=4e-3, critic_steps=2),
        "wae": Side(steps=2000, critic_rate=2e-3, critic_steps=4),
    }


@dataclasses.dataclass(frozen=True)
class Config:
    """The spaces, and what is computed and learned on them.

    Args:
        points: of a space.
        decoders: {kind: number of codes}.
        divergences: their names.
        weights: lambda, from the least to the largest.
        shown: the weight of the table, one of `weights`.
        larger: points of the space with blurred transport.
        blurs: see `FiniteSpace.entropic_wae`.
        intervals: of equal probability, into which the codes of a line are cut.
        learned: the weights that networks are trained with, some of `weights`.
        training: {"gan": ..., "wae": ...}.
        penalty: weight of the gradient penalty of the critic of points.
        gentle: {divergence: weight of that of the critic of codes}; without for all others.
    """

    points: int = 8
    decoders: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"invertible": 8, "onto": 12, "not-onto": 5}
    )
    divergences: tuple[str, ...] = ("total_variation", "jensen_shannon", "kl", "pearson")
    weights: tuple[float, ...] = (
        *(0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5),
        *(0.8, 1.2, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0),
    )
    shown: float = 0.3
    larger: int = 60
    blurs: tuple[float, ...] = (0.3, 0.1, 0.03, 0.01)
    intervals: int = 30
    learned: tuple[float, ...] = (0.05, 0.2, 0.8)
    training: Mapping[str, Side] = dataclasses.field(default_factory=training)
    penalty: float = 10.0
    gentle: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: {"total_variation": 10.0}
    )
