"""Presets: architectures and the recipes that train them, as literals."""

import dataclasses

import keras

from zoo.ladder import Ladder


@dataclasses.dataclass(frozen=True)
class Preset:
    """One architecture, the way its data are prepared, and the recipe that trains it.

    Args:
        architecture: arguments of `Ladder`.
        data: default data set, a name that `datasets.load` takes.
        preparation: arguments of `Preparation`.
        steps, batch_size: the budget.
        learning_rate: {key of `compile`: peak rate} of Adam; it falls to zero along a cosine.
        elbo: extra arguments of the ELBO learner for this architecture.
    """

    architecture: dict
    data: str
    preparation: dict
    steps: int
    batch_size: int
    learning_rate: dict
    elbo: dict = dataclasses.field(default_factory=dict)

    def pair(self):
        """Returns a fresh, untrained pair."""
        return Ladder(**self.architecture)

    def optimizer(self, *, steps=None, learning_rate=None):
        """Returns {key: Adam} for `compile`, with a cosine schedule over `steps`."""
        rates = {key: learning_rate or rate for key, rate in self.learning_rate.items()}
        return {
            key: keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(rate, steps or self.steps)
            )
            for key, rate in rates.items()
        }


PRESETS = {
    "digits_ladder": Preset(
        architecture={"image_shape": (8, 8, 1), "latents": (10, 40), "width": 200},
        data="digits",
        preparation={"binarize": "threshold"},
        steps=3000,
        batch_size=256,
        learning_rate={"decoder": 1e-3, "encoder": 1e-3},
    ),
    "fashion_mnist_ladder": Preset(
        architecture={"image_shape": (28, 28, 1), "latents": (30, 100), "width": 300},
        data="fashion_mnist",
        preparation={"binarize": "threshold"},
        steps=6000,
        batch_size=512,
        learning_rate={"decoder": 1e-3, "encoder": 1e-3},
    ),
    "fashion_mnist_reverse": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (30, 100),
            "width": 300,
            "order": "reverse",
        },
        data="fashion_mnist",
        preparation={"binarize": "threshold"},
        steps=6000,
        batch_size=256,
        learning_rate={"decoder": 1e-3, "encoder": 1e-3},
    ),
    "mnist_ladder_paper": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (30, 100),
            "body": "conv",
            "width": 600,
        },
        data="mnist",
        preparation={"binarize": "threshold", "flip": 0.001},
        steps=200_000,
        batch_size=128,
        learning_rate={"decoder": 1e-3, "encoder": 1e-3},
    ),
    "mnist_reverse_paper": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (30, 100),
            "body": "conv",
            "width": 600,
            "order": "reverse",
        },
        data="mnist",
        preparation={"binarize": "threshold", "flip": 0.001},
        steps=200_000,
        batch_size=128,
        learning_rate={"decoder": 1e-3, "encoder": 1e-3},
    ),
    "fashion_mnist_ladder_paper": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (50, 200),
            "body": "conv",
            "likelihood": "normal",
            "width": 600,
            "trunk_width": 1000,
            "decoder_activation": "relu",
        },
        data="fashion_mnist",
        preparation={"noise": 0.01},
        steps=200_000,
        batch_size=128,
        learning_rate={"decoder": 1e-3, "encoder": 1e-3},
    ),
}


def get(name):
    """Returns the preset of this name.

    Raises:
        ValueError: no preset has this name.
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown preset {name!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]
