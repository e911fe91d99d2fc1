"""Tests against enumeration: probabilities, gradients and bounds of tiny binary pairs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import ELBO, Factor, Pair, Player, SymmetricEquilibrium
from keras_symvae.families import Bernoulli, Normal
from tests.enumeration import Exact, bits, tiny

ORDERS = ("ladder", "reverse")
MULTIPLICITIES = np.random.default_rng(5).integers(1, 9, size=16)
DATA = MULTIPLICITIES / MULTIPLICITIES.sum()


def images(exact, times):
    """Images [B, ...] whose frequencies are DATA, exactly."""
    return np.repeat(exact.images, times * MULTIPLICITIES, axis=0)


def step_gradients(learner, values, *, repeats):
    """Ascent directions of `train_step` as taken by plain gradient descent: {path: [R, ...]}."""
    learner.compile(keras.optimizers.SGD(1.0))
    variables = learner.pair.trainable_variables
    start = [variable.numpy() for variable in variables]
    step = tf.function(learner.train_step)
    found = {variable.path: [] for variable in variables}
    for _ in range(repeats):
        step(values)
        for variable, value in zip(variables, start, strict=True):
            found[variable.path].append(variable.numpy() - value)
            variable.assign(value)
    return {path: np.stack(moves) for path, moves in found.items()}


def assert_unbiased(sampled, exact):
    """Means of repeated gradients lie within 5 standard errors; their sizes agree overall."""
    scores = []
    for variable, gradient in exact:
        moves = sampled[variable.path]
        error = moves.std(0, ddof=1) / np.sqrt(len(moves))
        gap = np.abs(moves.mean(0) - gradient.numpy())
        assert (gap <= 5.5 * error + 1e-5).all(), (variable.path, gap.max(), error)
        scores.append((gap / (error + 1e-5)).ravel())
    assert np.sqrt(np.mean(np.square(np.concatenate(scores)))) < 1.4
    assert max(np.abs(gradient).max() for _, gradient in exact) > 0.05  # not a test of zeros


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_probabilities_sum_to_one(order):
    exact = Exact(tiny(order))
    np.testing.assert_allclose(np.exp(exact.log_p()).sum(), 1.0, atol=1e-5)
    np.testing.assert_allclose(np.exp(exact.log_q()).sum(axis=1), 1.0, atol=1e-5)


def test_ladder_encoder_is_the_prior_times_a_likelihood_term():
    exact = Exact(tiny("ladder"))
    log_prior = tf.reduce_logsumexp(exact.log_p(), axis=0)
    # log q(z|x) - log p(z) is linear in the bits of z1 for every x and z0, up to a constant.
    term = np.reshape(exact.log_q() - log_prior, [16, 4, 8])
    design = np.hstack([bits(3), np.ones((8, 1))])
    rest = term - term @ np.linalg.pinv(design).T @ design.T
    np.testing.assert_allclose(rest, 0.0, atol=1e-4)


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_symmetric_gradients_are_the_enumerated_ones(order):
    exact = Exact(tiny(order), DATA)
    values = {"x": images(exact, 40)}
    sampled = step_gradients(SymmetricEquilibrium(exact.pair), values, repeats=60)
    assert_unbiased(sampled, exact.symmetric_gradients())


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_costs_are_the_enumerated_ones(order):
    exact = Exact(tiny(order), DATA)
    values = {"x": tf.constant(images(exact, 400))}
    learner = SymmetricEquilibrium(exact.pair)
    decoder = learner.decoder_utility(values, tf.constant([1, 2]))[0].numpy()
    encoder = learner.encoder_utility(values, tf.constant([1, 2]))[0].numpy()
    for gain, utility in ((decoder, exact.decoder_utility()), (encoder, exact.encoder_utility())):
        assert abs(gain.mean() - utility) < 5 * gain.std() / np.sqrt(len(gain))


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_elbo_is_a_bound_and_its_loss_is_unbiased(order):
    exact = Exact(tiny(order), DATA)
    log_q = exact.log_q()
    bounds = tf.reduce_sum(tf.exp(log_q) * (exact.log_p() - log_q), axis=1)
    assert np.all(bounds < exact.log_evidence())
    gain = ELBO(exact.pair).utility({"x": tf.constant(images(exact, 400))}, tf.constant([1, 2]))[0]
    error = np.std(gain) / np.sqrt(len(gain))
    assert abs(np.mean(gain) - exact.elbo()) < 5 * error


def single(latent, image):
    """p(z) p(x | z) and q(z | x) with linear networks and random weights."""
    families = {"x": image, "z": latent}
    units = {name: int(np.prod(family.raw_shape)) for name, family in families.items()}
    pair = Pair(
        Player(
            [Factor("z"), Factor("x", given="z", network=keras.layers.Dense(units["x"]))],
            families=families,
            name="decoder",
        ),
        Player(
            [Factor("z", given="x", network=keras.layers.Dense(units["z"]))],
            families=families,
            name="encoder",
        ),
    )
    rng = np.random.default_rng(4)
    for variable in pair.trainable_variables:
        variable.assign(0.5 * rng.normal(size=variable.shape))
    return pair


REAL = np.random.default_rng(6).normal(size=(5, 2)).astype(np.float32)


def test_elbo_gradient_of_normal_latents_is_the_closed_form():
    pair = single(Normal(2), Normal(2, scale="shared"))

    def elbo():
        # -log p(x | z) is quadratic in z, so that its mean needs mean and variance of q alone.
        reads = {"x": tf.constant(REAL)}
        weighted, precision = pair.encoder.eta("z", reads)
        mean, variance = weighted / precision, 1 / precision
        dense = pair.decoder.factor("x").network
        noise = tf.exp(2.0 * tf.convert_to_tensor(pair.decoder.factor("x").shared))
        square = tf.square(REAL - dense(mean)) + variance @ tf.square(dense.kernel)
        log_p = -0.5 * tf.reduce_sum(square / noise + tf.math.log(2 * np.pi * noise), axis=1)
        kl = 0.5 * tf.reduce_sum(variance + mean**2 - 1 - tf.math.log(variance), axis=1)
        return tf.reduce_mean(log_p - kl)

    sampled = step_gradients(ELBO(pair), {"x": np.tile(REAL, (800, 1))}, repeats=60)
    assert_unbiased(sampled, gradients(pair, elbo))


def test_elbo_gradient_of_bits_is_exact_where_the_cost_is_quadratic():
    pair = single(Bernoulli(3), Normal(2, scale=0.8))
    states = tf.constant(bits(3))

    def elbo():
        logits = pair.encoder.eta("z", {"x": tf.constant(REAL)})[:, None, :]
        log_q = tf.reduce_sum(
            states * tf.math.log_sigmoid(logits) + (1 - states) * tf.math.log_sigmoid(-logits), -1
        )
        mean = pair.decoder.factor("x").network(2 * states - 1)
        square = tf.reduce_sum(tf.square((REAL[:, None] - mean) / 0.8), -1)
        log_p = -0.5 * square - np.log(2 * np.pi * 0.64) + 3 * np.log(0.5)
        return tf.reduce_mean(tf.reduce_sum(tf.exp(log_q) * (log_p - log_q), axis=1))

    values = {"x": np.tile(REAL, (800, 1))}
    assert_unbiased(step_gradients(ELBO(pair), values, repeats=60), gradients(pair, elbo))
    plain = step_gradients(ELBO(pair, estimator="straight_through"), values, repeats=60)
    # Straight-through is biased even here, which is why it is not the default.
    with pytest.raises(AssertionError):
        assert_unbiased(plain, gradients(pair, elbo))


def gradients(pair, utility):
    variables = pair.trainable_variables
    with tf.GradientTape() as tape:
        value = utility()
    found = tape.gradient(value, [variable.value for variable in variables])
    return list(zip(variables, found, strict=True))
