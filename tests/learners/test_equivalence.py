"""Tests of learners that must agree: on a harmonium, the symmetric game and the ELBO meet."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import ELBO, Batches, Factor, Pair, Player, SymmetricEquilibrium
from keras_symvae.families import Bernoulli
from tests.enumeration import Exact, bits, tiny

LEARNERS = (SymmetricEquilibrium, ELBO)
WEIGHTS = np.array([[1.2, -0.9, 0.8, 1.0]])
BIASES, PRIOR = np.array([0.3, -0.5, 0.1, 0.4]), 0.6
SIZE = 4096


def harmonium(*, moved=0.0):
    """p(x, z) of 4 bits and 1 bit, proportional to exp(<x, W z> + <b, x> + c z), and q(z | x)."""
    families = {"x": Bernoulli(4), "z": Bernoulli(1)}
    decoder = [
        Factor("z", learned=True),
        Factor("x", given="z", network=keras.layers.Dense(4)),
    ]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(1))]
    pair = Pair(
        Player(decoder, families=families, name="decoder"),
        Player(encoder, families=families, name="encoder"),
    )

    def softplus(value):
        return np.log1p(np.exp(value)).sum()

    # Bayes: the log-odds of z are linear in the bits of x, read as -1 and +1.
    offset = softplus(BIASES + WEIGHTS) - softplus(BIASES - WEIGHTS)
    posterior = [WEIGHTS.T, [PRIOR + WEIGHTS.sum() - offset]]
    rng = np.random.default_rng(2)
    for variable, value in zip(
        pair.trainable_variables, [[PRIOR], WEIGHTS, BIASES, *posterior], strict=True
    ):
        variable.assign(value + moved * rng.normal(size=variable.shape))
    return pair


def evidence(pair):
    """p(x) [16]."""
    return np.exp(Exact(pair).log_evidence())


TRUTH = evidence(harmonium())


def images():
    """Images [B, 4] whose frequencies are p(x) of the harmonium, up to rounding."""
    return np.repeat(bits(4), np.round(SIZE * TRUTH).astype(int), axis=0)


def total_variation(p, q):
    return 0.5 * np.abs(p - q).sum()


def test_harmonium_is_stationary_in_both_games():
    exact = Exact(harmonium(), TRUTH)
    # The encoder is the posterior, so that the bound is tight.
    posterior = exact.log_p() - exact.log_evidence()[:, None]
    np.testing.assert_allclose(exact.log_q(), posterior, atol=1e-5)
    np.testing.assert_allclose(exact.elbo(), (TRUTH * np.log(TRUTH)).sum(), atol=1e-5)
    for gradients in (exact.symmetric_gradients(), exact.elbo_gradients()):
        for variable, gradient in gradients:
            np.testing.assert_allclose(gradient, 0.0, atol=1e-6, err_msg=variable.path)
    moved = Exact(harmonium(moved=0.4), TRUTH)
    for gradients in (moved.symmetric_gradients(), moved.elbo_gradients()):
        assert max(np.abs(gradient).max() for _, gradient in gradients) > 0.03


@pytest.mark.parametrize("game", ["symmetric_gradients", "elbo_gradients"])
def test_exact_gradients_of_both_games_lead_back_to_the_harmonium(game):
    exact = Exact(harmonium(moved=0.4), TRUTH)
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(exact.pair.trainable_variables)

    @tf.function
    def step():
        for _ in tf.range(100):
            variables, gradients = zip(*getattr(exact, game)(), strict=True)
            optimizer.apply([-gradient for gradient in gradients], variables)

    assert total_variation(evidence(exact.pair), TRUTH) > 0.1
    for _ in range(20):
        step()
    assert total_variation(evidence(exact.pair), TRUTH) < 1e-3
    for variable, truth in zip(
        exact.pair.trainable_variables, harmonium().trainable_variables, strict=True
    ):
        np.testing.assert_allclose(variable, truth, atol=0.02)


# The ELBO's tolerance is wider: its gradient through a bit (ZGR) is biased where log p(x | z) is
# not quadratic in the bit; the symmetric game needs no gradient through a bit.
@pytest.mark.parametrize("learner, tolerance", [(SymmetricEquilibrium, 0.015), (ELBO, 0.035)])
def test_trained_by_samples_both_learners_find_the_same_images(learner, tolerance):
    pair = harmonium(moved=0.4)
    model = learner(pair)
    schedule = keras.optimizers.schedules.CosineDecay(0.02, 600)
    model.compile(keras.optimizers.Adam(schedule), steps_per_execution=100)
    batches = Batches({"x": images()}, batch_size=1024)
    model.fit(batches, epochs=1, steps_per_epoch=600, verbose=0)
    assert total_variation(evidence(pair), TRUTH) < tolerance


@pytest.mark.parametrize("learner", LEARNERS)
def test_eager_and_graph_take_the_same_steps(learner):
    weights = []
    for run_eagerly in (False, True):
        pair = tiny("ladder")
        model = learner(pair, seed=3)
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=run_eagerly)
        x = np.repeat(Exact(pair).images, 4, axis=0)
        model.fit(Batches({"x": x}, batch_size=16), epochs=1, steps_per_epoch=3, verbose=0)
        weights.append([variable.numpy() for variable in pair.trainable_variables])
    for graph, eager in zip(*weights, strict=True):
        np.testing.assert_allclose(graph, eager, atol=1e-5)


@pytest.mark.parametrize("still", ["decoder", "encoder"])
def test_a_player_moves_as_if_the_other_stood_still(still):
    moving = {"decoder": "encoder", "encoder": "decoder"}[still]
    ends = []
    for rate in (0.0, 0.1):
        pair = tiny("ladder")
        start = [variable.numpy() for variable in getattr(pair, still).trainable_variables]
        model = SymmetricEquilibrium(pair)
        optimizers = {moving: keras.optimizers.SGD(0.1), still: keras.optimizers.SGD(rate)}
        model.compile(optimizers, run_eagerly=True)
        model.fit(Exact(pair).images, batch_size=16, epochs=1, verbose=0)
        kept = [
            np.array_equal(old, new)
            for old, new in zip(start, getattr(pair, still).trainable_variables, strict=True)
        ]
        assert all(kept) if rate == 0.0 else not any(kept)
        ends.append([variable.numpy() for variable in getattr(pair, moving).trainable_variables])
    for alone, together in zip(*ends, strict=True):
        np.testing.assert_array_equal(alone, together)
