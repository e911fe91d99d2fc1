"""The configuration of `cooperation`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Config:
    """Budgets and sizes.

    Args:
        shares: what a member learns from its own data, of 1.
        preset: of both members.
        steps, batch_size: of every training.
        seen: images of each member that the classifier sees.
        shown: images in a row of the picture.
    """

    shares: tuple[float, ...] = (1.0, 0.8, 0.5, 0.2)
    preset: str = "fashion_mnist_reverse"
    steps: int = 1500
    batch_size: int = 128
    seen: int = 2000
    shown: int = 16
