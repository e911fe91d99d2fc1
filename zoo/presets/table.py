"""The table of presets, as literals."""

from typing import Any

from keras_symvae import arguments
from keras_symvae.families import Bernoulli, DiscretizedLogistic, Normal
from zoo.presets.preset import Preset
from zoo.presets.recipes import (
    COLOUR,
    FAST,
    GAUSSIAN,
    IMPLICIT,
    PAINTED,
    RESAMPLED_MAPS,
    REVERSE,
    SLOW,
)


def gray(*shape: int, scale: float) -> Normal:
    """Returns pixels with a fixed standard deviation, that of draws of the decoder."""
    return Normal(shape, scale=scale, center=0.5, spread=0.5)


def colour(side: int, **options: Any) -> dict[str, Any]:
    """Returns the architecture of square colour images: 64 bits, and two grids of bits below."""
    return {
        "image_shape": (side, side, 3),
        "latents": (
            64,
            Bernoulli((side // 8, side // 8, 16)),
            Bernoulli((side // 4, side // 4, 8)),
        ),
        "body": "residual",
        "likelihood": DiscretizedLogistic((side, side, 3), coupled=True),
        "width": 64,
        **options,
    }


def street(height: int, width: int, *, filters: tuple[int, ...]) -> Preset:
    """Returns the preset of CamVid's scenes, shrunk to this size in pixels.

    The lowest of the resolutions, whose weights are most of all, has 12 x 16 places at any size.
    """
    return Preset(
        model="segmentation",
        architecture={
            "image_shape": (height, width, 3),
            "num_classes": 11,
            "latent": 32,
            "likelihood": gray(height, width, 3, scale=0.1),
            "filters": filters,
        },
        data="camvid",
        preparation={"noise": 0.1},
        steps=900,
        batch_size=16,
        recipes=RESAMPLED_MAPS,
        classes="camvid",
    )


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
    "fashion_mnist_silhouettes": Preset(
        model="segmentation",
        architecture={
            "image_shape": (28, 28, 1),
            "num_classes": 11,
            "latent": 32,
            "likelihood": gray(28, 28, 1, scale=0.1),
        },
        data="silhouettes:fashion_mnist",
        preparation={"noise": 0.1},  # as much as a draw of the painter has
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
    "cifar10_ladder": Preset(
        architecture=colour(32, order="reverse", decoder_activation="relu"),
        data="cifar10",
        preparation={},
        steps=8000,
        batch_size=64,
        recipes=COLOUR,
    ),
    "cifar10_semi": Preset(
        model="semi_supervised",
        architecture={**colour(32), "num_classes": 10},
        data="cifar10",
        preparation={},
        steps=6000,
        batch_size=64,
        labelled_batch_size=32,
        recipes=COLOUR,
    ),
    "faces64_ladder": Preset(
        architecture=colour(64, order="reverse", decoder_activation="relu", width=48),
        data="faces64",
        preparation={},
        steps=6000,
        batch_size=32,
        recipes=COLOUR,
    ),
    "camvid": street(48, 64, filters=(16, 32, 64)),
    "camvid_large": street(96, 128, filters=(16, 32, 64, 64)),
    "celeb_a_mask_hq": Preset(
        model="segmentation",
        architecture={
            "image_shape": (64, 64, 3),
            "num_classes": 19,
            "latent": 64,
            "likelihood": gray(64, 64, 3, scale=0.1),
            "filters": (32, 64, 128, 128),
        },
        data="celeb_a_mask_hq",
        preparation={"noise": 0.1},
        steps=20_000,
        batch_size=32,
        recipes=RESAMPLED_MAPS,
        classes="celeb_a_mask_hq",
    ),
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
