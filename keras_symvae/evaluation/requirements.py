"""Requirements: what a measurement asks of a pair, of data and of numbers."""

import math
from typing import Any

import numpy as np

from keras_symvae.model.pair import Pair
from keras_symvae.model.requirements import Densities, check


def check_densities(pair: Pair, *, asker: str, player: str | None = "decoder") -> None:
    """Refuses, in the name of who asks, a pair whose log p(x, z) cannot be computed.

    Args:
        pair: the `Pair`.
        asker: who asks, for messages.
        player: whose factors need a log-density; None: those of both.

    Raises:
        ValueError: names the prior or the factor without a density.
    """
    if pair.prior is not None:
        raise ValueError(
            f"{asker} needs log p(z), but the prior of this pair is known only by samples."
        )
    check(pair, [Densities(player)], asker=asker)


def check_complete(pair: Pair, data: Any, *, asker: str) -> dict[str, np.ndarray]:
    """Returns {name: [N, ...]}, in which all observed variables and all context are present.

    Args:
        pair: the `Pair`.
        data: {name: [N, ...]}, x [N, ...] or a tuple (x, context ..., y).
        asker: who asks, for messages.

    Raises:
        ValueError: names the variables that the data lack, or that cannot hold what they hold.
    """
    arrays = pair.check(data)
    lacking = [name for name in (*pair.observed, *pair.context) if name not in arrays]
    if lacking:
        raise ValueError(f"{asker} needs {lacking} beside {sorted(arrays)}.")
    return arrays


def check_positive(**numbers: float) -> None:
    """Refuses numbers, by their names, that are not finite and above 0.

    Raises:
        ValueError: names the first of them, and what was received.
    """
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise ValueError(f"{name} is a positive number; received {number!r}.")


def check_counts(**numbers: int) -> None:
    """Refuses numbers, by their names, that are not integers from 1 on.

    Raises:
        ValueError: names the first of them, and what was received.
    """
    check_positive(**numbers)
    for name, number in numbers.items():
        if not isinstance(number, (int, np.integer)):
            raise ValueError(f"{name} is a positive number without fraction; received {number!r}.")
