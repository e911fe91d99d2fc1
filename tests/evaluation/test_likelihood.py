"""Tests of the importance-weighted log-likelihood against enumeration."""

import keras
import numpy as np
import pytest

from keras_symvae import ELBO, Factor, ImplicitFactor, Pair, Player
from keras_symvae.evaluation.likelihood import log_likelihood
from keras_symvae.families import Bernoulli, Categorical, Normal
from tests.enumeration import Exact, tiny

ORDERS = ("ladder", "reverse")


@pytest.mark.parametrize("order", ORDERS)
def test_converges_to_the_exact_log_likelihood(order):
    exact = Exact(tiny(order))
    errors = {}
    for k in (100, 20_000):
        estimate = log_likelihood(exact.pair, exact.images, num_samples=k, chunk=16_000)
        errors[k] = np.abs(estimate - exact.log_evidence())
        assert estimate.dtype == np.float64
    assert (errors[20_000] < 5 * standard_error(exact, 20_000)).all()
    assert errors[20_000].mean() < errors[100].mean() / 4


def standard_error(exact, k):
    """That of log of the mean of k importance weights, from their exact variance."""
    log_p = np.float64(exact.log_p())
    second_moment = np.exp(2 * log_p - np.float64(exact.log_q())).sum(1)
    return np.sqrt((second_moment / np.exp(log_p).sum(1) ** 2 - 1) / k)


@pytest.mark.parametrize("order", ORDERS)
def test_is_a_lower_bound_that_grows_with_k(order):
    exact = Exact(tiny(order))
    images = np.repeat(exact.images, 1000, axis=0)
    means, errors = [], []
    for k in (1, 4, 16):
        estimate = log_likelihood(exact.pair, images, num_samples=k, chunk=16_000)
        means.append(estimate.mean())
        errors.append(estimate.std() / np.sqrt(len(images)))
    assert means[0] + 3 * errors[0] < means[1] - 3 * errors[1]
    assert means[1] + 3 * errors[1] < means[2] - 3 * errors[2]
    assert means[2] - 5 * errors[2] < np.mean(exact.log_evidence())


@pytest.mark.parametrize("order", ORDERS)
def test_one_sample_is_the_elbo(order):
    pair = tiny(order)
    images = np.repeat(Exact(pair).images, 1000, axis=0)
    learner = ELBO(pair)
    learner.compile()
    loss = learner.evaluate(images, batch_size=4000, return_dict=True, verbose=0)["loss"]
    single = learner.log_likelihood(images, num_samples=1)
    error = single.std() / np.sqrt(len(images))
    # Both are sampled; the learner's analytic terms do not add to its variance.
    assert abs(single.mean() + loss) < 5 * np.sqrt(2) * error


def test_repeatable_for_any_split_into_chunks():
    pair = tiny("ladder")
    images = Exact(pair).images
    first = log_likelihood(pair, images, num_samples=50, seed=3, chunk=7)
    np.testing.assert_array_equal(
        log_likelihood(pair, images, num_samples=50, seed=3, chunk=7), first
    )
    assert (log_likelihood(pair, images, num_samples=50, seed=4, chunk=7) != first).all()
    # 23 rounds of 900 draws and a rest of 203: none may be lost or counted twice.
    exact = Exact(pair)
    for chunk in (16 * 900, 5 * 900):
        other = log_likelihood(pair, images, num_samples=20_903, seed=3, chunk=chunk)
        errors = np.abs(other - exact.log_evidence())
        assert (errors < 5 * standard_error(exact, 20_903)).all()


def classifier():
    """p(y) p(z) p(x | y, z), q(y | x) q(z | x)."""
    families = {"x": Bernoulli(2), "y": Categorical(num_classes=3), "z": Bernoulli(1)}

    def network(shapes, units):
        inputs = [keras.Input(shape) for shape in shapes]
        return keras.Model(
            inputs, keras.layers.Dense(units)(keras.layers.Concatenate()(inputs) * 2.0)
        )

    decoder = [
        Factor("y"),
        Factor("z"),
        Factor("x", given=("y", "z"), network=network([(3,), (1,)], 2)),
    ]
    encoder = [
        Factor("y", given="x", network=keras.layers.Dense(3)),
        Factor("z", given="x", network=keras.layers.Dense(1)),
    ]
    return Pair(
        Player(decoder, families=families, name="decoder"),
        Player(encoder, families=families, name="encoder"),
    )


def test_given_latents_are_scored_with_the_data():
    pair = classifier()
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 3, np.float32)
    y = np.repeat([0, 1, 2], 4).astype(np.int32)
    joint = 0.0
    for bit in (0.0, 1.0):
        z = np.full((12, 1), bit, np.float32)
        joint += np.exp(sum(pair.decoder.log_prob(pair.values({"x": x, "y": y, "z": z})).values()))
    estimate = log_likelihood(pair, {"x": x, "y": y}, num_samples=20_000, chunk=60_000)
    np.testing.assert_allclose(estimate, np.log(joint), atol=0.06)
    with pytest.raises(ValueError, match="'y' is missing in 1 examples"):
        log_likelihood(pair, {"x": x, "y": np.where(np.arange(12) == 5, -1, y)})
    with pytest.raises(ValueError, match="needs \\['x'\\]"):
        log_likelihood(pair, {"y": y})


def test_normal_latents_meet_the_closed_form():
    families = {"x": Normal(2, scale=0.5), "z": Normal(1)}
    decoder = [Factor("z"), Factor("x", given="z", network=keras.layers.Dense(2))]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(2))]
    pair = Pair(
        Player(decoder, families=families, name="decoder"),
        Player(encoder, families=families, name="encoder"),
    )
    x = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    kernel = pair.decoder.trainable_variables[0].numpy()
    covariance = kernel.T @ kernel + 0.25 * np.eye(2)
    quadratic = np.einsum("ni,ij,nj->n", x, np.linalg.inv(covariance), x)
    expected = -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])
    estimate = log_likelihood(pair, x, num_samples=50_000, chunk=50_000)
    np.testing.assert_allclose(estimate, expected, atol=0.1)


class Noise:
    """A prior of one bit."""

    names = ("z",)

    def sample(self, size, *, seed):
        raise NotImplementedError


def test_refuses_what_has_no_density():
    families = {"x": Bernoulli(2), "z": Normal(1)}
    paint = Factor("x", given="z", network=keras.layers.Dense(2))
    implicit = ImplicitFactor("z", given="x", network=Sum(), noise_shape=1)
    pair = Pair(
        Player([Factor("z"), paint], families=families, name="decoder"),
        Player([implicit], families=families, name="encoder"),
    )
    with pytest.raises(ValueError, match="encoder factor 'z' is implicit"):
        log_likelihood(pair, np.zeros((3, 2), np.float32))
    pair = tiny("ladder")
    for options in ({"num_samples": 0}, {"chunk": 0}):
        with pytest.raises(ValueError, match="positive"):
            log_likelihood(pair, np.zeros((1, 2, 2, 1), np.float32), **options)
    pair.prior = Noise()
    with pytest.raises(ValueError, match="known only by samples"):
        log_likelihood(pair, np.zeros((1, 2, 2, 1), np.float32))


class Sum(keras.layers.Layer):
    """The first input and the noise, added and summed."""

    def build(self, input_shape):
        self.built = True

    def call(self, inputs):
        return keras.ops.sum(inputs[0], axis=-1, keepdims=True) + inputs[1]
