"""The registry of learners: every game under the short name that commands and recipes use."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_symvae import arguments
from keras_symvae.learners.learner import Learner
from keras_symvae.model.requirements import refusal

LEARNERS: dict[str, type[Learner]] = {}


def register(name: str, *, package: str = "keras_symvae") -> Callable:
    """Returns a decorator that enters a `Learner` under a short name, and in Keras's registry.

    Args:
        name: such as "elbo"; what `--learner` and the recipes of presets call it.
        package: the Keras package of the class; learners of your own take a name of their own.

    Raises:
        ValueError: another learner has this name.
    """

    def enter(learner: type[Learner]) -> type[Learner]:
        former = LEARNERS.setdefault(name, learner)
        if former.__qualname__ != learner.__qualname__:
            raise ValueError(f"The name {name!r} belongs to {former.__name__}; choose another.")
        LEARNERS[name] = learner  # a module that is loaded again brings its class anew
        return keras.saving.register_keras_serializable(package=package)(learner)

    return enter


def refusals(models: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """Returns {learner: {model: why it is refused, or None}} of all learners, by their defaults.

    Args:
        models: {name: Pair or Team}.
    """
    models = arguments.table("models", models)
    return {
        name: {
            kind: refusal(model, learner.requirements, asker=learner.__name__)
            for kind, model in models.items()
        }
        for name, learner in sorted(LEARNERS.items())
    }


def table(models: Mapping[str, Any]) -> str:
    """Returns the Markdown table learner x model: "plays", or why not.

    Args:
        models: {name: Pair or Team}.
    """
    models = arguments.table("models", models)
    lines = [["learner", *models], ["---"] * (1 + len(models))]
    for name, found in refusals(models).items():
        lines.append(
            [name, *((reason or "plays").replace("|", r"\|") for reason in found.values())]
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def get(name: str) -> type[Learner]:
    """Returns the class of a learner.

    Raises:
        ValueError: no learner has this name.
    """
    known = ", ".join(sorted(LEARNERS))
    says = f"Unknown learner {arguments.told(name)}; choose one of {known}"
    return LEARNERS[arguments.one_of("learner", name, tuple(LEARNERS), says=says)]
