"""Tests of sVAE and ALI on a jointly Gaussian pair, where the best critic is a quadratic form."""

import math

import numpy as np
import pytest

from keras_symvae import SVAE, seeds
from tests import cases, gaussians
from tests.gaussians import GaussianPair, kl
from tests.learners.adversarial.test_as_vae import implicit_pair

SEED, MANY = seeds.make(0), 200_000


def learner_of(gaussian, **options):
    """Returns an `SVAE` with the best critic."""
    learner = SVAE(gaussian.pair, critic=gaussians.critic(), **options)
    learner.critic.network.be(gaussian.p, gaussian.q)
    return learner


def test_the_trained_critic_is_the_log_density_ratio():
    game = GaussianPair()
    learner = SVAE(game.pair, critic=gaussians.critic())
    gaussians.train_critics(learner, game.source)
    found = {}
    for joint in ("q", "p"):
        values = game.of(joint, 100_000)
        log_p = sum(game.pair.decoder.log_prob(values).values())
        log_q = game.pair.encoder.log_prob(values)["z"]
        best = log_p - log_q - gaussians.log_normal(values["x"], game.data)
        found[joint] = learner.critic.score(values)
        assert np.sqrt(np.mean((found[joint] - best) ** 2)) < 0.05 < 0.3 * np.std(best), joint
    divergence = kl(game.q, game.p) + kl(game.p, game.q)
    assert np.mean(found["p"]) - np.mean(found["q"]) == pytest.approx(float(divergence), abs=0.03)


@pytest.mark.parametrize("reconstruction", [0.0, 1.5])
def test_symmetric_utility_is_that_of_the_formula(reconstruction):
    game = GaussianPair()
    learner = learner_of(game, reconstruction=reconstruction)
    gain, costs, *_ = learner.utility(game.sample(MANY), SEED)
    divergence = float(kl(game.q, game.p) + kl(game.p, game.q))
    of_x, of_z = (float(cost) for cost in game.reconstruction(game.q, game.p))
    assert np.mean(costs["encoder/divergence"]) == pytest.approx(divergence, abs=0.01)
    if reconstruction:
        assert np.mean(costs["decoder/x"]) == pytest.approx(of_x, abs=0.01)
        assert np.mean(costs["encoder/z"]) == pytest.approx(of_z, abs=0.01)
    expected = -divergence - reconstruction * (of_x + of_z)
    assert np.mean(gain) == pytest.approx(expected, abs=0.02)


def test_each_player_descends_the_divergence_of_its_own_joint():
    """A critic that is fixed hides KL(q || p) from p and KL(p || q) from q."""
    game = GaussianPair()
    found = gaussians.learned_slopes(learner_of(game), game.sample(MANY), SEED)
    decoder = game.slopes(lambda q, p: -kl(p, q))["decoder"]
    encoder = game.slopes(lambda q, p: -kl(q, p))["encoder"]
    for player, exact in {"decoder": decoder, "encoder": encoder}.items():
        np.testing.assert_allclose(found[player], exact, atol=0.02)
        whole = game.slopes(lambda q, p: -kl(q, p) - kl(p, q))[player]
        assert np.abs(whole - exact).max() > 0.2


def test_utility_of_ali_is_that_of_the_formula():
    """E_q log s(f*) + E_p log s(-f*) = -KL(q || p) - KL(p || q) + 2 JS - 2 log 2."""
    game = GaussianPair()
    learner = learner_of(game, game="ali")
    values = game.sample(MANY)
    gain, loss = learner.utility(values, SEED).gain, -learner.critic_utility(values, SEED).gain
    shannon = 0.0
    for joint in ("q", "p"):
        v = np.concatenate([*game.of(joint, MANY).values()], axis=1)
        logs = {each: gaussians.log_normal(v, getattr(game, each)) for each in ("q", "p")}
        mixed = np.logaddexp(logs["q"], logs["p"]) - math.log(2.0)
        shannon += 0.5 * np.mean(logs[joint] - mixed)
    assert shannon > 0.05
    assert np.mean(loss) == pytest.approx(2.0 * math.log(2.0) - 2.0 * shannon, abs=0.01)
    divergence = float(kl(game.q, game.p) + kl(game.p, game.q))
    expected = -divergence + 2.0 * shannon - 2.0 * math.log(2.0)
    assert np.mean(gain) == pytest.approx(expected, abs=0.02)


def test_ali_moves_q_where_p_is_and_p_where_q_is():
    game = GaussianPair()
    found = gaussians.learned_slopes(learner_of(game, game="ali"), game.sample(MANY), SEED)
    divergence = game.slopes(lambda q, p: kl(q, p) + kl(p, q))
    for player, slope in found.items():
        assert np.sum(slope.numpy() * divergence[player]) < -0.05


def test_no_critic_tells_equal_joints_apart():
    equal = GaussianPair(equal=True)
    values = equal.sample(MANY)
    for game in ("symmetric_kl", "ali"):
        learner = SVAE(equal.pair, critic=gaussians.critic(), game=game)
        if game == "symmetric_kl":
            gaussians.train_critics(learner, equal.source)
            trained = learner.critic.get_weights()
        learner.critic.set_weights(trained)
        loss = learner.critic_utility(values, SEED).costs["critic/loss"]
        assert np.mean(loss) == pytest.approx(2.0 * math.log(2.0), abs=2e-3)
        for slope in gaussians.learned_slopes(learner, values, SEED).values():
            np.testing.assert_allclose(slope, 0.0, atol=0.03)


def test_samplers_play_ali_and_densities_are_asked_for_with_reconstruction():
    learner = SVAE(implicit_pair(), game="ali")
    learner.compile("sgd", run_eagerly=True)
    x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    before = learner.pair.get_weights()
    learner.fit(x, batch_size=16, verbose=0)
    moved = [np.any(w != old) for w, old in zip(learner.pair.get_weights(), before, strict=True)]
    assert all(moved)
    with pytest.raises(ValueError, match=r"reconstruction=1\.0 needs a log-density"):
        SVAE(implicit_pair(), reconstruction=1.0)
    with pytest.raises(ValueError, match=r"game is one of symmetric_kl, ali; received 'gan'"):
        SVAE(implicit_pair(), game="gan")
    with pytest.raises(ValueError, match="needs a gradient through draws of 'z0'"):
        SVAE(cases.ladder(likelihood="normal", latents=(2,)))
