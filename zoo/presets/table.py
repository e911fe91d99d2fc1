"""Presets: architectures and the recipes that train them, as literals."""

import dataclasses

from keras_symvae.families import Normal
from zoo.architectures.implicit import Implicit
from zoo.architectures.ladder import Ladder
from zoo.architectures.segmentation import Segmentation
from zoo.architectures.semi_supervised import SemiSupervised
from zoo.presets.recipes import FAST, GAUSSIAN, IMPLICIT, PAINTED, SLOW

MODELS = {
    "ladder": Ladder,
    "implicit": Implicit,
    "semi_supervised": SemiSupervised,
    "segmentation": Segmentation,
}


@dataclasses.dataclass(frozen=True)
class Preset:
    """One architecture, the way its data are prepared, and how each learner trains it.

    Args:
        architecture: arguments of the model.
        model: key of `MODELS`.
        data: default data set, a name that `datasets.load` takes.
        preparation: arguments of `Preparation`.
        steps, batch_size: the budget, the same for all learners.
        recipes: {learner: Recipe}.
        labelled_batch_size: labelled images in a step, beside the others, where not all are.
        steps_per_execution: steps per call of the compiled step; where a step takes few
            milliseconds, Keras's work per call would show.
    """

    architecture: dict
    data: str
    preparation: dict
    steps: int
    batch_size: int
    recipes: dict
    labelled_batch_size: int | None = None
    steps_per_execution: int = 1
    model: str = "ladder"

    def pair(self, **changes):
        """Returns a fresh, untrained pair or team; `changes` go before the architecture."""
        return MODELS[self.model](**{**self.architecture, **changes})


def grey(*shape, scale):
    """Returns gray pixels with a fixed standard deviation, that of draws of the decoder."""
    return Normal(shape, scale=scale, center=0.5, spread=0.5)


SMALL: dict = {
    "preparation": {"binarize": "threshold"},
    "batch_size": 256,
    "recipes": FAST,
    "steps_per_execution": 10,
}
PAPER: dict = {"steps": 200_000, "batch_size": 128, "recipes": SLOW}

PRESETS = {
    "digits_ladder": Preset(
        architecture={"image_shape": (8, 8, 1), "latents": (10, 40), "width": 200},
        data="digits",
        steps=3000,
        **SMALL,
    ),
    "fashion_mnist_ladder": Preset(
        architecture={"image_shape": (28, 28, 1), "latents": (30, 100), "width": 300},
        data="fashion_mnist",
        steps=6000,
        **SMALL,
    ),
    "fashion_mnist_reverse": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (30, 100),
            "order": "reverse",
            "width": 300,
        },
        data="fashion_mnist",
        steps=6000,
        **SMALL,
    ),
    "digits_gaussian": Preset(
        architecture={
            "image_shape": (8, 8, 1),
            "latents": (Normal(8),),
            "order": "reverse",
            "likelihood": grey(8, 8, 1, scale=0.15),
            "width": 200,
        },
        data="digits",
        preparation={"noise": 0.15},  # a critic tells images without it from all draws
        steps=3000,
        batch_size=256,
        recipes=GAUSSIAN,
        steps_per_execution=10,
    ),
    "fashion_mnist_gaussian": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (Normal(16),),
            "order": "reverse",
            "likelihood": grey(28, 28, 1, scale=0.15),
            "width": 300,
        },
        data="fashion_mnist",
        preparation={"noise": 0.15},
        steps=6000,
        batch_size=128,
        recipes=GAUSSIAN,
        steps_per_execution=10,
    ),
    "digits_implicit": Preset(
        model="implicit",
        architecture={
            "image_shape": (8, 8, 1),
            "latent": 8,
            "noise": 16,
            "basis": 16,
            "width": 200,
        },
        data="digits",
        preparation={"binarize": "threshold"},
        steps=3000,
        batch_size=256,
        recipes=IMPLICIT,
        steps_per_execution=10,
    ),
    "fashion_mnist_implicit": Preset(
        model="implicit",
        architecture={"image_shape": (28, 28, 1), "latent": 16, "noise": 32, "basis": 16},
        data="fashion_mnist",
        preparation={"binarize": "threshold"},
        steps=6000,
        batch_size=128,
        recipes=IMPLICIT,
        steps_per_execution=10,
    ),
    "digits_semi": Preset(
        model="semi_supervised",
        architecture={
            "image_shape": (8, 8, 1),
            "num_classes": 10,
            "latents": (10, 40),
            "width": 200,
        },
        data="digits",
        steps=2000,
        labelled_batch_size=100,
        **SMALL,
    ),
    "fashion_mnist_semi": Preset(
        model="semi_supervised",
        architecture={
            "image_shape": (28, 28, 1),
            "num_classes": 10,
            "latents": (30, 100),
            "width": 300,
        },
        data="fashion_mnist",
        steps=4000,
        labelled_batch_size=100,
        **SMALL,
    ),
    "fashion_mnist_silhouettes": Preset(
        model="segmentation",
        architecture={
            "image_shape": (28, 28, 1),
            "num_classes": 11,
            "latent": 32,
            "likelihood": grey(28, 28, 1, scale=0.1),
        },
        data="silhouettes:fashion_mnist",
        preparation={"noise": 0.1},  # as much as a draw of the painter has,
        steps=2000,
        batch_size=128,
        recipes=PAINTED,
    ),
    "digits_silhouettes": Preset(
        model="segmentation",
        architecture={
            "image_shape": (8, 8, 1),
            "num_classes": 11,
            "latent": 16,
            "filters": (32, 64),
        },
        data="silhouettes:digits",
        preparation={"noise": 0.02},
        steps=1500,
        batch_size=128,
        recipes=PAINTED,
        steps_per_execution=10,
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
        **PAPER,
    ),
    "mnist_reverse_paper": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (30, 100),
            "order": "reverse",
            "body": "conv",
            "width": 600,
        },
        data="mnist",
        preparation={"binarize": "threshold", "flip": 0.001},
        **PAPER,
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
        **PAPER,
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
