"""Learners of presets, as `scripts.train` makes them."""

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
) -> Learner:
    """Returns the compiled, untrained learner of a preset, with its recipe for this learner."""
    flags: dict[str, Any] = dict.fromkeys(settings.FLAGS)
    flags |= {"preset": preset, "learner": learner, "seed": seed, "jit_compile": jit_compile}
    flags |= {"steps_per_execution": steps_per_execution}
    return settings.learner(settings.resolve(flags))
