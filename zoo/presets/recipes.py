"""Recipes: how a learner trains a preset."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one learner trains a preset: Adam, whose rate falls to zero along a cosine.

    Args:
        learning_rate: {key of `compile`: peak rate}.
        beta_1: Adam's momentum; a game of two players needs less of it than a single objective.
        options: further arguments of the learner.
        constant: keys whose rate stays constant: a critic goes on learning while the players come
            to rest, and so catches up with them.
    """

    learning_rate: Mapping[str, float]
    beta_1: float = 0.9
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    constant: Sequence[str] = ()

    def optimizer(self, *, steps: int) -> dict[str, keras.optimizers.Optimizer]:
        """Returns {key: Adam} for `compile`, with the schedule over this number of steps."""
        falling = keras.optimizers.schedules.CosineDecay
        return {
            key: keras.optimizers.Adam(
                rate if key in self.constant else falling(rate, steps), beta_1=self.beta_1
            )
            for key, rate in self.learning_rate.items()
        }


def both(rate: float) -> dict[str, float]:
    """Returns the same rate for both players."""
    return {"decoder": rate, "encoder": rate}


def against(
    critics: str | Sequence[str], *, rate: float, critic_rate: float, **options: Any
) -> Recipe:
    """Returns the `Recipe` of a game against critics of these names, whose rates are constant."""
    critics = (critics,) if isinstance(critics, str) else tuple(critics)
    rates = both(rate) | dict.fromkeys(critics, critic_rate)
    return Recipe(rates, beta_1=0.5, options=options, constant=critics)


RESAMPLED = {"draws": 3, "remember": 0.5}
FAST = {
    "symmetric": Recipe(both(2e-3), beta_1=0.5, options=RESAMPLED),
    "elbo": Recipe(both(2e-3), options={"free_bits": 0.1}),
}
# The ELBO, too, needs less momentum in this order; in the other it needs it.
REVERSE = FAST | {"elbo": Recipe(both(2e-3), beta_1=0.5, options={"free_bits": 0.1})}
SLOW = {"symmetric": Recipe(both(1e-3)), "elbo": Recipe(both(1e-3), options={"free_bits": 0.1})}
# Cheap choices for grids of bits: of two draws one is often remembered, and half of the dreams are
# near the data.
COLOUR = {
    "symmetric": Recipe(both(1e-3), beta_1=0.5, options={"draws": 2, "remember": 0.5, "near": 0.5}),
    "elbo": Recipe(both(1e-3)),
}
PAINTED = {
    "cooperative": Recipe({"painter": 2e-3, "labeller": 2e-3}, beta_1=0.5, options={"mixing": 1.0})
}
# Without resampling, the codes of photographs stay empty.
RESAMPLED_MAPS = {
    name: dataclasses.replace(recipe, options={**recipe.options, "draws": 5})
    for name, recipe in PAINTED.items()
}
CRITICS = ("critic_codes", "critic_data")
GAUSSIAN = {
    "symmetric": Recipe(both(2e-3), beta_1=0.5, options={"draws": 5}),
    "elbo": Recipe(both(2e-3)),
    "avb": against("critic", rate=1e-3, critic_rate=1e-3, adaptive_contrast=True),
    "as_vae": against(CRITICS, rate=1e-3, critic_rate=1e-3, reconstruction={"x": 0.1, "z0": 1.0}),
    "svae": against("critic", rate=1e-3, critic_rate=3e-4, reconstruction={"x": 0.3, "z0": 1.0}),
    "wae": Recipe(both(1e-3), options={"penalty_weight": 100.0}),
    "fgan": against("critic", rate=1e-3, critic_rate=1e-3, gradient_penalty=10.0),
}
# The learners that ask no density of an encoder.
IMPLICIT = {name: GAUSSIAN[name] for name in ("avb", "wae")}
