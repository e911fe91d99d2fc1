"""The data of a run: images, checked against the model and prepared."""

import numpy as np
import tensorflow as tf

from keras_symvae import Batches, seeds
from zoo import datasets

CHUNK = 1000  # images prepared at once; part of what the fixed draws are


class Data:
    """One image set, prepared for a model of one image shape.

    Args:
        name: what `zoo.datasets.load` takes.
        shape: (height, width, channels) that the model takes.
        preparation: `zoo.preparation.Preparation`.
        owner: what has that shape, for messages: "preset 'digits_ladder'".
    """

    def __init__(self, name, *, shape, preparation, owner):
        self.name, self.shape = name, tuple(shape)
        self.preparation, self.owner = preparation, owner

    def read(self, split):
        """Returns `zoo.datasets.Images`, unprepared.

        Raises:
            ValueError: the images have another shape.
        """
        images = datasets.load(self.name, split=split)
        if images.x.shape[1:] != self.shape:
            raise ValueError(
                f"images of {self.name!r} are {images.x.shape[1:]}, but {self.owner} takes "
                f"{self.shape} (height, width, channels); choose one made for these images, or "
                "resize them"
            )
        return images

    def batches(self, *, batch_size, seed):
        """Returns the `Batches` of training images, prepared anew for every step."""
        x = self.read("train").x
        return Batches({"x": x}, batch_size=batch_size, seed=seed, transform=self.preparation)

    def held_out(self, *, limit=None):
        """Returns test images [N, H, W, C] without flips and noise, always the same."""
        return self.prepared(spread(self.read("test").x, limit))

    def prepared(self, x):
        """Returns images [N, H, W, C] prepared with fixed draws, without flips and noise."""
        clean, parts = self.preparation.clean(), []
        for index, start in enumerate(range(0, len(x), CHUNK)):
            fork = seeds.fold(seeds.make(0), seeds.TEST, index)
            parts.append(clean({"x": tf.constant(x[start : start + CHUNK])}, fork)["x"].numpy())
        return np.concatenate(parts)


def spread(x, limit):
    """Returns at most `limit` entries of x, evenly spaced: files may be sorted by class."""
    if limit is None or len(x) <= limit:
        return x
    return x[np.linspace(0, len(x) - 1, limit).astype(int)]
