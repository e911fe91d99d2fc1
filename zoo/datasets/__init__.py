"""Data sets: labelled images and images with label maps, in memory."""

from zoo.datasets.images import Images, checked, load, read_images

__all__ = ["Images", "checked", "load", "read_images"]
