"""Tests of the preparation of batches."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.datasets.preparation import Preparation

SEED = np.array([3, 5], np.int32)


def wide(values, n=40_000):
    return {"x": tf.constant(np.tile(np.asarray(values, np.float32), (n, 1)))}


def test_preparation_leaves_alone_what_it_is_not_told():
    values = {**wide([0.2, 0.9], 2), "y": tf.constant([1, 2])}
    prepared = Preparation()(values, SEED)
    assert prepared is not values and prepared["y"] is values["y"]
    np.testing.assert_array_equal(prepared["x"], values["x"])


def test_threshold_is_exceeded_not_reached():
    x = Preparation(binarize="threshold")(wide([0, 0.4375, 0.4376, 1], 1), SEED)["x"]
    np.testing.assert_array_equal(x, [[0, 0, 1, 1]])


@pytest.mark.parametrize(
    ("arguments", "mean", "deviation"),
    [
        ({"binarize": "dynamic"}, [0, 0.3, 1], [0, 0.21**0.5, 0]),
        ({"binarize": "threshold", "flip": 0.1}, [0.1, 0.1, 0.9], [0.3, 0.3, 0.3]),
        # The mean of independent draws: 0.3 * 0.8 + 0.7 * 0.2 = 0.38.
        ({"binarize": "dynamic", "flip": 0.2}, [0.2, 0.38, 0.8], [0.4, 0.2356**0.5, 0.4]),
        ({"noise": 0.5}, [0, 0.3, 1], [0.5, 0.5, 0.5]),
    ],
)
def test_statistics_and_seeds(arguments, mean, deviation):
    prepare, values = Preparation(**arguments), wide([0, 0.3, 1])
    x = prepare(values, SEED)["x"].numpy()
    np.testing.assert_allclose(x.mean(0), mean, atol=0.0125)  # Five standard errors.
    np.testing.assert_allclose(x.std(0), deviation, atol=0.0125)
    assert abs(np.corrcoef(x[:, 1], np.roll(x[:, 1], 1))[0, 1]) < 0.025
    np.testing.assert_array_equal(prepare(values, SEED)["x"], x)
    assert (prepare(values, SEED + 1)["x"].numpy() != x).any()


def test_preparation_inside_a_pipeline():
    prepare, values = Preparation(binarize="dynamic", flip=0.1, noise=0.1), wide([0.5], 64)
    seeds = tf.data.Dataset.range(2).map(lambda i: tf.stack([7, tf.cast(i, tf.int32)]))
    batches = tf.data.Dataset.zip((tf.data.Dataset.from_tensors(values).repeat(2), seeds))
    first, second = (batch["x"].numpy() for batch in batches.map(prepare))
    assert (first != second).any()
    np.testing.assert_allclose(second, prepare(values, [7, 1])["x"], atol=1e-6)


def test_clean():
    noisy = Preparation(binarize="threshold", threshold=0.7, flip=0.3, noise=0.2)
    assert noisy.clean() == Preparation(binarize="threshold", threshold=0.7)
    np.testing.assert_array_equal(noisy.clean()(wide([0.6, 0.8], 1), SEED)["x"], [[0, 1]])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"binarize": "static"}, r"binarize is one of none, .*; received 'static'"),
        ({"threshold": 1.5}, r"threshold is a share, from 0 to 1; received 1\.5"),
        ({"threshold": "0.5"}, r"threshold is a share, from 0 to 1; received '0\.5'"),
        ({"flip": 1.1, "binarize": "dynamic"}, r"flip is .*; received 1\.1"),
        ({"flip": float("nan"), "binarize": "dynamic"}, r"flip is .*; received nan"),
        ({"flip": 0.1}, r"flip=0\.1 is for binarised pixels"),
        ({"noise": -0.1}, r"noise is .*; received -0\.1"),
        ({"noise": float("inf")}, r"noise is .*; received inf"),
    ],
)
def test_wrong_preparation(arguments, match):
    with pytest.raises(ValueError, match=match):
        Preparation(**arguments)


def test_preparation_of_integers():
    with pytest.raises(TypeError, match=r"x must be float in \[0, 1\], got uint8"):
        Preparation()({"x": tf.constant(np.zeros((2, 3, 4), np.uint8))}, SEED)
