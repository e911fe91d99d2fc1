"""The configuration of `segmentation`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Config:
    """Budget and sizes.

    Args:
        preset: whose architecture and recipe are used.
        steps, batch_size: of every training; None: those of the preset.
        epochs: equal parts of a training, with a backup after each.
        segmented: held-out images that are segmented.
        measured: held-out images for everything else.
        draws: of z1, averaged by `segment`.
        likelihood_draws: importance-weighted draws behind -log p(s | x).
        chain: steps of the limiting distribution after which it is measured.
    """

    preset: str = "fashion_mnist_silhouettes"
    steps: int | None = None
    batch_size: int | None = None
    epochs: int = 10
    segmented: int = 4000
    measured: int = 1000
    draws: int = 16
    likelihood_draws: int = 20
    chain: tuple[int, ...] = (1, 10, 50)
