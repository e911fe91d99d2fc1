"""Tests of the information that latents hold about the data."""

import itertools

import keras
import numpy as np
import pytest

from keras_symvae import Factor, Pair, Player
from keras_symvae.evaluation import information
from keras_symvae.families import Bernoulli, Categorical, Normal


def dense(kernel, bias=0.0):
    """A layer with this kernel; networks read bits as -1 and +1."""
    kernel = np.asarray(kernel, np.float32)
    return keras.layers.Dense(
        kernel.shape[1],
        kernel_initializer=keras.initializers.Constant(kernel),
        bias_initializer=keras.initializers.Constant(bias),
    )


def pair_of(family, network):
    families = {"x": Bernoulli(2), "z": family}
    units = int(np.prod(family.raw_shape))
    painter = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    decoder = [Factor("z"), Factor("x", given="z", network=painter)]
    encoder = [Factor("z", given="x", network=network or dense(np.zeros((2, units)), 0.7))]
    return Pair(
        Player(decoder, families=families, name="decoder"),
        Player(encoder, families=families, name="encoder"),
    )


FAIR = np.array(list(itertools.product([0.0, 1.0], repeat=2)) * 25, np.float32)


@pytest.mark.parametrize("family", [Bernoulli(3), Categorical((2,), num_classes=3)])
def test_constant_encoder_holds_nothing(family):
    found = information(pair_of(family, None), FAIR)["z"]
    assert found.shape == (family.size,) and found.dtype == np.float64
    np.testing.assert_allclose(found, 0.0, atol=1e-12)


def test_copied_bit_holds_log_two():
    pair = pair_of(Bernoulli(3), dense([[60.0, 0.0, 0.0], [0.0, 60.0, 0.0]]))
    found = information(pair, {"x": FAIR})["z"]
    np.testing.assert_allclose(found, [np.log(2), np.log(2), 0.0], atol=1e-12)
    np.testing.assert_allclose(information(pair, FAIR, chunk=7)["z"], found, atol=1e-12)


def test_label_that_names_the_example_holds_its_entropy():
    codes = 60.0 * np.array([[-1, -1, 1, 1], [-1, 1, -1, 1]])
    found = information(pair_of(Categorical(num_classes=4), dense(codes)), FAIR)["z"]
    np.testing.assert_allclose(found, [np.log(4)], atol=1e-12)


def test_ladder_equals_enumeration_where_parents_are_sampled():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 1)), rng.normal(size=(3, 2))
    families = {"x": Bernoulli(2), "z0": Bernoulli(1), "z1": Bernoulli(2)}
    decoder = [
        Factor("z0"),
        Factor("z1", given="z0", network=keras.layers.Dense(2)),
        Factor("x", given="z1", network=keras.layers.Dense(2)),
    ]
    joined = keras.Sequential([keras.layers.Flatten(), dense(second)])
    inputs = [keras.Input((2,)), keras.Input((1,))]
    network = keras.Model(inputs, joined(keras.layers.Concatenate()(inputs)))
    encoder = [
        Factor("z0", given="x", network=dense(first)),
        Factor("z1", given=("x", "z0"), network=network),
    ]
    pair = Pair(
        Player(decoder, families=families, name="decoder"),
        Player(encoder, families=families, name="encoder"),
    )
    data = np.tile(FAIR, (400, 1))
    found = information(pair, data, seed=3)

    def entropy(p):
        return -p * np.log(p) - (1 - p) * np.log(1 - p)

    x = 2.0 * FAIR[:4] - 1.0
    q0 = 1 / (1 + np.exp(-x @ first))[:, 0]
    weights, rows = [], []
    for n, bit in itertools.product(range(4), (0, 1)):
        weights.append((q0[n] if bit else 1 - q0[n]) / 4)
        rows.append(1 / (1 + np.exp(-np.append(x[n], 2.0 * bit - 1.0) @ second)))
    weights, rows = np.array(weights)[:, None], np.array(rows)
    exact = entropy((weights * rows).sum(0)) - (weights * entropy(rows)).sum(0)
    np.testing.assert_allclose(found["z0"], entropy(q0.mean()) - entropy(q0).mean(), atol=1e-6)
    np.testing.assert_allclose(found["z1"], exact, atol=5e-3)
    np.testing.assert_array_equal(information(pair, data, seed=3)["z1"], found["z1"])


def test_other_families_are_left_out_and_missing_data_refused():
    pair = pair_of(Normal(2), dense(np.zeros((2, 4))))
    assert information(pair, FAIR) == {}
    with pytest.raises(ValueError, match="needs \\['x'\\]"):
        information(pair, {"z": np.zeros((3, 2), np.float32)})
    with pytest.raises(ValueError, match="chunk is a positive integer; received"):
        information(pair, FAIR, chunk=2.5)
