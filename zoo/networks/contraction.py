"""The contracting half of a U-Net: convolutions that halve the sides of a map step by step."""

from collections.abc import Sequence

import keras


def contraction(filters: Sequence[int], activation: str) -> list[keras.Layer]:
    """Returns the convolutions from the full resolution down, each later one halving the sides."""
    return [
        keras.layers.Conv2D(count, 3, 2 if index else 1, padding="same", activation=activation)
        for index, count in enumerate(filters)
    ]
