"""Batches: the values of a minibatch as a pure function of (seed, step)."""

import numpy as np
import tensorflow as tf

from keras_symvae import seeds


class Batches:
    """Shuffled minibatches of arrays, without any iterator state.

    Step t reads epoch t // steps_per_epoch; every epoch is its own permutation, so that training
    resumes at any step with the data it would have seen. Examples that do not fill a last batch
    wait for another epoch.

    Args:
        values: {name: np.ndarray [N, ...]}.
        batch_size: B; at most N are taken.
        seed: integer.
        transform: optional graph function (values, stateless seed [2]) -> values of one batch,
            such as a fresh binarisation.
    """

    def __init__(self, values, *, batch_size, seed=0, transform=None):
        lengths = {name: len(value) for name, value in values.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"Batches need arrays of one length above 0; received {lengths}.")
        if batch_size < 1:
            raise ValueError(f"batch_size is a positive number; received {batch_size!r}.")
        self.size = next(iter(lengths.values()))
        self.batch_size = min(batch_size, self.size)
        self.steps_per_epoch = self.size // self.batch_size
        self.seed, self.transform = seed, transform
        self._values = values

    def at(self, step, values=None):
        """Returns {name: tensor [B, ...]} of one step; `values` are the arrays as tensors."""
        step = tf.cast(step, tf.int64)
        epoch, turn = step // self.steps_per_epoch, step % self.steps_per_epoch
        places = turn * self.batch_size + tf.range(self.batch_size, dtype=tf.int64)
        root = seeds.fold(seeds.make(self.seed), seeds.DATA)
        chosen = tf.random.experimental.index_shuffle(  # pyright: ignore[reportAttributeAccessIssue]
            places, seed=seeds.fold(root, 0, epoch), max_index=self.size - 1
        )
        batch = {name: tf.gather(array, chosen) for name, array in (values or self._values).items()}
        if self.transform is not None:
            batch = self.transform(batch, seeds.fold(root, 1, step))
        return batch

    def dataset(self, *, start=0):
        """Returns an endless `tf.data.Dataset` of batches from step `start` on."""
        values = {name: tf.constant(array) for name, array in self._values.items()}
        steps = tf.data.Dataset.counter(start)
        return steps.map(lambda step: self.at(step, values)).prefetch(tf.data.AUTOTUNE)


def holds_arrays(data):
    """True for arrays and nests of arrays; False for datasets, generators and None."""
    leaves = tf.nest.flatten(data)
    return data is not None and all(
        isinstance(leaf, (np.ndarray, tf.Tensor)) for leaf in leaves if leaf is not None
    )
