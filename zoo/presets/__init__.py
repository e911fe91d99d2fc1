"""Presets: architectures and the recipes that train them."""

from zoo.presets.preset import MODELS, Preset
from zoo.presets.recipes import Recipe
from zoo.presets.table import PRESETS, get

__all__ = ["MODELS", "PRESETS", "Preset", "Recipe", "get"]
