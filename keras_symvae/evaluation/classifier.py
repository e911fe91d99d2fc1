"""The features of a classifier that is trained on the data at hand."""

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Iterator
from typing import Self

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_symvae import files, saved
from keras_symvae.evaluation.extractor import FeatureExtractor, checked_images

_BATCH = 64
_RECORD = "features.json"


class ClassifierFeatures(FeatureExtractor):
    """The last hidden layer [N, 64] of a small convolutional classifier of the data at hand.

    `accuracy` is the fraction of held-out images classified correctly, or None when unknown.
    """

    def __init__(self, classifier: keras.Model, *, name: str, accuracy: float | None = None):
        features = keras.Model(classifier.inputs, classifier.get_layer("features").output)
        super().__init__(features, name=name)
        self.classifier = classifier
        self.accuracy = accuracy

    @classmethod
    def train(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        num_classes: int,
        seed: int = 0,
        epochs: int | None = None,
        verbose: int = 0,
    ) -> Self:
        """Train on nine tenths of the data and measure the accuracy on the rest.

        Initial weights and order of the data follow from `seed` alone; no global random state is
        read or changed. The name carries a digest of data and settings.

        Args:
          x: images [N, H, W, C] in [0, 1], N >= 10, H and W >= 4.
          y: integer labels [N] in [0, num_classes).
          num_classes: number of classes, at least 2.
          seed: seed of everything random.
          epochs: passes through the data; by default about 240,000 images, 3 to 30 passes.
          verbose: as in `keras.Model.fit`.

        Raises:
          ValueError: if x, y or num_classes is not as described.
        """
        x, y = labelled(x, y, num_classes)
        rng = np.random.default_rng(seed)
        held_out, kept = np.split(rng.permutation(len(x)), [len(x) // 10])
        passes = epochs or min(max(math.ceil(240_000 / len(kept)), 3), 30)
        rounds = math.ceil(len(kept) / _BATCH)
        classifier = _classifier(x.shape[1:], num_classes, seed)
        rate = keras.optimizers.schedules.CosineDecay(1e-3, passes * rounds)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        classifier.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        batches = _minibatches(x, y, kept, rng)
        options = {"epochs": passes, "steps_per_epoch": rounds, "shuffle": False}
        classifier.fit(batches, **options, verbose=verbose)
        scores = classifier.evaluate(x[held_out], y[held_out], verbose=0, return_dict=True)
        name = classifier_name(x, y, num_classes, seed, epochs)
        return cls(classifier, name=name, accuracy=float(scores["accuracy"]))

    def save(self, path: str | os.PathLike) -> None:
        """Write classifier, name and accuracy to one `.keras` file."""
        with files.whole(path) as unfinished:
            self.classifier.save(unfinished)
            with zipfile.ZipFile(
                unfinished, "a"
            ) as archive:  # Keras ignores what it does not know.
                record = {"name": self.name, "accuracy": self.accuracy}
                archive.writestr(_RECORD, json.dumps(record))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read what `save` wrote.

        Raises:
          ValueError: if the file is not one of `save`.
        """
        classifier = saved.load(path, compile=False)
        try:
            with zipfile.ZipFile(path) as archive:
                record = json.loads(archive.read(_RECORD))
            name, accuracy = str(record["name"]), record["accuracy"]
            return cls(classifier, name=name, accuracy=accuracy)
        except (KeyError, ValueError, TypeError, AttributeError):
            raise ValueError(f"{path} was not written by ClassifierFeatures.save") from None


def labelled(x: ArrayLike, y: ArrayLike, num_classes: int) -> tuple[NDArray, NDArray]:
    """Returns images, and labels int32 [N] in [0, num_classes), or refuses them."""
    x, y = checked_images(x), np.asarray(y)
    if len(x) < 10 or min(x.shape[1:3]) < 4:
        raise ValueError(f"training needs at least 10 images of at least 4 x 4, got {x.shape}")
    fits = y.shape == x.shape[:1] and y.dtype.kind in "iu"
    if not fits or num_classes < 2 or y.min() < 0 or y.max() >= num_classes:
        raise ValueError(f"labels need shape [{len(x)}] and integers below num_classes >= 2")
    return x, y.astype(np.int32)


def classifier_name(x: NDArray, y: NDArray, *settings: int | None) -> str:
    """Returns the name of a classifier, with a digest of its data and settings."""
    digest = hashlib.blake2b(repr((x.shape, *settings)).encode(), digest_size=4)
    for array in (x, y):
        digest.update(np.ascontiguousarray(array).data)
    return f"classifier-{digest.hexdigest()}"


def _minibatches(
    x: NDArray, y: NDArray, kept: NDArray, rng: np.random.Generator
) -> Iterator[tuple[NDArray, NDArray]]:
    """Yields minibatches of the examples that are kept, pass after pass, each in a new order."""
    # Shuffled here: the shuffle of `fit` and of tf.data depends on global seeds.
    while True:
        order = rng.permutation(kept)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            yield x[rows], y[rows]


def _classifier(shape: tuple[int, ...], num_classes: int, seed: int) -> keras.Model:
    seeds = np.random.SeedSequence(seed).generate_state(4).tolist()
    init = [keras.initializers.LecunNormal(seed=s) for s in seeds]
    # The second pooling leaves about 4 x 4 positions, so one network serves 8 x 8 to 64 x 64.
    pool = max(1, round(min(shape[:2]) / 8))
    # Rectified features die in part, leaving constant columns: hence tanh.
    layers = [
        keras.Input(shape),
        keras.layers.Rescaling(2.0, -1.0),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu", kernel_initializer=init[0]),
        keras.layers.MaxPooling2D(2, padding="same"),
        keras.layers.Conv2D(64, 3, padding="same", activation="relu", kernel_initializer=init[1]),
        keras.layers.MaxPooling2D(pool, padding="same"),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="tanh", kernel_initializer=init[2], name="features"),
        keras.layers.Dense(num_classes, kernel_initializer=init[3], name="logits"),
    ]
    return keras.Sequential(layers)
