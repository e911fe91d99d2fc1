"""Data sets: labelled images and images with label maps, in memory."""

from zoo.datasets import label_maps
from zoo.datasets.class_table import ClassTable
from zoo.datasets.image_folder import read_images
from zoo.datasets.images import Images, checked, load
from zoo.datasets.label_maps import LabelMaps
from zoo.datasets.preparation import Preparation
from zoo.datasets.splits import SPLIT_RULES, SPLITS

__all__ = [
    "SPLITS",
    "SPLIT_RULES",
    "ClassTable",
    "Images",
    "LabelMaps",
    "Preparation",
    "checked",
    "label_maps",
    "load",
    "read_images",
]
