"""Tests of critics: what they read, their offset, their files and refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import Critic, families

FAMILIES = {
    "x": families.Bernoulli((2, 2, 1)),
    "z": families.Normal(3, center=1.0, spread=2.0),
}
VALUES = {
    "x": tf.constant(np.eye(5, 4).reshape(5, 2, 2, 1), tf.float32),
    "z": tf.random.stateless_normal([5, 3], [0, 1]),
}


def bound(*args, **kwargs):
    critic = Critic(*args, **kwargs)
    critic.bind(FAMILIES)
    return critic


def test_a_score_per_example_of_features():
    critic = bound(("x", "z"), widths=(4,))
    assert critic.score(VALUES).shape == (5,)
    assert [weight.shape for weight in critic.weights] == [(7, 4), (4,), (4, 1), (1,)]
    reads = {name: FAMILIES[name].features(value) for name, value in VALUES.items()}
    np.testing.assert_array_equal(critic.score(VALUES), critic(reads))


def test_the_offset_is_minus_log_of_the_prior_up_to_a_constant():
    plain, offset = bound("z", widths=(4,)), bound("z", widths=(4,), offset="z")
    offset.set_weights(plain.get_weights())
    gap = offset.score(VALUES) - plain.score(VALUES)
    log_prior = FAMILIES["z"].log_prob(FAMILIES["z"].natural(tf.zeros([5, 6])), VALUES["z"])
    assert np.ptp(gap + log_prior) < 1e-4


def test_a_network_of_ones_own_and_a_file():
    inputs = [keras.Input((2, 2, 1)), keras.Input((3,))]
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(inputs[0]), inputs[1]])
    critic = bound(("x", "z"), network=keras.Model(inputs, keras.layers.Dense(1)(joined)))
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(critic))
    twin.bind(FAMILIES)
    assert twin.get_config() == critic.get_config()
    twin.set_weights(critic.get_weights())
    np.testing.assert_array_equal(twin.score(VALUES), critic.score(VALUES))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"given": ()}, "reads some variables"),
        ({"given": "x", "offset": "z"}, "reads some variables"),
        ({"given": "w"}, r"reads \['w'\]"),
        ({"given": "z", "network": keras.layers.Dense(2)}, "one number per example"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        bound(**arguments)
