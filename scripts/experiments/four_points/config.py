"""The configuration of `four_points`."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Method:
    """One way of training.

    Args:
        rates: {player: peak rate of Adam}.
        beta_1: of Adam.
        critic_rate: of Adam of the critic; None for the ELBO, which has none.
        critic_steps: updates of the critic per step.
        basis: of the encoder, for adaptive contrast; None: without.
    """

    rates: Mapping[str, float]
    beta_1: float = 0.5
    critic_rate: float | None = None
    critic_steps: int | None = None
    basis: int | None = None


AVB = Method(rates={"decoder": 1e-3, "encoder": 3e-4}, critic_rate=1e-3, critic_steps=3)


def methods() -> dict[str, Method]:
    """Returns the methods of the published table."""
    return {
        "vae": Method(rates={"decoder": 2e-3, "encoder": 2e-3}, beta_1=0.9),
        "avb": AVB,
        "avb-ac": dataclasses.replace(AVB, rates={"decoder": 2e-3, "encoder": 5e-4}, basis=4),
    }


@dataclasses.dataclass(frozen=True)
class Config:
    """Methods, budget and sizes.

    Args:
        methods: {label: settings}.
        steps, batch_size: of every training.
        codes: codes of every point, behind the numbers.
    """

    methods: dict[str, Method] = dataclasses.field(default_factory=methods)
    steps: int = 20_000
    batch_size: int = 400
    codes: int = 100_000
