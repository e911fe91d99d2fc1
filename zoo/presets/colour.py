"""The presets of colour images, as literals."""

from typing import Any

from keras_symvae.families import Bernoulli, DiscretizedLogistic
from zoo.presets.preset import Preset
from zoo.presets.recipes import COLOUR


def architecture(side: int, **options: Any) -> dict[str, Any]:
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


IMAGES = {
    "cifar10_ladder": Preset(
        architecture=architecture(32, order="reverse", decoder_activation="relu"),
        data="cifar10",
        preparation={},
        steps=8000,
        batch_size=64,
        recipes=COLOUR,
    ),
    "cifar10_semi": Preset(
        model="semi_supervised",
        architecture={**architecture(32), "num_classes": 10},
        data="cifar10",
        preparation={},
        steps=6000,
        batch_size=64,
        labelled_batch_size=32,
        recipes=COLOUR,
    ),
    "faces64_ladder": Preset(
        architecture=architecture(64, order="reverse", decoder_activation="relu", width=48),
        data="faces64",
        preparation={},
        steps=6000,
        batch_size=32,
        recipes=COLOUR,
    ),
}
