"""The table of all presets, as literals."""

from typing import Any

from keras_symvae import arguments
from keras_symvae.families import Normal
from zoo.presets import colour, maps
from zoo.presets.pixels import gray
from zoo.presets.preset import Preset
from zoo.presets.recipes import FAST, GAUSSIAN, IMPLICIT, REVERSE, SLOW

BITS: dict[str, Any] = {"binarize": "threshold"}
DIGITS: dict[str, Any] = {"image_shape": (8, 8, 1), "latents": (10, 40), "width": 200}
FASHION: dict[str, Any] = {"image_shape": (28, 28, 1), "latents": (30, 100), "width": 300}
MNIST_PAPER: dict[str, Any] = {
    "image_shape": (28, 28, 1),
    "latents": (30, 100),
    "body": "conv",
    "width": 600,
}
SMALL: dict[str, Any] = {
    "preparation": BITS,
    "batch_size": 256,
    "recipes": FAST,
    "steps_per_execution": 10,
}
PAPER: dict[str, Any] = {"steps": 200_000, "batch_size": 128, "recipes": SLOW}
REVERSED: dict[str, Any] = {**SMALL, "recipes": REVERSE}

PRESETS = {
    "fashion_mnist_bits": Preset(
        architecture={
            "image_shape": (28, 28, 1),
            "latents": (20, 60),
            "order": "reverse",
            "width": 200,
        },
        data="fashion_mnist_bits",
        steps=2000,
        **{**REVERSED, "batch_size": 128},
    ),
    "digits_ladder": Preset(architecture=DIGITS, data="digits", steps=3000, **SMALL),
    "fashion_mnist_ladder": Preset(architecture=FASHION, data="fashion_mnist", steps=6000, **SMALL),
    "fashion_mnist_reverse": Preset(
        architecture={**FASHION, "order": "reverse"}, data="fashion_mnist", steps=6000, **REVERSED
    ),
    "digits_gaussian": Preset(
        architecture={
            "image_shape": (8, 8, 1),
            "latents": (Normal(8),),
            "order": "reverse",
            "likelihood": gray(8, 8, 1, scale=0.15),
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
            "likelihood": gray(28, 28, 1, scale=0.15),
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
        preparation=BITS,
        steps=3000,
        batch_size=256,
        recipes=IMPLICIT,
        steps_per_execution=10,
    ),
    "fashion_mnist_implicit": Preset(
        model="implicit",
        architecture={"image_shape": (28, 28, 1), "latent": 16, "noise": 32, "basis": 16},
        data="fashion_mnist",
        preparation=BITS,
        steps=6000,
        batch_size=128,
        recipes=IMPLICIT,
        steps_per_execution=10,
    ),
    "digits_semi": Preset(
        model="semi_supervised",
        architecture={**DIGITS, "num_classes": 10},
        data="digits",
        steps=2000,
        labelled_batch_size=100,
        **SMALL,
    ),
    "fashion_mnist_semi": Preset(
        model="semi_supervised",
        architecture={**FASHION, "num_classes": 10},
        data="fashion_mnist",
        steps=4000,
        labelled_batch_size=100,
        **SMALL,
    ),
    **maps.MAPS,
    **colour.IMAGES,
    "mnist_ladder_paper": Preset(
        architecture=MNIST_PAPER, data="mnist", preparation={**BITS, "flip": 0.001}, **PAPER
    ),
    "mnist_reverse_paper": Preset(
        architecture={**MNIST_PAPER, "order": "reverse"},
        data="mnist",
        preparation={**BITS, "flip": 0.001},
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


def get(name: str) -> Preset:
    """Returns the preset of this name.

    Raises:
        ValueError: no preset has this name.
    """
    says = f"Unknown preset {arguments.told(name)}; choose one of {', '.join(PRESETS)}"
    return PRESETS[arguments.one_of("preset", name, tuple(PRESETS), says=says)]
