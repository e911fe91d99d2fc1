"""The feature extractor of a set of images: Inception, or a classifier of the images themselves."""

import os
from pathlib import Path
from typing import Literal

from numpy.typing import ArrayLike

from keras_symvae.evaluation import classifier, inception
from keras_symvae.evaluation.classifier import ClassifierFeatures
from keras_symvae.evaluation.extractor import FeatureExtractor
from keras_symvae.evaluation.inception import InceptionFeatures

__all__ = ["ClassifierFeatures", "FeatureExtractor", "InceptionFeatures", "feature_extractor"]


def feature_extractor(
    x: ArrayLike,
    y: ArrayLike,
    *,
    num_classes: int,
    path: str | os.PathLike,
    seed: int = 0,
    extractor: Literal["auto", "classifier", "inception"] = "auto",
) -> FeatureExtractor:
    """Return Inception, or a classifier that is trained once and then kept at `path`.

    Args:
      x: training images [N, H, W, C] in [0, 1].
      y: integer labels [N] in [0, num_classes); `num_classes` is their number.
      path: `.keras` file of the classifier: loaded if it exists, written otherwise.
      seed: seed of the training.
      extractor: "auto" never downloads: it takes Inception if Keras has its weights in its cache,
        else the classifier. "inception" may download.

    Raises:
      ValueError: if `extractor` is unknown, `path` does not end in `.keras`, x or y is not as
        `ClassifierFeatures.train` needs it, or `path` holds a classifier of other data or seed.
      OSError: if Inception was asked for and its weights cannot be had.
    """
    path = Path(path)
    if extractor not in ("auto", "classifier", "inception"):
        raise ValueError(f"unknown extractor {extractor!r}: choose auto, classifier or inception")
    if extractor == "inception" or (extractor == "auto" and inception.is_cached()):
        return InceptionFeatures()
    if path.suffix != ".keras":
        raise ValueError(f"path must end in .keras, got {path.name!r}")
    if not path.exists():
        features = ClassifierFeatures.train(x, y, num_classes=num_classes, seed=seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        features.save(path)
        return features
    features = ClassifierFeatures.load(path)
    x, y = classifier.labelled(x, y, num_classes)
    if features.name != classifier.classifier_name(x, y, num_classes, seed, None):
        found = f"{path} holds {features.name}, trained on other data or with another seed"
        raise ValueError(f"{found}: choose another path, or accept it by ClassifierFeatures.load")
    return features
