"""Tests of the factors: what they emit, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import Factor, ImplicitFactor, families, seeds, testing
from keras_symvae.model import factors
from keras_symvae.model.factors import Conditional

Dense = keras.layers.Dense


def two_inputs(first, second, units):
    inputs = [keras.Input((first,)), keras.Input((second,))]
    return keras.Model(inputs, Dense(units)(keras.layers.Concatenate()(inputs)))


SHAPES = {"x": (3,), "y": (2,), "a": (4,)}
FACTORS = {
    "root": (lambda: Factor("z"), families.Bernoulli(2)),
    "learned root": (lambda: Factor("z", learned=True), families.Normal(2)),
    "one input": (lambda: Factor("z", given="x", network=Dense(4)), families.Normal((1, 2))),
    "two inputs": (
        lambda: Factor("z", given=("x", "y"), network=two_inputs(3, 2, 6)),
        families.Categorical(2, num_classes=3),
    ),
    "activation": (lambda: Factor("z", given="a", tilt=False), families.Normal(2)),
    "shared scale": (
        lambda: Factor("z", given="x", network=Dense(2)),
        families.Normal(2, scale="shared"),
    ),
    "implicit": (
        lambda: ImplicitFactor("z", given="x", network=two_inputs(3, 2, 4), noise_shape=2),
        families.Normal(4),
    ),
    "implicit without noise": (
        lambda: ImplicitFactor("z", given="x", network=Dense(2), noise_shape=None),
        families.Normal(2),
    ),
    "implicit root": (
        lambda: ImplicitFactor("z", network=Dense(4), noise_shape=(5,)),
        families.Normal((2, 2)),
    ),
}


def test_the_table_holds_every_kind():
    kinds = {
        part
        for part in vars(factors).values()
        if isinstance(part, type) and issubclass(part, Conditional) and part is not Conditional
    }
    assert kinds == {type(make()) for make, _ in FACTORS.values()}


@pytest.mark.parametrize(("make", "family"), FACTORS.values(), ids=FACTORS)
def test_factor(make, family):
    testing.run_factor_test(make(), family=family, shapes=SHAPES)


def test_eta_is_natural_of_the_network_of_features():
    network, family = Dense(4), families.Normal(2)
    factor = Factor("z", given="x", network=network)
    factor.bind(family, SHAPES)
    reads = {"x": tf.constant(np.random.default_rng(0).normal(size=(5, 3)), tf.float32)}
    expected = family.natural(network(reads["x"]))
    for part, other in zip(factor.natural(reads, 5), expected, strict=True):
        np.testing.assert_array_equal(part, other)


def test_roots_are_the_reference_member_or_learned():
    plain, learned = Factor("z"), Factor("z", learned=True)
    for factor in (plain, learned):
        factor.bind(families.Bernoulli(2), {})
        np.testing.assert_array_equal(factor.natural({}, 3), np.zeros((3, 2)))
    assert len(plain.weights) == 0 and len(learned.trainable_weights) == 1
    learned.raw.assign([1.0, -2.0])
    np.testing.assert_array_equal(learned.natural({}, 3), [[1.0, -2.0]] * 3)


def test_a_shared_scale_is_learned():
    factor = Factor("z", given="x", network=Dense(2))
    factor.bind(families.Normal(2, scale="shared"), SHAPES)
    with tf.GradientTape() as tape:
        eta = factor.natural({"x": tf.ones([5, 3])}, 5)
        score = tf.reduce_mean(factor.family.log_prob(eta, tf.zeros([5, 2])))
    assert np.any(tape.gradient(score, factor.shared.value))


def test_implicit_draws_have_gradients():
    factor = ImplicitFactor("z", given="x", network=two_inputs(3, 2, 4), noise_shape=2)
    factor.bind(families.Normal(4), SHAPES)
    x = tf.Variable(tf.ones([5, 3]))
    with tf.GradientTape() as tape:
        value = factor.rsample({"x": x}, 5, seeds.make(0))
    gradients = tape.gradient(value, [x, *(v.value for v in factor.trainable_variables)])
    assert all(gradient is not None and np.any(gradient) for gradient in gradients)


def bound(factor, family=None):
    factor.bind(family or families.Bernoulli(2), SHAPES)


REFUSED = {
    "width": (
        lambda: bound(Factor("z", given="x", network=Dense(3))),
        r"'z' emits shape \(None, 3\); Bernoulli.* reads \(2,\)",
    ),
    "width of an activation": (lambda: bound(Factor("z", given="a")), r"'z' emits.*\(None, 4\)"),
    "width of an implicit one": (
        lambda: bound(ImplicitFactor("z", network=Dense(3), noise_shape=2)),
        r"'z' emits shape \(None, 3\)",
    ),
    "learned with inputs": (
        lambda: Factor("z", given="x", network=Dense(2), learned=True),
        r"'z' is learned.*given=\('x',\)",
    ),
    "learned with a network": (lambda: Factor("z", network=Dense(2), learned=True), "'z'.*network"),
    "two inputs without a network": (
        lambda: Factor("z", given=("x", "y")),
        r"'z' needs a network to read \('x', 'y'\)",
    ),
    "a network without inputs": (lambda: Factor("z", network=Dense(2)), "'z'.*nothing is given"),
    "no sampler": (lambda: ImplicitFactor("z", noise_shape=2), "'z' needs a network"),
}


@pytest.mark.parametrize(("make", "match"), REFUSED.values(), ids=REFUSED)
def test_wrong_factors_are_refused_by_name(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_without_noise_a_value_is_a_function_of_what_is_given():
    factor = ImplicitFactor("z", given="x", network=Dense(2), noise_shape=None)
    factor.bind(families.Normal(2), SHAPES)
    reads = {"x": tf.random.stateless_normal([4, 3], [0, 0])}
    draws = [factor.rsample(reads, 4, seeds.make(seed)) for seed in (0, 1)]
    np.testing.assert_array_equal(*draws)
    np.testing.assert_array_equal(draws[0], factor.network(reads["x"]))
    with pytest.raises(ValueError, match="neither noise nor anything given"):
        ImplicitFactor("z", network=Dense(2), noise_shape=None)
