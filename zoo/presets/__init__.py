"""Presets: architectures and the recipes that train them."""

from zoo.presets.recipes import Recipe
from zoo.presets.table import MODELS, PRESETS, Preset, get

__all__ = ["MODELS", "PRESETS", "Preset", "Recipe", "get"]
