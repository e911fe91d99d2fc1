"""Learners of presets, as `scripts.train` makes them."""

import json
from collections.abc import Mapping
from typing import Any

from keras_symvae import Learner
from zoo.runs import settings


def of_preset(
    preset: str,
    learner: str,
    *,
    seed: int = 0,
    steps_per_execution: int = 1,
    jit_compile: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Learner:
    """Returns the compiled, untrained learner of a preset, with its recipe for this learner.

    `options` are arguments of the learner that the recipe does not decide.
    """
    flags: dict[str, Any] = dict.fromkeys(settings.FLAGS)
    flags |= {"preset": preset, "learner": learner, "seed": seed, "jit_compile": jit_compile}
    flags |= {"steps_per_execution": steps_per_execution}
    flags["option"] = [f"{name}={json.dumps(value)}" for name, value in (options or {}).items()]
    return settings.learner(settings.resolve(flags))
