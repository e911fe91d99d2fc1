"""The configuration of `imputation`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Training:
    """The budget and the pair of one training, see `Imputation`."""

    learner: str = "symmetric"
    draws: int = 5
    latent: int = 6
    width: int = 32
    depth: int = 1
    steps: int = 1500
    batch_size: int = 128
    rate: float = 5e-3
    decay: float = 0.1
    samples: int = 100
    chain: int = 10


@dataclasses.dataclass(frozen=True)
class Config:
    """The tables, how cells are hidden, and what fills them.

    Args:
        tables: {name of scikit-learn: how many of its columns, the first ones; None: all}.
        mechanisms: "random", or "own value": large cells are hidden more often.
        share: of the cells that are hidden.
        trees: of the forest of a column.
        rounds: how often the forests go through all columns.
        draws: imputations of `IterativeImputer(sample_posterior=True)`.
        turns: how often each of these goes through all columns.
        trainings: {method: training}.
    """

    tables: dict[str, int | None] = dataclasses.field(
        default_factory=lambda: {"wine": None, "diabetes": None, "breast_cancer": 10}
    )
    mechanisms: tuple[str, ...] = ("random", "own value")
    share: float = 0.3
    trees: int = 20
    rounds: int = 3
    draws: int = 20
    turns: int = 5
    trainings: dict[str, Training] = dataclasses.field(
        default_factory=lambda: {"symmetric": Training()}
    )
