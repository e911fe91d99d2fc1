"""A judge: held-out images, and how far samples are from them in the features of a classifier."""

import os
from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_symvae import evaluation
from keras_symvae.evaluation.extractor import FeatureExtractor
from keras_symvae.evaluation.features import ClassifierFeatures


class Judge:
    """Frechet distances in the features of a network.

    Args:
        features: function from images [N, H, W, C] in [0, 1] to features [N, D].
        held_out: images [N, H, W, C].
    """

    def __init__(self, features: Callable[[np.ndarray], np.ndarray], held_out: np.ndarray):
        self.features = features
        self._real = features(held_out)

    def distance(self, images: np.ndarray) -> float:
        """Returns the distance of images [M, H, W, C] to the held-out ones."""
        return float(evaluation.frechet_distance(self._real, self._seen(images)))

    def between(self, some: np.ndarray, others: np.ndarray) -> float:
        """Returns the distance of two sets of images."""
        return float(evaluation.frechet_distance(self._seen(some), self._seen(others)))

    def _seen(self, images: np.ndarray) -> np.ndarray:
        return self.features(np.clip(images, 0.0, 1.0))  # a Gaussian draw may leave this range


def classifier(
    x: np.ndarray, y: np.ndarray, *, num_classes: int, path: str | os.PathLike
) -> ClassifierFeatures:
    """Returns the features of a classifier, which is trained once and kept in a file.

    Args:
        x: training images [N, H, W, C] in [0, 1].
        y: their classes [N].
        num_classes: number of classes.
        path: the `.keras` file.
    """
    features = evaluation.feature_extractor(
        x, y, num_classes=num_classes, path=path, extractor="classifier"
    )
    assert isinstance(features, ClassifierFeatures)
    return features


def cells(shape: Sequence[int], *, side: int) -> FeatureExtractor:
    """Returns the mean and the standard deviation of every colour in cells, without training.

    Args:
        shape: (height, width, channels) of the images.
        side: of a cell, in pixels.
    """
    pool = keras.layers.AveragePooling2D(side)
    pixels = keras.Input(shape)
    mean = pool(pixels)
    variance = keras.ops.maximum(pool(pixels**2) - mean**2, 0.0)
    features = keras.ops.concatenate([mean, keras.ops.sqrt(variance)], axis=-1)
    model = keras.Model(pixels, keras.layers.Flatten()(features))
    return FeatureExtractor(model, name=f"cells of {side} pixels")
