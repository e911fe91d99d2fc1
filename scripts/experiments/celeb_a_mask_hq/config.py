"""The configuration of `celeb_a_mask_hq`."""

from scripts.experiments.label_maps_config import Config
from zoo import presets

CONFIG = Config(
    preset=presets.get("celeb_a_mask_hq"),
    games={"symmetric": {}, "symmetric draws=1": {"draws": 1}},
    resized=True,
    segmented=2000,
    side=16,
)
