"""The configuration of `camvid`."""

from keras_symvae.families import Normal
from scripts.experiments.label_maps_config import Config
from zoo.presets import Preset
from zoo.presets.recipes import Recipe

NOISE = 0.1
CONFIG = Config(
    preset=Preset(
        model="segmentation",
        architecture={
            "image_shape": (48, 64, 3),
            "num_classes": 11,
            "latent": 32,
            "likelihood": Normal((48, 64, 3), scale=NOISE, center=0.5, spread=0.5),
        },
        data="camvid",
        preparation={"noise": NOISE},
        steps=900,
        batch_size=16,
        recipes={
            "cooperative": Recipe(
                {"painter": 2e-3, "labeller": 2e-3},
                beta_1=0.5,
                options={"mixing": 1.0, "draws": 5},
            )
        },
    ),
    games={"symmetric": {}, "symmetric draws=1": {"draws": 1}},
    ignore=11,
    resized=True,
    mirrored=True,
    side=16,
)
