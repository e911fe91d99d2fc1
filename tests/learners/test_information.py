"""Tests of the information of a latent as a utility, against the measurement of the same name."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from keras_symvae import SymmetricEquilibrium, evaluation, testing
from keras_symvae.learners.utilities import information
from tests import cases


def model(**options):
    return zoo.SemiSupervised((3, 3, 1), 3, latents=(2,), width=4, **options)


def spread(pair, *, by=3.0):
    """Makes the encoder's first answers differ between images."""
    for weight in pair.encoder.factor("y").trainable_variables:
        weight.assign(by * weight)


def test_it_is_what_evaluation_measures():
    pair, x = model(), cases.images(40)
    spread(pair)
    gain = information(pair, {"x": tf.constant(x)}, weights={"y": 1.0}).gain
    expected = evaluation.information(pair, x)["y"].sum()
    assert expected > 0.01
    np.testing.assert_allclose(gain, expected, rtol=1e-4)


def test_it_is_that_of_the_examples_whose_image_is_known():
    pair, x = model(), cases.images(40)
    spread(pair)
    lacking = x.copy()
    lacking[25:] = np.nan
    y = np.full(40, -1, np.int32)
    y[10:] = 1  # labels do not change what images say
    batch = pair.batch({"x": tf.constant(lacking), "y": tf.constant(y)}, lacking=("x", "y"))
    gain = information(pair, batch, weights={"y": 0.5}).gain
    np.testing.assert_allclose(gain, 0.5 * evaluation.information(pair, x[:25])["y"].sum(), 1e-4)


def test_bits_count_as_classes_do():
    pair, x = cases.ladder(order="reverse"), cases.images(40)
    first = pair.encoder.names[0]
    gain = information(pair, {"x": tf.constant(x)}, weights={first: 1.0}).gain
    np.testing.assert_allclose(gain, evaluation.information(pair, x)[first].sum(), rtol=1e-4)


def test_learning_it_raises_it():
    pair, x = model(), cases.images(64)
    learner = SymmetricEquilibrium(pair, information={"y": 10.0})
    learner.compile(keras.optimizers.Adam(0.02))
    before = evaluation.information(pair, x)["y"].sum()
    learner.fit(x, batch_size=64, epochs=60, verbose=0)
    assert evaluation.information(pair, x)["y"].sum() > before + 0.3


@pytest.mark.usefixtures("eagerly")
def test_a_learner_with_it_is_saved_and_resumed():
    learner = SymmetricEquilibrium(model(), information={"y": 1.0})
    y = np.where(np.arange(32) < 8, np.arange(32) % 3, -1).astype("int32")
    testing.run_learner_test(learner, {"x": cases.images(), "y": y})


@pytest.mark.parametrize(
    ("information", "message"),
    [
        ({"x": 1.0}, "'x' is not among"),
        ({"z0": 1.0}, "'z0' is not among"),  # its factor reads y
        ({"y": -1.0}, "at least 0"),
    ],
)
def test_refusals(information, message):
    with pytest.raises(ValueError, match=message):
        SymmetricEquilibrium(model(), information=information)
