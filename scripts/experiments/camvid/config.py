"""The configuration of `camvid`."""

from scripts.experiments.label_maps_config import Config
from zoo import presets

CONFIG = Config(
    preset=presets.get("camvid"),
    games={"symmetric": {}, "symmetric draws=1": {"draws": 1}},
    resized=True,
    mirrored=True,
    side=16,
)
