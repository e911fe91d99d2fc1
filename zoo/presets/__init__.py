"""Presets: architectures and the recipes that train them; `zoo.presets()` is their table."""

import sys
import types

from zoo.presets.catalogue import Catalogue, listed
from zoo.presets.preset import MODELS, Preset
from zoo.presets.recipes import Recipe
from zoo.presets.table import PRESETS, get

__all__ = ["MODELS", "PRESETS", "Catalogue", "Preset", "Recipe", "get", "listed"]


class _Presets(types.ModuleType):
    """This module, which can be called."""

    __call__ = staticmethod(listed)


sys.modules[__name__].__class__ = _Presets
