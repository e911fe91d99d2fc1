"""Tests of annealed importance sampling against linear Gaussian pairs, whose p(x) is known."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from keras_symvae import Factor, ImplicitFactor, Pair, Player
from keras_symvae.evaluation import log_likelihood
from keras_symvae.evaluation.annealing import annealed_log_likelihood
from keras_symvae.families import Bernoulli, Categorical, Normal

STARTS = ("prior", "encoder")


class Shake(keras.layers.Layer):
    """A linear function of the first input, and the noise: a sampler without a density."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[0][-1], self.units))
        self.built = True

    def call(self, inputs):
        return 0.2 * keras.ops.matmul(inputs[0], self.kernel) + inputs[1]


def linear(units, *, stddev=0.7):
    start = keras.initializers.RandomNormal(stddev=stddev, seed=units)
    dense = keras.layers.Dense(units, kernel_initializer=start, bias_initializer=start)
    return keras.Sequential([keras.layers.Flatten(), dense])


def pair_of(families, decoder, encoder):
    return Pair(
        Player(decoder, families=families, name="decoder"),
        Player(encoder, families=families, name="encoder"),
    )


def flat():
    """p(z) p(x | z), and a sampler as encoder."""
    families = {"x": Normal(4, scale=0.6), "z": Normal(3)}
    decoder = [Factor("z"), Factor("x", given="z", network=linear(4))]
    encoder = [ImplicitFactor("z", given="x", network=Shake(3), noise_shape=3)]
    return pair_of(families, decoder, encoder)


def deep():
    """p(z0) p(z1 | z0) p(x | z1), a tilted encoder, and values that networks read standardised."""
    families = {
        "x": Normal((2, 2), scale="shared", spread=0.5),
        "z0": Normal(2, scale=2.0, center=1.0, spread=2.0),
        "z1": Normal((3, 1), scale=0.5),
    }
    decoder = [
        Factor("z0"),
        Factor("z1", given="z0", network=linear(3)),
        Factor("x", given="z1", network=linear(4)),
    ]
    encoder = [
        Factor("z0", given="x", network=linear(2, stddev=0.2)),
        Factor("z1", given="x", network=linear(3, stddev=0.2), tilt=True),
    ]
    return pair_of(families, decoder, encoder)


def labelled():
    """p(y) p(z | y) p(x | z), and q(y | x) q(z | x)."""
    families = {
        "x": Normal(3, scale=0.5),
        "y": Categorical((), num_classes=3),
        "z": Normal(2, scale=0.8),
    }
    decoder = [
        Factor("y"),
        Factor("z", given="y", network=linear(2)),
        Factor("x", given="z", network=linear(3)),
    ]
    encoder = [Factor(n, given="x", network=linear(u)) for n, u in {"y": 3, "z": 2}.items()]
    return pair_of(families, decoder, encoder)


def exact(pair, x, *, y=None):
    """Returns log p(x), or log p(x | y) of one label: every factor is affine in the one before."""
    names = [name for name in pair.decoder.names if name != "y"]
    values = {} if y is None else {"y": tf.constant([y])}
    mean, covariance = np.zeros(1), np.zeros((1, 1))  # of nothing yet
    for index, name in enumerate(names):
        probes = np.float32(
            mean + np.eye(len(mean) + 1, len(mean), -1)
        )  # the mean, and steps off it
        if index:
            parent = pair.families[names[index - 1]]
            values = {names[index - 1]: tf.constant(probes.reshape(-1, *parent.shape))}
        size = len(probes) if index else 1
        law = pair.families[name].distribution(pair.decoder.eta(name, values, size=size))
        means = np.float64(law.mean()).reshape(size, -1)
        noise = np.diag(np.float64(law.stddev()).reshape(size, -1)[0] ** 2)
        slopes = means[1:] - means[0] if index else np.zeros((1, means.shape[1]))
        mean, covariance = means[0], slopes.T @ covariance @ slopes + noise
    return scipy.stats.multivariate_normal(mean, covariance).logpdf(x.reshape(len(x), -1))


def dreams(pair, size=16):
    return pair.generate(size, seed=1)["x"]


@pytest.mark.slow  # 400 steps; unbiased weights of few are tested below
@pytest.mark.parametrize("start", STARTS)
def test_closes_in_on_the_exact_log_likelihood(start):
    pair = deep()
    x = dreams(pair)
    options = {"start": start, "num_chains": 16}
    errors = {}
    for steps in (5, 400):
        estimate = annealed_log_likelihood(pair, x, num_steps=steps, **options)
        assert estimate.dtype == np.float64 and estimate.shape == (16,)
        errors[steps] = estimate - exact(pair, x)
    assert abs(errors[400].mean()) < 0.05
    assert np.abs(errors[400]).mean() < min(0.1, np.abs(errors[5]).mean() / 3)


@pytest.mark.parametrize("start", STARTS)
def test_weights_are_unbiased_however_few_the_steps(start):
    pair = flat()
    x = dreams(pair, 4)
    options = {"num_chains": 20_000, "chunk": 80_000, "start": start, "step_size": 0.5}
    estimate = annealed_log_likelihood(pair, x, num_steps=5, **options)
    np.testing.assert_allclose(estimate, exact(pair, x), atol=0.05)


def test_is_a_lower_bound_on_average():
    pair = flat()
    x = np.repeat(dreams(pair, 4), 200, axis=0)
    gaps = [
        annealed_log_likelihood(pair, x, num_steps=steps, num_chains=1, chunk=2000) - exact(pair, x)
        for steps in (20, 320)
    ]
    errors = [gap.std() / np.sqrt(len(gap)) for gap in gaps]
    assert gaps[0].mean() + 3 * errors[0] < gaps[1].mean() - 3 * errors[1]
    assert gaps[1].mean() < 3 * errors[1]


def test_agrees_with_importance_weighting_where_nothing_is_gaussian():
    families = {"x": Bernoulli(6), "z": Normal(2)}
    hidden = keras.layers.Dense(8, "tanh", kernel_initializer=keras.initializers.RandomNormal(1.0))
    decoder = [Factor("z"), Factor("x", given="z", network=keras.Sequential([hidden, linear(6)]))]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(4, kernel_initializer="zeros"))]
    pair = pair_of(families, decoder, encoder)
    x = dreams(pair)
    weighted = log_likelihood(pair, x, num_samples=50_000, chunk=80_000)
    annealed = annealed_log_likelihood(pair, x, num_steps=200, num_chains=16)
    np.testing.assert_allclose(annealed, weighted, atol=0.1)
    assert abs((annealed - weighted).mean()) < 0.03


def test_given_latents_are_scored_with_the_data():
    pair = labelled()
    x, y = dreams(pair, 9), np.arange(9, dtype=np.int32) % 3
    estimate = annealed_log_likelihood(pair, {"x": x, "y": y}, num_steps=200, num_chains=32)
    expected = [exact(pair, x[i : i + 1], y=y[i]) - np.log(3) for i in range(9)]
    np.testing.assert_allclose(estimate, np.ravel(expected), atol=0.15)
    with pytest.raises(ValueError, match="so they are Normal; 'y' is Categorical"):
        annealed_log_likelihood(pair, x)
    with pytest.raises(ValueError, match=r"needs \['x'\]"):
        annealed_log_likelihood(pair, {"y": y})
    z = np.zeros((9, 2), np.float32)
    with pytest.raises(ValueError, match=r"hold every latent, \['y', 'z'\]"):
        annealed_log_likelihood(pair, {"x": x, "y": y, "z": z})


@pytest.mark.slow  # traces once a chunk; tests/evaluation/test_likelihood.py has the same loop
def test_repeatable_for_any_split_into_chunks():
    pair = deep()
    x = dreams(pair, 5)

    def ask(**options):
        return annealed_log_likelihood(pair, x, num_chains=4, num_steps=100, **options)

    first = ask(seed=3)
    np.testing.assert_array_equal(ask(seed=3), first)
    assert (ask(seed=4) != first).all()
    for estimate in (first, ask(seed=3, chunk=8)):  # all at once; two, two and one example
        np.testing.assert_allclose(estimate, exact(pair, x), atol=0.5)


class Noise:
    """A prior of one number."""

    names = ("z",)


def test_refuses_what_it_cannot_do():
    pair = flat()
    x = np.zeros((1, 4), np.float32)
    for options in ({"num_chains": 0}, {"num_steps": 0}, {"chunk": 0}, {"step_size": -1.0}):
        name = next(iter(options))
        with pytest.raises(ValueError, match=f"{name} is a positive (integer|number); received"):
            annealed_log_likelihood(pair, x, **options)
    with pytest.raises(ValueError, match=r"start is one of .* received 'posterior'"):
        annealed_log_likelihood(pair, x, start="posterior")
    pair.prior = Noise()
    with pytest.raises(ValueError, match="known only by samples"):
        annealed_log_likelihood(pair, x)
    paint = ImplicitFactor("x", given="z", network=Shake(4), noise_shape=4)
    encoder = [Factor("z", given="x", network=linear(8))]
    pair = pair_of({"x": Normal(4), "z": Normal(4)}, [Factor("z"), paint], encoder)
    with pytest.raises(ValueError, match=r"annealed_log_likelihood .* factor 'x' is implicit"):
        annealed_log_likelihood(pair, x)
