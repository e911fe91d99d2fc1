"""Presets: architectures and the recipes that train them; `zoo.presets()` is their table."""

import sys
import types

from zoo.presets.catalogue import Catalogue, catalogue
from zoo.presets.preset import MODELS, Preset
from zoo.presets.recipes import Recipe
from zoo.presets.table import PRESETS, get

__all__ = ["MODELS", "PRESETS", "Catalogue", "Preset", "Recipe", "catalogue", "get"]


class _Presets(types.ModuleType):
    """This module, which can be called."""

    __call__ = staticmethod(catalogue)


sys.modules[__name__].__class__ = _Presets
