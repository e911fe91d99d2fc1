"""The configuration of `imputation`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Training:
    """The pair and the budget of one method.

    Args:
        learner: its name.
        draws: of the learner.
        latent: real numbers of the code.
        width, depth: see `zoo.Table`.
        steps: number of updates.
        batch_size: rows of an update.
        rate: peak rate of AdamW.
        decay: of its weights, biases and standard deviations excepted.
        samples: imputations of every row.
        chain: alternations of an imputation.
    """

    learner: str = "symmetric"
    draws: int = 5
    latent: int = 6
    width: int = 32
    depth: int = 1
    steps: int = 600
    batch_size: int = 256
    rate: float = 1e-2
    decay: float = 1.0
    samples: int = 200
    chain: int = 5


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
    turns: int = 3
    trainings: dict[str, Training] = dataclasses.field(
        default_factory=lambda: {"symmetric": Training(), "elbo": Training(learner="elbo")}
    )
