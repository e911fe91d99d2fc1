"""The experiment of faces: photographs of celebrities, and maps of the parts of their faces."""

from scripts.experiments.celeb_a_mask_hq.config import CONFIG
from scripts.experiments.label_maps import LabelMaps


class Faces(LabelMaps):
    """Faces of CelebAMask-HQ at 64 x 64 and their 19 classes, as in Figures 3 and 4 of the paper.

    Args: see `Experiment`; data is the data set of TFDS, or the folder CelebAMask-HQ itself.

    Reference: Flach, Schlesinger, Shekhovtsov 2024, the CelebA experiment.
    """

    name = "celeb_a_mask_hq"
    usual = "celeb_a_mask_hq"
    defaults = CONFIG
