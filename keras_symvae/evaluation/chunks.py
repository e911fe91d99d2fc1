"""Chunks: data by the names of variables, as tensors of a size that memory holds."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.model.pair import Pair
from keras_symvae.shapes import shaped


@shaped(arrays="{name: [N, ...]}")
def chunks(
    pair: Pair, arrays: Mapping[str, np.ndarray], *, rows: int, seed: int = 0
) -> Iterator[tuple[dict[str, tf.Tensor], tf.Tensor]]:
    """Yields the values of at most `rows` examples, and the seed of their draws, in their order.

    Args:
        pair: the `Pair` whose variables the arrays hold.
        arrays: {name: [N, ...]}.
        rows: examples at once; part of what a seed means.
        seed: integer.

    Yields:
        ({name: [rows, ...]}, a stateless seed [2] folded from `seed` and the number of the chunk).
    """
    for index, start in enumerate(range(0, length(arrays), rows)):
        part = {name: array[start : start + rows] for name, array in arrays.items()}
        yield pair.values(part), seeds.fold(seeds.make(seed), index)


def length(arrays: Mapping[str, np.ndarray]) -> int:
    """Returns N of arrays {name: [N, ...]}."""
    return len(next(iter(arrays.values())))
