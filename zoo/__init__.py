"""The zoo: prebuilt architectures, presets and data sets."""

from zoo.ladder import Ladder
from zoo.presets import PRESETS, Preset, Recipe
from zoo.segmentation import Segmentation
from zoo.semi_supervised import SemiSupervised

__all__ = ["PRESETS", "Ladder", "Preset", "Recipe", "Segmentation", "SemiSupervised"]
