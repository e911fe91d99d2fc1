"""A judge measures samples against held-out images."""

import numpy as np
import pytest

from keras_symvae import evaluation
from scripts.experiments.judge import Judge


def pixels(images):
    return images.reshape(len(images), -1).astype("float64")


def test_distances_are_those_of_features_of_clipped_images():
    rng = np.random.default_rng(0)
    held_out, some, others = rng.normal(0.5, 0.4, size=(3, 200, 2, 2, 1))
    judge = Judge(pixels, np.clip(held_out, 0.0, 1.0))
    clipped = [pixels(np.clip(images, 0.0, 1.0)) for images in (held_out, some, others)]
    real, first, second = clipped
    assert judge.distance(some) == pytest.approx(evaluation.frechet_distance(real, first))
    assert judge.distance(held_out) == pytest.approx(0.0, abs=1e-6)
    found = judge.between(some, others)
    assert found == pytest.approx(evaluation.frechet_distance(first, second))
