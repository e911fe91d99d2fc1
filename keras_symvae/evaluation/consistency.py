"""The consistency of a pair: what changes while encoder and decoder redraw in turn."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.evaluation.chunks import chunks, length
from keras_symvae.model.pair import Pair
from keras_symvae.model.questions import OUTPUTS
from keras_symvae.shapes import shaped

BATCH_SIZE = 1000  # examples that are scored at once


def consistency(
    pair: Pair,
    *,
    steps: Sequence[int] = (0, 1, 10, 100, 1000),
    n: int = 1000,
    seed: int = 0,
    start: Any = None,
    distance: Callable[[np.ndarray], float] | None = None,
    output: str = "sample",
) -> list[dict[str, Any]]:
    """Returns the mean costs of the states of the limiting chain, before and after redrawing.

    The chain alternates z ~ q(z | x) and x ~ p(x | z), from dreams or from data. Each of its states
    is scored by both players. If p(x, z) = q(z | x) p(x), all states that start in a dream have one
    distribution, so every cost is constant; what drifts shows where the players disagree.

    Args:
        pair: the `Pair`.
        steps: increasing numbers of alternations after which to look; the chain is run once.
        n: number of chains, where they start in dreams.
        seed: integer.
        start: data {name: [N, ...]} or x [N, ...] to start from; of the context variables alone:
            the context of the dreams.
        distance: optional function of the first observed variable [n, ...] to a number, such as
            the Frechet distance to reference features.
        output: what `distance` sees of the decoder: "sample", "mean" or "mode".

    Returns:
        One dict for each number of steps and state, with "steps", "state", costs "player/variable"
        (nats, means over chains) and, if asked for, "distance". The state "decoded" is (z, x) with
        x drawn from that z, "encoded" is (x, z) with z redrawn given that x; data before the first
        step are only "encoded". Factors without a density have no cost.

    Raises:
        ValueError: steps do not increase from 0 on, or a variable cannot hold what `start` has.

    Reference: Flach, Schlesinger, Shekhovtsov 2024.
    """
    arguments.instance("pair", pair, Pair)
    arguments.one_of("output", output, OUTPUTS)
    steps = _increasing(steps)
    given = pair.check(start) if start is not None else {}
    context: dict[str, Any] = {name: given[name] for name in pair.context if name in given}
    dreaming = not set(pair.observed) <= given.keys()
    values = pair.generate(n, seed=_fork(seed, 0), **context) if dreaming else given
    done, rows = 0, []
    for step in steps:
        if step > done:
            chain = {name: values[name] for name in (*pair.observed, *context)}
            fork = _fork(seed, 1, step)
            values = pair.limiting(start=chain, steps=step - done, seed=fork)
            done = step
        elif step == 0 and not dreaming:
            values = {name: given[name] for name in (*pair.observed, *context)}
        row = {"steps": step, "state": "decoded"}
        if step or dreaming:
            rows.append({**row, **_costs(pair, values)})
        observed = {name: values[name] for name in (*pair.observed, *context)}
        encoded = observed | pair.encode(observed, seed=_fork(seed, 2, step))
        rows.append({**row, "state": "encoded", **_costs(pair, encoded)})
        if distance is not None:
            shown = values
            if output != "sample" and (step or dreaming):
                latents = {name: values[name] for name in (*pair.latent, *context)}
                shown = pair.decode(latents, seed=_fork(seed, 3, step), output=output)
            # Both states of a step share their x.
            measured = float(distance(shown[pair.observed[0]]))
            for known in rows:
                if known["steps"] == step:
                    known["distance"] = measured
    return rows


def _increasing(steps: Any) -> list[int]:
    """Returns numbers of alternations, or refuses what does not increase from 0 on."""
    says = "steps are increasing numbers from 0 on"
    if isinstance(steps, str) or not isinstance(steps, Iterable):
        raise ValueError(f"{says}; received {arguments.told(steps)}.")
    found = [arguments.integer("steps", step, least=0, says=says) for step in steps]
    if not found or sorted(set(found)) != found:
        raise ValueError(f"{says}; received {arguments.told(found)}.")
    return found


def _costs(pair: Pair, arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """Returns mean costs {"player/variable": nats} of arrays {name: [n, ...]}."""
    costs: dict[str, float] = {}
    for part, _ in chunks(pair, arrays, rows=BATCH_SIZE):
        for name, log_prob in _log_probs(pair, part).items():
            total = np.sum(log_prob.numpy(), dtype=np.float64)
            costs[name] = costs.get(name, 0.0) - float(total) / length(arrays)
    return costs


@tf.function(reduce_retracing=True, autograph=False)
@shaped(values="{name: [B, ...]}", returns="{cost: [B]}")
def _log_probs(pair: Pair, values: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {
        f"{player.name}/{name}": log_prob
        for player in (pair.decoder, pair.encoder)
        for name, log_prob in player.log_prob(values).items()
    }


def _fork(seed: int, *data: int) -> int:
    """Returns an integer seed."""
    return int(seeds.integer(seeds.fold(seeds.make(seed), *data)))
