"""The zoo: prebuilt architectures, presets, data sets and trained models."""

from keras_symvae import quiet  # noqa: F401  (first, so that TensorFlow starts without notices)
from zoo import datasets, networks, presets
from zoo.architectures.description import describe
from zoo.architectures.implicit import Implicit
from zoo.architectures.ladder import Ladder
from zoo.architectures.segmentation import Segmentation
from zoo.architectures.semi_supervised import SemiSupervised
from zoo.architectures.table import Table
from zoo.presets import PRESETS, Preset, Recipe
from zoo.runs.model_file import load
from zoo.runs.model_folder import save, upload

__all__ = [
    "PRESETS",
    "Implicit",
    "Ladder",
    "Preset",
    "Recipe",
    "Segmentation",
    "SemiSupervised",
    "Table",
    "datasets",
    "describe",
    "load",
    "networks",
    "presets",
    "save",
    "upload",
]
