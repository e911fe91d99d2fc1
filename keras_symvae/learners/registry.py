"""The registry of learners: every game under the short name that commands and recipes use."""

from collections.abc import Callable

import keras

from keras_symvae.learners.learner import Learner

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


def get(name: str) -> type[Learner]:
    """Returns the class of a learner.

    Raises:
        ValueError: no learner has this name.
    """
    if name not in LEARNERS:
        raise ValueError(f"Unknown learner {name!r}; choose one of {', '.join(sorted(LEARNERS))}.")
    return LEARNERS[name]
