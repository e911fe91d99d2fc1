"""The zoo: prebuilt architectures, presets and data sets."""

from zoo.ladder import Ladder
from zoo.presets import PRESETS, Preset

__all__ = ["PRESETS", "Ladder", "Preset"]
