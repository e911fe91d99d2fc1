"""The configuration of `families_at_work`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Config:
    """The table that is learned, and the budget.

    Args:
        rows: of the table.
        drawn: rows that are drawn from the trained pair, to be measured.
        latent: real numbers of the code.
        width: of the hidden layer.
        draws: of the game.
        steps: number of updates.
        batch_size: rows of an update.
        rate: peak rate of Adam.
    """

    rows: int = 1000
    drawn: int = 10_000
    latent: int = 2
    width: int = 32
    draws: int = 5
    steps: int = 1500
    batch_size: int = 200
    rate: float = 5e-3
