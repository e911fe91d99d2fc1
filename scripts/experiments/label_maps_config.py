"""The configuration of an experiment of label maps."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from zoo.presets import Preset


@dataclasses.dataclass(frozen=True)
class Config:
    """What is learned, and sizes.

    Args:
        preset: architecture, preparation and recipe of "cooperative".
        games: {name: options of `Cooperative` that replace those of the recipe}.
        ignore: class of the maps whose pixels count as unlabelled, see `label_maps.load`.
        resized: images are fitted to the size of the architecture.
        mirrored: the mirror images of training pairs are training pairs too.
        steps, batch_size: of every training; None: those of the preset.
        epochs: equal parts of a training, with a backup after each.
        segmented: held-out images that are segmented.
        measured: held-out images for everything else.
        draws: of z1, averaged by `segment`.
        likelihood_draws: importance-weighted draws behind -log p(s | x).
        chain: steps of the limiting distribution after which it is measured.
        donors, wearers: images whose appearance is carried over, and the maps that wear it.
        side: of the cells, in pixels, whose means and deviations are the features that distances
            are taken in; None: those of a classifier of the images.
    """

    preset: Preset
    games: Mapping[str, Mapping[str, Any]]
    ignore: int | None = None
    resized: bool = False
    mirrored: bool = False
    steps: int | None = None
    batch_size: int | None = None
    epochs: int = 10
    segmented: int = 4000
    measured: int = 1000
    draws: int = 16
    likelihood_draws: int = 20
    chain: tuple[int, ...] = (1, 10, 50)
    donors: int = 8
    wearers: int = 16
    side: int | None = None
