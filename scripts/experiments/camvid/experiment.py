"""The experiment of street scenes: photographs from a car, and maps that people drew."""

from scripts.experiments.camvid.config import CONFIG
from scripts.experiments.label_maps import LabelMaps


class StreetScenes(LabelMaps):
    """Photographs of CamVid at 64 x 48 and their 11 classes; "void" pixels are unlabelled.

    Args: see `Experiment`; data is a folder that has train/ and test/ of images/ and masks/.

    Reference: Brostow, Fauqueur, Cipolla 2009, Semantic object classes in video.
    """

    name = "camvid"
    usual = "camvid"
    defaults = CONFIG
