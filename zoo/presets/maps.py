"""The presets of images with label maps, as literals."""

from zoo.presets.pixels import gray
from zoo.presets.preset import Preset
from zoo.presets.recipes import PAINTED, RESAMPLED_MAPS


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


MAPS = {
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
}
