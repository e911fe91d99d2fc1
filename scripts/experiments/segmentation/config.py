"""The configuration of `segmentation`."""

from scripts.experiments.label_maps_config import Config
from zoo import presets

CONFIG = Config(
    preset=presets.get("fashion_mnist_silhouettes"),
    games={"symmetric": {}},
)
