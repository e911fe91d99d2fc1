"""Tests of the ELBO: its terms, its weights, and what it refuses."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import ELBO, Factor, Pair, Player, families, seeds
from tests import cases

SEED = seeds.make(0)


def pair_of(latent, *, tilt=False):
    """Returns a pair with one latent of this family and x of three bits."""
    known = {"x": families.Bernoulli(3), "z": latent}
    size = int(np.prod(latent.raw_shape))
    decoder = [Factor("z"), Factor("x", given="z", network=keras.layers.Dense(3))]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(size), tilt=tilt)]
    return Pair(
        Player(decoder, families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
    )


def values(size=8):
    bits = np.random.default_rng(0).random((size, 3)) < 0.5
    return {"x": tf.constant(bits, tf.float32)}


class Unknown(tfp.distributions.Normal):
    """A normal distribution whose divergence nobody knows in closed form."""


@tfp.distributions.RegisterKL(Unknown, Unknown)
def _unknown_kl(p, q, name=None):
    raise NotImplementedError


class NormalWithoutKL(families.Reparametrised):
    """A family for which nobody knows a closed form."""

    raw_parts = 2

    def _natural(self, raw, shared):
        loc, precision = raw
        precision = families.base.positive(precision)
        return precision * loc, precision

    def _distribution(self, eta):
        weighted, precision = eta
        return Unknown(weighted / precision, tf.math.rsqrt(precision))

    def _features(self, value):
        return value


@pytest.mark.parametrize("tilt", [False, True])
def test_kl_without_a_closed_form_is_estimated_by_the_draw(tilt):
    x = {"x": tf.repeat(values(1)["x"], 20_000, axis=0)}
    closed = pair_of(families.Normal(2), tilt=tilt)
    drawn = pair_of(NormalWithoutKL(2), tilt=tilt)
    drawn.set_weights(closed.get_weights())
    kl, estimate = (ELBO(pair).utility(x, SEED)[1]["encoder/z"].numpy() for pair in (closed, drawn))
    assert np.ptp(kl) < 1e-5 < np.ptp(estimate)
    assert abs(kl[0] - estimate.mean()) < 6 * estimate.std() / math.sqrt(20_000)


def test_the_ladder_order_is_analytic_and_the_reverse_order_agrees_on_average():
    """Given one x and one z0, the terms of a ladder do not depend on the draw of their own z."""
    x = {"x": tf.constant(np.repeat(cases.images(1), 500, axis=0))}
    terms = ELBO(cases.ladder()).utility(x, SEED)[1]
    assert np.ptp(terms["encoder/z0"]) < 1e-5
    assert len(np.unique(np.round(terms["encoder/z1"], 4))) <= 2**2
    terms = ELBO(cases.ladder(order="reverse")).utility(x, SEED)[1]
    assert np.ptp(terms["encoder/z0"]) > 1e-3 and np.ptp(terms["encoder/z1"]) > 1e-3


def test_the_gain_is_the_negative_sum_of_costs():
    gain, costs, *_ = ELBO(cases.ladder()).utility({"x": tf.constant(cases.images(5))}, SEED)
    np.testing.assert_allclose(gain, -sum(costs.values()), rtol=1e-5)


def test_weight_and_warm_up_scale_the_kl_terms_but_not_the_costs():
    pair = pair_of(families.Normal(2))
    plain, costs, *_ = ELBO(pair).utility(values(), SEED)
    for arguments, step, weight in (
        ({"kl_weight": 0.5}, 0, 0.5),
        ({"warmup_steps": 4}, 0, 0.0),
        ({"warmup_steps": 4}, 1, 0.25),
        ({"warmup_steps": 4, "kl_weight": 2.0}, 8, 2.0),
    ):
        learner = ELBO(pair, **arguments)
        learner.steps.assign(step)
        gain, same, *_ = learner.utility(values(), SEED)
        np.testing.assert_allclose(gain, plain + (1 - weight) * costs["encoder/z"], rtol=1e-4)
        np.testing.assert_array_equal(same["encoder/z"], costs["encoder/z"])


def test_free_bits_cost_nothing_and_have_no_gradient():
    pair = pair_of(families.Normal(2))
    plain, costs, *_ = ELBO(pair).utility(values(), SEED)
    mean = float(tf.reduce_mean(costs["encoder/z"]))
    generous = ELBO(pair, free_bits=mean)  # two elements: twice the mean is free
    gain, *_ = generous.utility(values(), SEED)
    np.testing.assert_allclose(gain, plain + costs["encoder/z"] - 2 * mean, rtol=1e-4)
    weight = pair.encoder.factor("z").network.kernel.value
    with tf.GradientTape(persistent=True) as tape:
        gain, terms, *_ = generous.utility(values(), SEED)
        rest = gain + terms["decoder/x"]
    assert not np.any(tape.gradient(rest, weight, unconnected_gradients="zero"))
    stingy, *_ = ELBO(pair, free_bits=1e-6).utility(values(), SEED)
    np.testing.assert_allclose(tf.reduce_mean(stingy), tf.reduce_mean(plain), rtol=1e-4)


@pytest.mark.parametrize("estimator", ["zgr", "straight_through", "gumbel_softmax:0.3"])
@pytest.mark.parametrize("latent", [families.Bernoulli(2), families.Categorical((), num_classes=3)])
def test_discrete_latents_train_with_every_estimator(latent, estimator):
    learner = ELBO(pair_of(latent, tilt=True), estimator=estimator)
    learner.compile("sgd", run_eagerly=True)
    before = learner.pair.encoder.factor("z").network.kernel.numpy()
    logs = learner.fit(values()["x"].numpy(), batch_size=4, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert np.any(learner.pair.encoder.factor("z").network.kernel.numpy() != before)


@pytest.mark.parametrize("latent", [families.Gamma(2), families.Beta(2), families.VonMises(2)])
def test_continuous_latents_of_every_family_train(latent):
    learner = ELBO(pair_of(latent, tilt=True), nonfinite="raise")
    learner.compile("sgd", run_eagerly=True)
    assert np.isfinite(learner.fit(values()["x"].numpy(), verbose=0).history["loss"]).all()


REFUSED = [
    (families.Poisson(2), {}, "gradient through draws of 'z'.*SymmetricEquilibrium"),
    (families.Bernoulli(2), {"estimator": "reinforce"}, "Unknown estimator 'reinforce'"),
]


@pytest.mark.parametrize(("latent", "arguments", "match"), REFUSED)
def test_pairs_that_cannot_play_are_refused(latent, arguments, match):
    with pytest.raises(ValueError, match=match):
        ELBO(pair_of(latent), **arguments)
