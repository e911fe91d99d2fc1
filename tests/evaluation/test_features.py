"""Tests of the feature extractors."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from keras_symvae.evaluation import classifier, inception
from keras_symvae.evaluation import features as features_module
from keras_symvae.evaluation.distances import distance_report
from keras_symvae.evaluation.features import (
    ClassifierFeatures,
    InceptionFeatures,
    feature_extractor,
)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).reshape(-1, 8, 8, 1).astype(np.float32), y


@pytest.fixture(scope="module")
def trained(digits):
    x, y = digits
    return ClassifierFeatures.train(x[:1400], y[:1400], num_classes=10, epochs=10)


def test_classifier_learns_digits(trained, digits):
    assert trained.accuracy > 0.95
    features = trained(digits[0][:50])
    assert features.shape == (50, 64)
    assert features.dtype == np.float32
    # Accuracy remembered must be that of unseen data, so it may not beat a fresh set by much.
    x, y = digits[0][1400:], digits[1][1400:]
    fresh = (trained.classifier.predict(x, verbose=0).argmax(-1) == y).mean()
    assert fresh > 0.9
    np.testing.assert_allclose(features, trained(digits[0][:50], batch_size=7), atol=1e-5)


def test_saved_classifier_gives_identical_features(trained, digits, tmp_path):
    trained.save(tmp_path / "digits.keras")
    loaded = ClassifierFeatures.load(tmp_path / "digits.keras")
    np.testing.assert_array_equal(trained(digits[0][:100]), loaded(digits[0][:100]))
    assert (loaded.name, loaded.accuracy) == (trained.name, trained.accuracy)


def test_foreign_file_is_refused(trained, tmp_path):
    trained.classifier.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="not written by"):
        ClassifierFeatures.load(tmp_path / "other.keras")


@pytest.mark.usefixtures("eagerly")
def test_training_follows_from_its_seed_and_leaves_global_state_alone(digits):
    x, y = digits[0][:300], digits[1][:300]

    def train(global_seed, seed):
        keras.utils.set_random_seed(global_seed)
        trained = ClassifierFeatures.train(x, y, num_classes=10, seed=seed, epochs=2)
        after = np.random.uniform(), float(tf.random.normal([])), float(keras.random.normal([]))
        return trained, after

    first, after = train(1, 5)
    second, _ = train(2, 5)
    other, _ = train(1, 6)
    np.testing.assert_allclose(first(x), second(x), atol=1e-4)
    assert first.name == second.name != other.name
    assert np.abs(first(x) - other(x)).max() > 0.1
    keras.utils.set_random_seed(1)
    expected = np.random.uniform(), float(tf.random.normal([])), float(keras.random.normal([]))
    assert after == expected


def test_distance_of_halves_is_far_below_distance_to_noise(trained, digits):
    x = digits[0]
    noise = np.random.default_rng(0).uniform(size=x[:800].shape)
    halves = distance_report(trained, x[:800], x[800:1600])
    noisy = distance_report(trained, x[:800], noise, seed=0)
    assert noisy["frechet"] > 10 * halves["frechet"] > 0
    assert noisy["kernel"] > 10 * abs(halves["kernel"])
    assert noisy["extractor"] == trained.name
    assert (noisy["num_real"], noisy["num_generated"], noisy["seed"]) == (800, 800, 0)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("shape", [(4, 5, 1), (13, 8, 2), (64, 64, 3)])
def test_classifier_adapts_to_the_image_size(shape):
    x = np.random.default_rng(0).uniform(size=(20, *shape))
    trained = ClassifierFeatures.train(x, np.arange(20) % 2, num_classes=2, epochs=1)
    assert trained(x).shape == (20, 64)
    with pytest.raises(ValueError, match="takes images"):
        trained(x[:, :-1])


@pytest.mark.parametrize("bad", [np.zeros((2, 8, 8)), np.full((2, 8, 8, 1), 2.0)])
def test_bad_images_are_refused(trained, bad):
    with pytest.raises(ValueError, match="images need"):
        trained(bad)
    with pytest.raises(ValueError, match="images need"):
        trained(np.full((2, 8, 8, 1), np.nan))


@pytest.mark.parametrize(
    "labels, num_classes",
    [(np.zeros(19, int), 2), (np.zeros(20), 2), (np.full(20, 2), 2), (np.zeros(20, int), 1)],
)
def test_bad_labels_are_refused(labels, num_classes):
    with pytest.raises(ValueError, match="labels need"):
        ClassifierFeatures.train(np.zeros((20, 8, 8, 1)), labels, num_classes=num_classes)


@pytest.mark.parametrize("shape", [(9, 8, 8, 1), (20, 3, 8, 1)])
def test_too_few_or_too_small_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"at least 10 images of at least 4 x 4, got \("):
        ClassifierFeatures.train(np.zeros(shape), np.zeros(shape[0], int), num_classes=2)


@pytest.mark.slow
def test_inception_repeats_grey_and_resizes():
    extractor = InceptionFeatures(weights=None)
    images = np.random.default_rng(0).uniform(size=(2, 16, 12, 1))
    features = extractor(images)
    assert features.shape == (2, 2048)
    np.testing.assert_allclose(features, extractor(np.repeat(images, 3, -1)), rtol=1e-5)
    assert extractor.name == "inception-v3-random"


def test_missing_inception_weights_name_the_alternative(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise Exception("URL fetch failure")

    with pytest.raises(OSError, match=r"ClassifierFeatures\.train"):
        InceptionFeatures(weights=tmp_path / "missing.h5")
    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(OSError, match="from imagenet"):
        feature_extractor(None, None, num_classes=2, path="x.keras", extractor="inception")


def test_feature_extractor_trains_once(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    x, y = digits[0][:60], digits[1][:60]
    path = tmp_path / "kept" / "digits.keras"
    first = feature_extractor(x, y, num_classes=10, path=path)
    monkeypatch.setattr(classifier, "_classifier", None)
    second = feature_extractor(x, y, num_classes=10, path=path)
    np.testing.assert_array_equal(first(x), second(x))
    with pytest.raises(ValueError, match="other data or with another seed"):
        feature_extractor(x[::-1], y[::-1], num_classes=10, path=path)
    with pytest.raises(ValueError, match=r"end in \.keras"):
        feature_extractor(x, y, num_classes=10, path=tmp_path / "digits.h5")
    with pytest.raises(ValueError, match="unknown extractor"):
        feature_extractor(x, y, num_classes=10, path=path, extractor="vgg")


def test_auto_takes_inception_only_from_the_cache(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(features_module, "InceptionFeatures", lambda: "inception")
    cached = tmp_path / "models" / inception.WEIGHTS_FILE
    cached.parent.mkdir()
    cached.touch()
    path = tmp_path / "digits.keras"
    assert feature_extractor(*digits, num_classes=10, path=path) == "inception"
    assert not path.exists()
