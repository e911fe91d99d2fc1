"""Tests of the symmetric game: what it scores, and what it needs no gradient of."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    ELBO,
    Factor,
    ImplicitFactor,
    Pair,
    Player,
    SymmetricEquilibrium,
    families,
    seeds,
)
from tests import cases

SEED = seeds.make(0)


@pytest.mark.quick
def test_costs_are_negative_log_probs_of_completed_data_and_of_dreams():
    pair, x = cases.ladder(), tf.constant(cases.images(6))
    learner = SymmetricEquilibrium(pair)
    gain, costs, *_ = learner.decoder_utility({"x": x}, SEED)
    completed = pair.encoder.complete({"x": x}, seed=seeds.fold(SEED, 0))
    assert costs.keys() == {"decoder/z0", "decoder/z1", "decoder/x"}
    for name, log_prob in pair.decoder.log_prob(completed).items():
        np.testing.assert_allclose(costs[f"decoder/{name}"], -log_prob, rtol=1e-5)
    np.testing.assert_allclose(gain, -sum(costs.values()), rtol=1e-5)
    gain, costs, *_ = learner.encoder_utility({"x": x}, SEED)
    dreams = pair.chain.dream(6, seed=seeds.fold(SEED, 1))
    assert costs.keys() == {"encoder/z0", "encoder/z1"}
    for name, log_prob in pair.encoder.log_prob(dreams).items():
        np.testing.assert_allclose(costs[f"encoder/{name}"], -log_prob, rtol=1e-5)
    np.testing.assert_allclose(gain, -sum(costs.values()), rtol=1e-5)


def test_data_do_not_reach_the_encoders_utility_but_context_does():
    learner = SymmetricEquilibrium(cases.conditional())
    data = {name: tf.constant(value) for name, value in cases.conditional_data(8).items()}
    plain, *_ = learner.encoder_utility(data, SEED)
    others = {
        "x": {"x": data["x"] + 1.0, "y": data["y"]},
        "y": {"x": data["x"], "y": 2 - data["y"]},
    }
    gains = {name: learner.encoder_utility(other, SEED)[0] for name, other in others.items()}
    np.testing.assert_array_equal(gains["x"], plain)
    assert np.any(gains["y"] != plain)


def test_labels_that_are_given_are_kept():
    """Latents that the data give are scored as they are, and not redrawn."""
    learner = SymmetricEquilibrium(cases.ladder(latents=(2,)))
    x, z0 = tf.constant(cases.images(6)), tf.ones([6, 2])
    _, costs, *_ = learner.decoder_utility({"x": x, "z0": z0}, SEED)
    expected = learner.pair.decoder.log_prob({"x": x, "z0": z0})
    np.testing.assert_allclose(costs["decoder/x"], -expected["x"], rtol=1e-6)


def test_latents_without_any_gradient_train():
    known = {"x": families.Bernoulli(3), "z": families.Poisson(2)}
    decoder = [
        Factor("z", learned=True),
        Factor("x", given="z", network=keras.layers.Dense(3)),
    ]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(2))]
    pair = Pair(
        Player(decoder, families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
    )
    learner = SymmetricEquilibrium(pair)
    learner.compile("sgd", run_eagerly=True)
    before = pair.get_weights()
    learner.fit(np.eye(3, dtype="float32"), verbose=0)
    assert all(np.any(now != old) for now, old in zip(pair.get_weights(), before, strict=True))


@pytest.mark.parametrize("game", [SymmetricEquilibrium, ELBO])
@pytest.mark.parametrize("side", ["decoder", "encoder"])
def test_implicit_factors_are_refused(game, side):
    known = {"x": families.Normal(3), "z": families.Normal(2)}

    def factor(name, given, size, implicit):
        network = keras.layers.Dense(2 * size)
        if not implicit:
            return Factor(name, given=given, network=network)
        inputs = [keras.Input((known[given].size,)), keras.Input((1,))]
        joined = keras.layers.Concatenate()(inputs)
        sampler = keras.Model(inputs, keras.layers.Dense(size)(joined))
        return ImplicitFactor(name, given=given, network=sampler, noise_shape=1)

    decoder = [Factor("z"), factor("x", "z", 3, side == "decoder")]
    pair = Pair(
        Player(decoder, families=known, name="decoder"),
        Player([factor("z", "x", 2, side == "encoder")], families=known, name="encoder"),
    )
    with pytest.raises(
        ValueError, match=rf"needs a log-density.*'{'x' if side[0] == 'd' else 'z'}"
    ):
        game(pair)
