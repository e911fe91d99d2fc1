"""Presets: architectures and the recipes that train them, as literals."""

import dataclasses

import keras

from keras_symvae.families import Normal
from zoo.ladder import Ladder
from zoo.segmentation import Segmentation
from zoo.semi_supervised import SemiSupervised

MODELS = {"ladder": Ladder, "semi_supervised": SemiSupervised, "segmentation": Segmentation}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one learner trains a preset: Adam, whose rate falls to zero along a cosine.

    Args:
        learning_rate: {key of `compile`: peak rate}.
        beta_1: Adam's momentum; a game of two players bears less of it than one objective.
        options: further arguments of the learner.
    """

    learning_rate: dict
    beta_1: float = 0.9
    options: dict = dataclasses.field(default_factory=dict)

    def optimizer(self, *, steps):
        """Returns {key: Adam} for `compile`, with the schedule over this number of steps."""
        return {
            key: keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(rate, steps), beta_1=self.beta_1
            )
            for key, rate in self.learning_rate.items()
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


def _both(rate):
    return {"decoder": rate, "encoder": rate}


FAST = {
    "symmetric": Recipe(_both(2e-3), beta_1=0.5),
    "elbo": Recipe(_both(2e-3), options={"free_bits": 0.1}),
}
SLOW = {"symmetric": Recipe(_both(1e-3)), "elbo": Recipe(_both(1e-3), options={"free_bits": 0.1})}

PAINTED = Recipe({"painter": 2e-3, "labeller": 2e-3}, beta_1=0.5, options={"mixing": 1.0})

PRESETS = {
    "digits_ladder": Preset(
        architecture={"image_shape": (8, 8, 1), "latents": (10, 40), "width": 200},
        data="digits",
        preparation={"binarize": "threshold"},
        steps=3000,
        batch_size=256,
        recipes=FAST,
        steps_per_execution=10,
    ),
    "fashion_mnist_ladder": Preset(
        architecture={"image_shape": (28, 28, 1), "latents": (30, 100), "width": 300},
        data="fashion_mnist",
        preparation={"binarize": "threshold"},
        steps=6000,
        batch_size=256,
        recipes=FAST,
        steps_per_execution=10,
    ),
    "fashion_mnist_reverse": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (30, 100),
            "order": "reverse",
            "width": 300,
        },
        data="fashion_mnist",
        preparation={"binarize": "threshold"},
        steps=6000,
        batch_size=256,
        recipes=FAST,
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
        preparation={"binarize": "threshold"},
        steps=2000,
        batch_size=256,
        labelled_batch_size=100,
        recipes=FAST,
        steps_per_execution=10,
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
        preparation={"binarize": "threshold"},
        steps=4000,
        batch_size=256,
        labelled_batch_size=100,
        recipes=FAST,
        steps_per_execution=10,
    ),
    "fashion_mnist_silhouettes": Preset(
        model="segmentation",
        architecture={
            "image_shape": (28, 28, 1),
            "num_classes": 11,
            "latent": 32,
            "likelihood": Normal((28, 28, 1), scale=0.1, center=0.5, spread=0.5),
        },
        data="silhouettes:fashion_mnist",
        preparation={"noise": 0.1},  # as much as a draw of the painter has,
        steps=2000,
        batch_size=128,
        recipes={"cooperative": PAINTED},
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
        recipes={"cooperative": PAINTED},
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
        steps=200_000,
        batch_size=128,
        recipes=SLOW,
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
        steps=200_000,
        batch_size=128,
        recipes=SLOW,
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
        recipes=SLOW,
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
