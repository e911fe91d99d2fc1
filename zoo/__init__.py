"""The zoo: prebuilt architectures, presets and data sets."""

from keras_symvae import quiet  # noqa: F401  (first, so that TensorFlow starts without notices)
from zoo.implicit import Implicit
from zoo.ladder import Ladder
from zoo.presets import PRESETS, Preset
from zoo.recipes import Recipe
from zoo.segmentation import Segmentation
from zoo.semi_supervised import SemiSupervised

__all__ = ["PRESETS", "Implicit", "Ladder", "Preset", "Recipe", "Segmentation", "SemiSupervised"]
