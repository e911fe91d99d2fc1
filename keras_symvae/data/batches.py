"""Batches: the values of a minibatch as a pure function of (seed, step)."""

import functools

import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.sources import Source


class Minibatches:
    """Minibatches without any iterator state, so that training resumes at any step.

    Args:
        steps_per_epoch: number of steps until all examples were seen; None where there is no end.
    """

    steps_per_epoch: int | None = None

    def at(self, step):
        """Returns {name: tensor [B, ...]} of one step."""
        raise NotImplementedError

    def dataset(self, *, start=0):
        """Returns an endless `tf.data.Dataset` of batches from step `start` on."""
        self.at(0)  # what graphs share is made outside of them
        return tf.data.Dataset.counter(start).map(self.at).prefetch(tf.data.AUTOTUNE)


class Batches(Minibatches):
    """Shuffled minibatches of arrays.

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

    @functools.cached_property
    def _tensors(self):
        return {name: tf.constant(value) for name, value in self._values.items()}

    def at(self, step):
        step = tf.cast(step, tf.int64)
        epoch, turn = step // self.steps_per_epoch, step % self.steps_per_epoch
        places = turn * self.batch_size + tf.range(self.batch_size, dtype=tf.int64)
        root = seeds.fold(seeds.make(self.seed), seeds.DATA)
        chosen = tf.random.experimental.index_shuffle(  # pyright: ignore[reportAttributeAccessIssue]
            places, seed=seeds.fold(root, 0, epoch), max_index=self.size - 1
        )
        batch = {name: tf.gather(tensor, chosen) for name, tensor in self._tensors.items()}
        if self.transform is not None:
            batch = self.transform(batch, seeds.fold(root, 1, step))
        return batch


class Draws(Minibatches):
    """Minibatches that a source draws anew for every step: data known by a sampler alone.

    Args:
        source: the `Source`.
        batch_size: B.
        seed: integer.
    """

    def __init__(self, source, *, batch_size, seed=0):
        self.source, self.batch_size, self.seed = source, batch_size, seed

    def at(self, step):
        root = seeds.fold(seeds.make(self.seed), seeds.DATA)
        return self.source.sample(self.batch_size, seed=seeds.fold(root, step))


class Mixture(Minibatches):
    """One batch of each part, one below the other: a few labelled examples and many without.

    What a part does not hold is missing in its examples: -1 for integers, else NaN.

    Args:
        parts: list of `Minibatches`.
    """

    def __init__(self, parts):
        self.parts = list(parts)
        self.steps_per_epoch = max(part.steps_per_epoch or 0 for part in self.parts) or None
        self.batch_size = sum(part.batch_size for part in self.parts)
        self.size = max(part.size for part in self.parts)

    def at(self, step):
        batches = [part.at(step) for part in self.parts]
        models = {name: value for batch in batches for name, value in batch.items()}
        for batch in batches:
            size = tf.shape(next(iter(batch.values())))[:1]
            for name in models.keys() - batch.keys():
                batch[name] = self._missing(size, models[name])
        return {name: tf.concat([batch[name] for batch in batches], axis=0) for name in models}

    @staticmethod
    def _missing(size, model):
        marker = -1 if model.dtype.is_integer else np.nan
        return tf.fill(tf.concat([size, model.shape[1:]], axis=0), tf.cast(marker, model.dtype))


class Together(Minibatches):
    """One batch for every member of a team, {member: values}.

    Args:
        members: {name: `Minibatches`}.
    """

    def __init__(self, members):
        self.members = dict(members)
        self.steps_per_epoch = max(part.steps_per_epoch or 0 for part in members.values()) or None

    def at(self, step):
        return {name: part.at(step) for name, part in self.members.items()}


def of(data, *, batch_size, seed=0):
    """Returns the `Minibatches` of {name: array}, {member: {name: array}} or a `Source`.

    Anything else is returned as it is.
    """
    options = {"batch_size": batch_size, "seed": seed}
    if isinstance(data, Source):
        return Draws(data, **options)
    if not isinstance(data, dict):
        return data
    if not isinstance(next(iter(data.values())), dict):
        return Batches(data, **options)
    return Together({member: Batches(part, **options) for member, part in data.items()})


def holds_arrays(data):
    """True for arrays and nests of arrays; False for datasets, generators and None."""
    leaves = tf.nest.flatten(data)
    return data is not None and all(
        isinstance(leaf, (np.ndarray, tf.Tensor)) for leaf in leaves if leaf is not None
    )
