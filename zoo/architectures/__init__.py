"""Architectures: pairs and teams without a loss."""

from zoo.architectures.architecture import Architecture
from zoo.architectures.description import describe
from zoo.architectures.implicit import Implicit
from zoo.architectures.ladder import Ladder
from zoo.architectures.likelihoods import image_family
from zoo.architectures.segmentation import Segmentation
from zoo.architectures.semi_supervised import SemiSupervised
from zoo.architectures.table import Table

__all__ = [
    "Architecture",
    "Implicit",
    "Ladder",
    "Segmentation",
    "SemiSupervised",
    "Table",
    "describe",
    "image_family",
]
