"""Tests of f-GANs: the bound and its signs, its gradient at the best critic, and the penalty."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from keras_symvae import (
    FGAN,
    Critic,
    Factor,
    ImplicitFactor,
    Pair,
    Player,
    SymmetricEquilibrium,
    families,
    seeds,
)
from keras_symvae.learners.adversarial import divergences
from tests import cases

SEED = seeds.make(3)
SHIFT, SPREAD = 0.5, 0.9  # of the data N(SHIFT, SPREAD^2); dreams are N(0, 1)


def pair(size=1, *, encoder=None, x=None, z=None):
    """Returns a pair with x = mean + spread z, at first x = z, and q(z | x) linear."""
    known = {"x": x or families.Normal(size), "z": z or families.Normal(size)}
    if x is None:
        network = keras.layers.Dense(size, kernel_initializer="identity")
        decoder = ImplicitFactor("x", given="z", network=network, noise_shape=None)
    else:
        decoder = Factor("x", given="z", network=keras.layers.Dense(size))
    encoder = encoder or Factor("z", given="x", network=keras.layers.Dense(2 * size))
    return Pair(
        Player([Factor("z"), decoder], families=known, name="decoder"),
        Player([encoder], families=known, name="encoder"),
    )


def linear(slope):
    """Returns T(x) = <slope, x>."""
    start = keras.initializers.Constant(np.reshape(slope, (-1, 1)))
    return Critic("x", network=keras.layers.Dense(1, kernel_initializer=start, use_bias=False))


def quadratic():
    """Returns a critic of one number that is any polynomial of degree two."""
    x = keras.Input((1,))
    powers = keras.layers.Concatenate()([x, x * x])
    output = keras.layers.Dense(1, kernel_initializer="zeros")(powers)
    return Critic("x", network=keras.Model(x, output))


def quantiles(size):
    """Returns x [size, 1] at equal probabilities of N(SHIFT, SPREAD^2)."""
    share = (np.arange(size) + 0.5) / size
    return scipy.stats.norm.ppf(share, SHIFT, SPREAD).astype("float32")[:, None]


@pytest.mark.quick
@pytest.mark.parametrize("name", sorted(divergences.DIVERGENCES))
def test_who_gains_by_what_the_critic_says(name):
    """All data are 0.3 and all dreams -0.2: w (g(T(0.3)) - f*(g(T(-0.2)))) with w = 1.5, T = 2 x.

    The critic gains it, the decoder loses it, or gains w g(T(-0.2)) where it must not saturate.
    """
    own, f = pair(), divergences.get(name)
    own.decoder.set_weights([np.zeros((1, 1)), np.array([-0.2])])
    values = {"x": tf.fill([8, 1], 0.3)}
    of_data, of_dreams = tf.constant(0.6), tf.constant(-0.4)
    expected = 1.5 * (f.activation(of_data) - f.conjugate(f.activation(of_dreams)))
    options = {"divergence": name, "divergence_weight": 1.5, "critic": linear(2.0)}
    learner = FGAN(own, **options)
    decoder, critic = learner.decoder_utility(values, SEED), learner.critic_utility(values, SEED)
    np.testing.assert_allclose(critic.gain, expected, rtol=1e-4)
    np.testing.assert_allclose(decoder.gain, -expected, rtol=1e-4)
    np.testing.assert_allclose(decoder.costs["decoder/divergence"], expected, rtol=1e-4)
    np.testing.assert_allclose(critic.costs["critic/loss"], -expected, rtol=1e-4)
    kept = FGAN(own, non_saturating=True, **options).decoder_utility(values, SEED)
    np.testing.assert_allclose(kept.gain, 1.5 * f.activation(of_dreams), rtol=1e-5)
    np.testing.assert_allclose(kept.costs["decoder/divergence"], expected, rtol=1e-4)


OVERLAP = np.sqrt(2.0 * SPREAD / (1.0 + SPREAD**2)) * np.exp(-0.25 * SHIFT**2 / (1.0 + SPREAD**2))
# Of data from dreams N(m, s^2) at m = 0, s = 1: the divergence, its slope in m, and that in s.
CLOSED = {
    "kl": (
        0.5 * (SPREAD**2 + SHIFT**2 - 1.0) - np.log(SPREAD),
        -SHIFT,
        1.0 - SPREAD**2 - SHIFT**2,
    ),
    "reverse_kl": (
        0.5 * ((1.0 + SHIFT**2) / SPREAD**2 - 1.0) + np.log(SPREAD),
        -SHIFT / SPREAD**2,
        1.0 / SPREAD**2 - 1.0,
    ),
    "squared_hellinger": (
        2.0 - 2.0 * OVERLAP,
        -OVERLAP * SHIFT / (1.0 + SPREAD**2),
        OVERLAP * (2.0 / (1.0 + SPREAD**2) - 1.0 - SHIFT**2 / (1.0 + SPREAD**2) ** 2),
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_the_best_critic_gives_the_divergence_and_its_slope(name):
    """What a decoder descends is, at the best critic, the divergence itself."""
    own = pair()
    own.trainable = False
    learner = FGAN(own, divergence=name, critic=quadratic(), divergence_weight=2.0)
    steps = 150
    rate = keras.optimizers.schedules.CosineDecay(0.1, steps)
    learner.compile({"critic": keras.optimizers.Adam(rate, beta_1=0.5)}, steps_per_execution=50)
    learner.fit(quantiles(2000), batch_size=2000, steps_per_epoch=steps, verbose=0)
    weights = [variable.value for variable in own.decoder.variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        outcome = learner.decoder_utility({"x": tf.constant(quantiles(100_000))}, SEED)
    found = outcome.costs["decoder/divergence"] / 2.0
    by_spread, by_mean = (-float(np.squeeze(g)) / 2.0 for g in tape.gradient(outcome.gain, weights))
    value, in_mean, in_spread = CLOSED[name]
    assert float(found) == pytest.approx(value, rel=0.08)
    assert by_mean == pytest.approx(in_mean, rel=0.08)
    assert by_spread == pytest.approx(in_spread, rel=0.1, abs=0.03)


@pytest.mark.parametrize("slope", [[0.3, 0.4], [0.9, 1.2]])
def test_the_penalty_is_for_what_is_steeper_than_one(slope):
    """d = w T has the slope w |a|, here 1 and 3; Pearson's activation is the identity."""
    values = {"x": tf.constant(np.random.default_rng(0).normal(size=(16, 2)), tf.float32)}
    options = {"divergence": "pearson", "divergence_weight": 2.0, "critic": linear(slope)}
    own = pair(2)
    free, bound = FGAN(own, **options), FGAN(own, gradient_penalty=10.0, **options)
    weight = bound.critic.trainable_variables[0].value
    gradients, losses = [], []
    for learner in (free, bound):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weight)
            losses.append(learner.critic_utility(values, SEED).costs["critic/loss"])
        gradients.append(tape.gradient(losses[-1], weight))
    steepness = 2.0 * np.linalg.norm(slope)
    excess = max(0.0, steepness - 1.0)
    np.testing.assert_allclose(losses[1] - losses[0], 10.0 * excess**2, rtol=1e-4, atol=1e-4)
    along = 20.0 * excess * 2.0 * np.reshape(slope, (-1, 1)) / np.linalg.norm(slope)
    np.testing.assert_allclose(gradients[1] - gradients[0], along, rtol=1e-4, atol=1e-3)


def test_the_encoder_plays_the_symmetric_game():
    own = pair(2, x=families.Normal(2, scale=1.0))
    values = {"x": tf.zeros([8, 2])}
    found = FGAN(own).encoder_utility(values, SEED)
    expected = SymmetricEquilibrium(own).encoder_utility(values, SEED)
    np.testing.assert_array_equal(found.gain, expected.gain)
    assert found.costs.keys() == {"encoder/z"}
    np.testing.assert_array_equal(found.costs["encoder/z"], expected.costs["encoder/z"])


def implicit():
    return ImplicitFactor("z", given="x", network=keras.layers.Dense(1), noise_shape=None)


REFUSED = {
    "an unknown divergence": (pair, {"divergence": "renyi"}, "Unknown divergence 'renyi'"),
    "an encoder without density": (
        lambda: pair(encoder=implicit()),
        {},
        "encoder factor 'z' is implicit",
    ),
    "data without a gradient": (
        lambda: pair(x=families.Bernoulli(1)),
        {},
        "gradient through draws of 'x'",
    ),
    "context": (cases.conditional, {}, r"\('y',\) is context"),
    "a critic of codes": (pair, {"critic": Critic(("x", "z"))}, r"reads \['z'\]"),
    "no weight": (pair, {"divergence_weight": 0.0}, "divergence_weight is .*; received 0.0"),
    "a negative penalty": (
        pair,
        {"gradient_penalty": -1.0},
        "gradient_penalty is .*; received -1.0",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_played_is_refused(name):
    make, options, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        FGAN(make(), **options)
