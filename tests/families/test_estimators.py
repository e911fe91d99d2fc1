"""Tests of the gradient estimators against gradients of enumerated expectations."""

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.families import estimators

SIZE = 40_000
LOGITS = np.float32([0.7, -1.2])


def mean_gradient(name, function, logits):
    """Returns the mean and standard error of d function(bits) / d logits, [D] each."""
    rows = tf.Variable(np.tile(logits, (SIZE, 1)))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(function(estimators.get(name).bits(rows, seeds.make(0))))
    gradient = tape.gradient(value, rows).numpy()
    return gradient.mean(axis=0, dtype=np.float64), gradient.std(axis=0) / np.sqrt(SIZE)


def exact_gradient(function, logits):
    """Returns d E[function(bits)] / d logits, all four values enumerated."""
    bits = np.float32([[0, 0], [0, 1], [1, 0], [1, 1]])
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        p = tf.sigmoid(variable)
        weights = tf.reduce_prod(bits * p + (1 - bits) * (1 - p), axis=1)
        mean = tf.reduce_sum(weights * function(tf.constant(bits)))
    return tape.gradient(mean, variable).numpy()


def linear(bits):
    return 3.0 * bits[:, 0] - 2.0 * bits[:, 1] + 1.0


def quadratic(bits):
    return 5.0 * bits[:, 0] ** 2 - bits[:, 0] + 0.5 * bits[:, 1] ** 2 + 2.0 * bits[:, 1]


def product(bits):
    return 4.0 * bits[:, 0] * bits[:, 1]


@pytest.mark.parametrize("function", [linear, quadratic, product])
def test_zgr_is_unbiased_for_quadratic_functions(function):
    mean, error = mean_gradient("zgr", function, LOGITS)
    assert np.all(np.abs(mean - exact_gradient(function, LOGITS)) < 5 * error + 1e-5)


def test_zgr_halves_the_slopes_at_both_values():
    """For one bit, E[(f'(1) (1-p) p + f'(0) p (1-p)) / 2] = p (1-p) (f(1) - f(0)) if quadratic."""
    logits = np.float32([0.4])
    mean, error = mean_gradient("zgr", lambda bits: bits[:, 0] ** 2, logits)
    p = 1 / (1 + np.exp(-logits))
    assert np.all(np.abs(mean - p * (1 - p)) < 5 * error + 1e-5)
    # For a cubic function the slopes 0 and 3 do not average to f(1) - f(0) = 1.
    mean, error = mean_gradient("zgr", lambda bits: bits[:, 0] ** 3, logits)
    assert np.all(np.abs(mean - 1.5 * p * (1 - p)) < 5 * error + 1e-5)


def test_straight_through_is_unbiased_for_linear_functions_only():
    mean, error = mean_gradient("straight_through", linear, LOGITS)
    assert np.all(np.abs(mean - exact_gradient(linear, LOGITS)) < 5 * error + 1e-5)
    mean, error = mean_gradient("straight_through", lambda bits: bits[:, 0] ** 2, LOGITS)
    bias = np.abs(mean - exact_gradient(lambda bits: bits[:, 0] ** 2, LOGITS))
    assert bias[0] > 10 * error[0]


@pytest.mark.parametrize("name", ["zgr", "straight_through"])
def test_hard_draws_follow_their_probabilities(name):
    estimator = estimators.get(name)
    logits = np.tile(LOGITS, (SIZE, 1))
    bits = estimator.bits(tf.constant(logits), seeds.make(1)).numpy()
    assert set(np.unique(np.round(bits, 5))) == {0.0, 1.0} and bits.dtype == np.float32
    np.testing.assert_allclose(bits.mean(axis=0), 1 / (1 + np.exp(-LOGITS)), atol=0.015)
    logits = np.tile(np.float32([0.1, 1.0, -0.5]), (SIZE, 1))
    codes = estimator.labels(tf.constant(logits), seeds.make(1)).numpy()
    assert codes.shape == (SIZE, 3) and codes.dtype == np.float32
    np.testing.assert_allclose(codes.max(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(codes.mean(axis=0), tf.nn.softmax(logits[0]), atol=0.015)


def labels_gradient(name, function, logits):
    rows = tf.Variable(np.tile(logits, (SIZE, 1)))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(function(estimators.get(name).labels(rows, seeds.make(2))))
    gradient = tape.gradient(value, rows).numpy()
    return gradient.mean(axis=0, dtype=np.float64), gradient.std(axis=0) / np.sqrt(SIZE)


@pytest.mark.parametrize("name", ["zgr", "straight_through"])
def test_label_estimators_are_unbiased_for_linear_functions(name):
    logits, weights = np.float32([0.3, -0.7, 1.1]), np.float32([2.0, -1.0, 0.5])
    mean, error = labels_gradient(name, lambda codes: tf.linalg.matvec(codes, weights), logits)
    p = np.exp(logits) / np.exp(logits).sum()
    exact = p * (weights - p @ weights)
    assert np.all(np.abs(mean - exact) < 5 * error + 1e-5)


def test_zgr_of_two_classes_is_zgr_of_a_bit():
    """With the same draw, logits (0, l) and l get the same gradient through any function."""
    logit = tf.Variable(np.random.default_rng(0).normal(size=(200, 1)).astype("float32"))
    with tf.GradientTape(persistent=True) as tape:
        two = tf.concat([tf.zeros_like(logit), logit], axis=1)
        from_label = estimators.get("zgr").labels(two, seeds.make(3))[:, 1:]
        label_value = tf.reduce_sum(tf.sin(3.0 * from_label))
        bit_like = estimators.get("zgr").bits(logit, seeds.make(3))
    gradient = tape.gradient(label_value, logit).numpy()
    p = tf.sigmoid(logit).numpy()
    hard = np.round(from_label.numpy())
    jacobian = (hard * (1 - p) + (1 - hard) * p) / 2
    np.testing.assert_allclose(gradient, 3 * np.cos(3 * hard) * jacobian, rtol=1e-4, atol=1e-6)
    hard = np.round(bit_like.numpy())
    jacobian = (hard * (1 - p) + (1 - hard) * p) / 2
    np.testing.assert_allclose(tape.gradient(bit_like, logit), jacobian, rtol=1e-4, atol=1e-6)


def test_gumbel_softmax_differentiates_its_relaxed_objective_exactly():
    """The pathwise gradient equals the finite difference with common random numbers."""
    estimator, step = estimators.get("gumbel_softmax:0.7"), 1e-2
    for draw, logits in (
        (estimator.bits, np.random.default_rng(1).normal(size=(300, 2))),
        (estimator.labels, np.random.default_rng(1).normal(size=(300, 3))),
    ):

        def objective(logits, draw=draw):
            return tf.reduce_mean(tf.reduce_sum(draw(logits, seeds.make(4)) ** 3, axis=-1))

        shift = tf.Variable(np.zeros(logits.shape[1], "float32"))
        with tf.GradientTape() as tape:
            value = objective(tf.constant(logits, tf.float32) + shift)
        gradient = tape.gradient(value, shift).numpy()
        for index, unit in enumerate(np.eye(logits.shape[1])):
            high, low = (
                objective(tf.constant(logits + s * unit, tf.float32)) for s in (step, -step)
            )
            np.testing.assert_allclose(gradient[index], (high - low) / (2 * step), atol=2e-3)


def test_gumbel_softmax_hardens_as_it_cools():
    logits = tf.constant(np.tile(LOGITS, (SIZE, 1)))
    cold = estimators.get("gumbel_softmax:0.01").bits(logits, seeds.make(5)).numpy()
    assert np.mean((cold > 0.01) & (cold < 0.99)) < 0.03
    np.testing.assert_allclose(cold.mean(axis=0), 1 / (1 + np.exp(-LOGITS)), atol=0.015)
    warm = estimators.get("gumbel_softmax:2").bits(logits, seeds.make(5)).numpy()
    assert np.all((warm > 0) & (warm < 1))


def test_names():
    assert estimators.get(None).name == estimators.get("zgr").name == "zgr"
    assert estimators.get("gumbel_softmax").name == "gumbel_softmax"


UNKNOWN = ("reinforce", "gumbel_softmax:0", "gumbel_softmax:-1", "gumbel_softmax:warm", "zgr:2")


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match=r"Unknown estimator.*zgr, straight_through, gumbel"):
        estimators.get(name)
