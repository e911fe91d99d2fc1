"""Requirements: what a measurement asks of a pair and of data."""

from typing import Any

import numpy as np

from keras_symvae import arguments
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
    arguments.instance("pair", pair, Pair)
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
    arrays = arguments.instance("pair", pair, Pair).check(data)
    lacking = [name for name in (*pair.observed, *pair.context) if name not in arrays]
    if lacking:
        raise ValueError(f"{asker} needs {lacking} beside {sorted(arrays)}.")
    return arrays
