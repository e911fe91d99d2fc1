"""The zoo: prebuilt architectures, presets and data sets."""

import keras_symvae  # noqa: F401  (first, so that TensorFlow starts without its notices)
from zoo.implicit import Implicit
from zoo.ladder import Ladder
from zoo.presets import PRESETS, Preset, Recipe
from zoo.segmentation import Segmentation
from zoo.semi_supervised import SemiSupervised

__all__ = ["PRESETS", "Implicit", "Ladder", "Preset", "Recipe", "Segmentation", "SemiSupervised"]
