"""Tests of AS-VAE on a jointly Gaussian pair, where the best critics are quadratic forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import ASVAE, Factor, ImplicitFactor, Pair, Player, families, seeds
from tests import cases, gaussians
from tests.gaussians import GaussianPair, kl

SEED, MANY = seeds.make(0), 200_000


def learner_of(game, *, exact=True, **options):
    """Returns an `ASVAE` with quadratic critics: the best ones, or any."""
    critics = {"critic_codes": gaussians.critic(), "critic_data": gaussians.critic()}
    learner = ASVAE(game.pair, **critics, **options)
    if exact:
        learner.critics["critic_codes"].network.be(game.q, game.apart)
        learner.critics["critic_data"].network.be(game.p, game.apart)
    return learner


@pytest.fixture(scope="module")
def trained():
    """Critics that were trained beside a pair with rates of zero, and the pair."""
    game = GaussianPair()
    learner = learner_of(game, exact=False)
    before = game.pair.get_weights()
    gaussians.train_critics(learner, game.source)
    for weight, old in zip(game.pair.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    return game, learner


def test_trained_critics_are_the_log_density_ratios(trained):
    game, learner = trained
    decoder, encoder, law = game.pair.decoder, game.pair.encoder, gaussians.log_normal
    for joint in ("q", "p", "apart"):
        values = game.of(joint, 2000)
        of_codes = encoder.log_prob(values)["z"] - decoder.log_prob(values)["z"]
        of_data = decoder.log_prob(values)["x"] - law(values["x"], game.data)
        for name, best in {"critic_codes": of_codes, "critic_data": of_data}.items():
            error = learner.critics[name].score(values) - best
            assert np.sqrt(np.mean(error**2)) < 0.05 < 0.3 * np.std(best), (joint, name)


def test_trained_critics_tell_the_symmetric_divergence(trained):
    game, learner = trained
    f1, f2 = (learner.critics[name] for name in ("critic_codes", "critic_data"))
    q, p = game.of("q", 100_000), game.of("p", 100_000)
    found = np.mean(f1.score(q) - f2.score(q)) + np.mean(f2.score(p) - f1.score(p))
    exact = kl(game.q, game.p) + kl(game.p, game.q)
    assert found == pytest.approx(float(exact), abs=0.03) and exact > 0.5


@pytest.mark.parametrize("weights", [(0.0, 0.0), (1.0, 1.0), (2.5, 0.0), (0.0, 0.5)])
def test_utility_is_that_of_the_formula(weights):
    game = GaussianPair()
    learner = learner_of(game, reconstruction=dict(zip("xz", weights, strict=True)))
    gain, costs, *_ = learner.utility(game.sample(MANY), SEED)
    exact = {"encoder/kl": kl(game.q, game.apart), "decoder/kl": kl(game.p, game.apart)}
    expected = -exact["encoder/kl"] - exact["decoder/kl"]
    rebuilt = zip(("decoder/x", "encoder/z"), game.reconstruction(game.q, game.p), strict=True)
    for (name, cost), weight in zip(rebuilt, weights, strict=True):
        if weight:
            exact[name] = cost
            expected -= weight * cost
    assert (
        costs.keys()
        == exact.keys()
        == set(learner.cost_names)
        - {
            "critic_codes/loss",
            "critic_data/loss",
        }
    )
    for name, cost in costs.items():
        assert np.mean(cost) == pytest.approx(float(exact[name]), abs=0.01), name
    assert np.mean(gain) == pytest.approx(float(expected), abs=0.02)


@pytest.mark.parametrize("reconstruction", [0.5, 1.0, 2.0])
def test_both_players_ascend_the_objective_itself(reconstruction):
    """Nothing is lost by fixed critics, and the weight w adds w - 1 times the reconstructions."""
    game = GaussianPair()
    learner = learner_of(game, reconstruction=reconstruction)
    found = gaussians.learned_slopes(learner, game.sample(MANY), SEED)
    exact = game.slopes(
        lambda q, p: -kl(q, p) - kl(p, q) - (reconstruction - 1.0) * sum(game.reconstruction(q, p))
    )
    for player, slope in exact.items():
        np.testing.assert_allclose(found[player], slope, atol=0.02)
        assert np.abs(slope).max() > 0.2


def test_the_model_of_the_data_is_stationary_at_weight_one_alone():
    game = GaussianPair(equal=True)
    for weight, moves in {0.5: True, 1.0: False, 2.0: True}.items():
        learner = learner_of(game, reconstruction=weight)
        found = gaussians.learned_slopes(learner, game.sample(MANY), SEED)
        for slope in found.values():
            assert (np.abs(slope).max() > 0.2) == moves, weight
            assert moves or np.abs(slope).max() < 0.02


def test_each_move_leaves_the_other_side_alone():
    game = GaussianPair()
    learner = learner_of(game)
    learner.compile("sgd", run_eagerly=True)
    moves = {move.players[0]: move for move in learner.moves()}
    played = learner._play([moves["critic_codes"]], game.sample(MANY), SEED)
    owned = [*learner.critics["critic_codes"].weights, *learner.critics["critic_data"].weights]
    assert [v.path for v in played.variables] == [w.path for w in owned]
    for gradient in played.gradients:  # the best critics have nothing more to gain
        np.testing.assert_allclose(gradient, 0.0, atol=0.01)
    with tf.GradientTape() as tape:
        gain = tf.reduce_mean(learner.utility(game.sample(1000), SEED).gain)
    assert np.abs(tape.gradient(gain, owned[0].value)).max() > 0.1  # what they must not see
    played = learner._play([moves["decoder"]], game.sample(1000), SEED)
    assert {v.path for v in played.variables} == {v.path for v in game.pair.trainable_variables}


def implicit_pair():
    """Returns a pair whose players are both known by samples alone."""
    known = {"x": families.Normal(3), "z": families.Normal(2)}
    encoder = [ImplicitFactor("z", given="x", network=cases.joint([(3,), (2,)], 2), noise_shape=2)]
    decoder = [Factor("z")]
    decoder += [ImplicitFactor("x", given="z", network=cases.joint([(2,), (1,)], 3), noise_shape=1)]
    return Pair(
        Player(decoder, families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
    )


def test_without_reconstruction_no_density_of_the_pair_is_needed():
    learner = ASVAE(implicit_pair(), reconstruction=0)
    learner.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    before = learner.pair.get_weights()
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    history = learner.fit(x, batch_size=16, epochs=1, verbose=0).history
    assert "decoder/x" not in history and np.isfinite(history["decoder/kl"]).all()
    moved = [np.any(w != old) for w, old in zip(learner.pair.get_weights(), before, strict=True)]
    assert all(moved)


def test_refusals():
    with pytest.raises(
        ValueError, match=r"reconstruction=1\.0 needs a log-density of every factor"
    ):
        ASVAE(implicit_pair())
    with pytest.raises(ValueError, match="encoder factor 'z' is implicit"):
        ASVAE(implicit_pair(), reconstruction={"z": 1.0})
    for wrong in (-1, {"x": -1.0}, {"y": 1.0}, "much"):
        with pytest.raises(ValueError, match=r"one for each of .+; received"):
            ASVAE(GaussianPair().pair, reconstruction=wrong)
    with pytest.raises(ValueError, match="needs a gradient through draws of 'z0'"):
        ASVAE(cases.ladder(likelihood="normal", latents=(2,)))
    with pytest.raises(ValueError, match=r"\('y',\) is context"):
        ASVAE(cases.conditional())
    known = {"x": families.Normal(3), "z": families.Normal(2)}
    learned = [Factor("z", learned=True), Factor("x", given="z", network=keras.layers.Dense(6))]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(4))]
    learned = Pair(
        Player(learned, families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
    )
    with pytest.raises(ValueError, match=r"p\(z \| \.\.\.\) has weights"):
        ASVAE(learned)
