"""The experiment of silhouettes: images and the maps of their class."""

from scripts.experiments.label_maps import LabelMaps
from scripts.experiments.segmentation.config import CONFIG


class Silhouettes(LabelMaps):
    """Gray images, and maps that are derived of them.

    Args: see `Experiment`.
    """

    name = "segmentation"
    usual = "silhouettes:fashion_mnist"
    defaults = CONFIG
