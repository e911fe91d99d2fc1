"""The configuration of `image_learners`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from zoo import presets
from zoo.presets.recipes import Recipe, both

TWIN = {"likelihood": "bernoulli", "decoder_activation": "elu"}  # the decoder of "implicit"


@dataclasses.dataclass(frozen=True)
class Method:
    """A preset and a learner, and what differs from their recipe.

    Args:
        preset: its name without that of the data.
        learner: key of the preset's recipes.
        architecture, preparation: see `zoo.presets.Preset`.
        options: further arguments of the learner.
        learning_rate: {key of `compile`: rate}.
        beta_1: None: that of the recipe.
        recipe: None: that of the preset.
    """

    preset: str
    learner: str
    architecture: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    preparation: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    learning_rate: Mapping[str, float] = dataclasses.field(default_factory=dict)
    beta_1: float | None = None
    recipe: Recipe | None = None

    def settings(self, prefix: str, *, steps: int | None = None) -> dict[str, Any]:
        """Returns the settings of a training, as JSON values.

        Args:
            prefix: name of the data in the preset's name.
            steps: None: those of the preset.
        """
        name = f"{prefix}_{self.preset}"
        preset = presets.get(name)
        recipe = dataclasses.asdict(self.recipe or preset.recipes[self.learner])
        recipe["learning_rate"] |= self.learning_rate
        recipe["options"] |= self.options
        if self.beta_1 is not None:
            recipe["beta_1"] = self.beta_1
        return {
            "preset": name,
            "learner": self.learner,
            "architecture": dict(self.architecture),
            "preparation": self.preparation or preset.preparation,
            "steps": steps or preset.steps,
            "batch_size": preset.batch_size,
            **recipe,
        }


def methods() -> dict[str, Method]:
    """Returns the methods of the published table."""
    grey = {
        name: Method("gaussian", name)
        for name in ("symmetric", "elbo", "avb", "as_vae", "svae", "fgan")
    }
    # The published table is older than the rates and draws that the presets have now.
    grey["symmetric"] = dataclasses.replace(
        grey["symmetric"], recipe=Recipe(both(1e-3), beta_1=0.5)
    )
    grey["elbo"] = dataclasses.replace(grey["elbo"], recipe=Recipe(both(1e-3)))
    fgan, mmd = grey.pop("fgan"), Method("gaussian", "wae")
    critic = {"options": {"penalty": "gan", "penalty_weight": 10.0}}
    critic |= {"learning_rate": {"critic": 1e-3}}
    gan = dataclasses.replace(mmd, **critic, beta_1=0.5)
    bits = {"preparation": {"binarize": "threshold"}, "architecture": TWIN}
    contrast = Method("implicit", "avb")
    return {
        **grey,
        "wae-mmd": mmd,
        "wae-gan": gan,
        "fgan": fgan,
        "bits-vae": dataclasses.replace(grey["elbo"], **bits),
        "bits-avb": dataclasses.replace(contrast, options={"adaptive_contrast": False}),
        "bits-avb-ac": contrast,
    }


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """Annealed importance sampling of log p(x): images, and see `evaluation.annealing`."""

    images: int = 60
    num_chains: int = 4
    num_steps: int = 300


@dataclasses.dataclass(frozen=True)
class Config:
    """Methods and sizes.

    Args:
        methods: {label: settings}.
        steps: of every training; None: those of its preset.
        warm: first steps, of which the time does not count.
        samples: images behind a distance.
        alternations: of encoder and decoder.
        shown: images in a cell of the picture.
        likelihood: see `Likelihood`.
    """

    methods: dict[str, Method] = dataclasses.field(default_factory=methods)
    steps: int | None = None
    warm: int = 20
    samples: int = 2000
    alternations: int = 50
    shown: int = 10
    likelihood: Likelihood = Likelihood()
