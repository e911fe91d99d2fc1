"""The zoo: prebuilt architectures, presets and data sets."""

from zoo.ladder import Ladder
from zoo.presets import PRESETS, Preset, Recipe

__all__ = ["PRESETS", "Ladder", "Preset", "Recipe"]
