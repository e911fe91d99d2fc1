"""Feature extractors that turn images into vectors whose distributions can be compared."""

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, final

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_symvae.shapes import shaped

_BATCH = 64
_RECORD = "features.json"
_INCEPTION_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"


class FeatureExtractor:
    """A named map from images [N, H, W, C] to features [N, D].

    Args:
      model: Keras model from images in [0, 1] to features.
      name: what reports call it; distances under different names are not comparable.
      batch_size: images in memory at once, unless a call names another number.
      repeats_grey: images of one channel are repeated to the channels of the model.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        name: str,
        batch_size: int = 256,
        repeats_grey: bool = False,
    ):
        self.model, self.name = model, name
        self.batch_size, self.repeats_grey = batch_size, repeats_grey

    @final
    @shaped(returns="[N, D]")
    def __call__(self, images: ArrayLike, *, batch_size: int | None = None) -> NDArray[np.float32]:
        """Return the features [N, D] of images [N, H, W, C] with values in [0, 1].

        Raises:
          ValueError: if the images are not such an array, or do not fit the model.
        """
        images = _images(images)
        shape = self.model.input_shape[1:]
        if self.repeats_grey and images.shape[-1] == 1:
            images = np.repeat(images, shape[-1], axis=-1)
        if any(k not in (None, size) for k, size in zip(shape, images.shape[1:], strict=True)):
            raise ValueError(f"{self.name} takes images {shape}, got {images.shape[1:]}")
        return self.model.predict(images, batch_size=batch_size or self.batch_size, verbose=0)


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
        x, y = _labelled(x, y, num_classes)
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
        name = _classifier_name(x, y, num_classes, seed, epochs)
        return cls(classifier, name=name, accuracy=float(scores["accuracy"]))

    def save(self, path: str | os.PathLike) -> None:
        """Write classifier, name and accuracy to one `.keras` file."""
        self.classifier.save(path)
        with zipfile.ZipFile(path, "a") as archive:  # Keras ignores members it does not know.
            archive.writestr(_RECORD, json.dumps({"name": self.name, "accuracy": self.accuracy}))

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read what `save` wrote.

        Raises:
          ValueError: if the file is not one of `save`.
        """
        classifier = keras.saving.load_model(path, compile=False)
        with zipfile.ZipFile(path) as archive:
            if _RECORD not in archive.namelist():
                raise ValueError(f"{path} was not written by ClassifierFeatures.save")
            record = json.loads(archive.read(_RECORD))
        return cls(classifier, **record)


class InceptionFeatures(FeatureExtractor):
    """The 2048 pooled features of Keras's Inception v3, for images of any size.

    Images are resized to 299 x 299 (bilinear) and grey is repeated to three channels. Weights and
    resizing differ from those of the original FID code: do not mix with published values.

    Args:
      weights: "imagenet" (downloaded once by Keras), the path of a weight file without the top,
        or None for random weights.

    Raises:
      OSError: if the weights cannot be read or downloaded.

    Reference: Szegedy et al. (2016), Rethinking the Inception architecture for computer vision.
    """

    def __init__(self, weights: str | os.PathLike | None = "imagenet"):
        try:
            network = keras.applications.InceptionV3(False, weights=weights, pooling="avg")
        except Exception as error:  # Keras raises a bare Exception when a download fails.
            advice = f"pass the path of {_INCEPTION_FILE}, or use ClassifierFeatures.train"
            raise OSError(f"no Inception weights from {weights}: {advice}") from error
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Resizing(299, 299, interpolation="bilinear")(inputs)
        outputs = network(keras.layers.Rescaling(2.0, -1.0)(x))
        name = f"inception-v3-{Path(weights or 'random').stem}"
        model = keras.Model(inputs, outputs)
        super().__init__(model, name=name, batch_size=32, repeats_grey=True)


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
        raise ValueError(f"unknown extractor {extractor!r}")
    if extractor == "inception" or (extractor == "auto" and _inception_is_cached()):
        return InceptionFeatures()
    if path.suffix != ".keras":
        raise ValueError(f"path must end in .keras, got {path.name!r}")
    if not path.exists():
        features = ClassifierFeatures.train(x, y, num_classes=num_classes, seed=seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        features.save(path)
        return features
    features = ClassifierFeatures.load(path)
    x, y = _labelled(x, y, num_classes)
    if features.name != _classifier_name(x, y, num_classes, seed, None):
        found = f"{path} holds {features.name}, trained on other data or with another seed"
        raise ValueError(f"{found}: choose another path, or accept it by ClassifierFeatures.load")
    return features


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


def _classifier_name(x: NDArray, y: NDArray, *settings: int | None) -> str:
    digest = hashlib.blake2b(repr((x.shape, *settings)).encode(), digest_size=4)
    for array in (x, y):
        digest.update(np.ascontiguousarray(array).data)
    return f"classifier-{digest.hexdigest()}"


def _inception_is_cached() -> bool:
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return (home / "models" / _INCEPTION_FILE).exists()


def _images(x: ArrayLike) -> NDArray[np.float32]:
    x = np.asarray(x, np.float32)
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"images need shape [N, H, W, C], got {x.shape}")
    if not (x.min() >= -1e-6 and x.max() <= 1 + 1e-6):  # NaN fails as well.
        raise ValueError("images need values in [0, 1]")
    return x


def _labelled(x: ArrayLike, y: ArrayLike, num_classes: int) -> tuple[NDArray, NDArray]:
    x, y = _images(x), np.asarray(y)
    if len(x) < 10 or min(x.shape[1:3]) < 4:
        raise ValueError(f"training needs at least 10 images of at least 4 x 4, got {x.shape}")
    fits = y.shape == x.shape[:1] and y.dtype.kind in "iu"
    if not fits or num_classes < 2 or y.min() < 0 or y.max() >= num_classes:
        raise ValueError(f"labels need shape [{len(x)}] and integers below num_classes >= 2")
    return x, y.astype(np.int32)
