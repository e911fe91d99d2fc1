"""Tests of the link between f-GAN and WAE on finite spaces, where both are linear programs."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from keras_symvae.learners.adversarial.divergences import DIVERGENCES
from scripts.experiments.primal_dual import experiment as primal_dual
from scripts.experiments.primal_dual.config import Config
from scripts.experiments.primal_dual.experiment import random_space
from scripts.experiments.primal_dual.finite_spaces import FiniteSpace
from scripts.experiments.primal_dual.learned_sides import (
    random_line,
    value_of_critic,
    value_of_encoder,
)

INFINITE = sorted(name for name, f in DIVERGENCES.items() if f.slope_at_infinity == np.inf)
FINITE = sorted(set(DIVERGENCES) - set(INFINITE))
CODES = {"invertible": 6, "onto": 9, "not onto": 4}  # of spaces of six points


def scaled(space, cost):
    return FiniteSpace(cost * space.cost, space.data, space.prior, space.decoder)


def test_the_divergences_are_of_both_kinds():
    assert INFINITE == ["jeffreys", "kl", "pearson"] and "total_variation" in FINITE


@pytest.mark.parametrize("f", sorted(DIVERGENCES))
def test_gan_equals_wae_for_an_invertible_decoder(f):
    for seed, weight in enumerate((0.05, 0.4, 3.0)):
        space = random_space(6, codes=6, seed=seed)
        found = space.gan(f, weight=weight), space.wae(f, weight=weight)
        np.testing.assert_allclose(*found, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("f", ["total_variation", "squared_hellinger", "reverse_kl"])
@pytest.mark.parametrize("kind", ["onto", "not onto"])
def test_gan_is_never_above_wae_and_equal_for_a_decoder_onto_all_points(kind, f, seed):
    space, weight = random_space(6, codes=CODES[kind], seed=seed), 0.1 + seed
    gan, wae = space.gan(f, weight=weight), space.wae(f, weight=weight)
    assert gan <= wae + 1e-9
    if kind == "onto":
        np.testing.assert_allclose(gan, wae, atol=1e-6)


@pytest.mark.parametrize("f", INFINITE)
@pytest.mark.parametrize("kind", ["onto", "not onto"])
def test_gan_equals_wae_for_every_decoder_if_the_slope_at_infinity_is_infinite(kind, f):
    space = random_space(6, codes=CODES[kind], seed=3)
    for weight in (0.05, 0.4):
        found = space.gan(f, weight=weight), space.wae(f, weight=weight)
        np.testing.assert_allclose(*found, atol=1e-6)


def test_where_the_decoder_misses_points_the_gan_pays_the_slope_and_the_wae_the_way():
    """Two points at distance 1, all data on one and the only code on the other.

    The critic of lambda TV rises by min(1, lambda); an encoder has nowhere else to go.
    """
    line = np.array([[0.0, 1.0], [1.0, 0.0]])
    space = FiniteSpace(line, np.array([0.0, 1.0]), np.array([1.0]), np.array([0]))
    for weight in (0.3, 0.7, 1.0, 2.0):
        found = space.gan("total_variation", weight=weight)
        np.testing.assert_allclose(found, min(weight, 1.0), atol=1e-7)
        np.testing.assert_allclose(space.wae("total_variation", weight=weight), 1.0, atol=1e-7)
    # Jensen-Shannon costs 2 lambda log 2 for what lies apart, and rises by 1 at most.
    found = space.gan("jensen_shannon", weight=0.1)
    assert 0.1 < found <= 0.1 * 2 * np.log(2.0) + 1e-9
    assert space.divergence("kl") == np.inf
    np.testing.assert_allclose(space.divergence("jensen_shannon"), 2 * np.log(2.0))
    np.testing.assert_allclose(space.divergence("total_variation"), 1.0)


@pytest.mark.parametrize("f", FINITE)
def test_the_gap_is_strict_for_a_decoder_that_is_not_onto(f):
    space = random_space(6, codes=4, seed=0)
    assert space.wae(f, weight=0.03) - space.gan(f, weight=0.03) > 0.02


@pytest.mark.parametrize("f", sorted(DIVERGENCES))
def test_gan_is_the_least_transport_and_divergence_by_way_of_a_third_distribution(f):
    """GAN = inf W_c(data, P) + lambda D_f(P, model): a WAE whose codes are the points."""
    space = random_space(6, codes=4, seed=4)
    points = FiniteSpace(space.cost, space.data, space.model, np.arange(6))
    found = space.gan(f, weight=0.2), points.wae(f, weight=0.2)
    np.testing.assert_allclose(*found, atol=1e-6)


@pytest.mark.parametrize("f", ["total_variation", "jensen_shannon", "kl", "neyman"])
@pytest.mark.parametrize("kind", sorted(CODES))
def test_both_keep_to_their_bounds_and_to_their_limits(kind, f):
    space = random_space(6, codes=CODES[kind], seed=5)
    transport, divergence = space.transport(), space.divergence(f)
    assert space.gan(f, weight=0.3) <= min(0.3 * divergence, transport) + 1e-7
    assert space.wae(f, weight=0.3) <= transport + 1e-7
    np.testing.assert_allclose(space.gan(f, weight=300.0), transport, rtol=0.01)
    np.testing.assert_allclose(space.wae(f, weight=300.0), transport, rtol=0.01)
    if np.isfinite(divergence):  # critics that may be as steep as they like
        found = scaled(space, 1e4).gan(f, weight=0.5)
        np.testing.assert_allclose(found, 0.5 * divergence, rtol=1e-4)


def test_the_total_variation_is_without_effect_past_the_diameter():
    space = random_space(6, codes=4, seed=6)
    diameter = space.cost.max()
    for side in (space.gan, space.wae):
        found = side("total_variation", weight=diameter)
        np.testing.assert_allclose(found, space.transport(), atol=1e-7)


def test_transport_is_that_of_the_quantiles_on_a_line():
    rng = np.random.default_rng(0)
    x, data, prior = rng.normal(size=(9, 1)), rng.dirichlet(np.ones(9)), rng.dirichlet(np.ones(5))
    space = FiniteSpace(cdist(x, x), data, prior, rng.permutation(9)[:5])
    exact = wasserstein_distance(x[:, 0], x[:, 0], data, space.model)
    np.testing.assert_allclose(space.transport(), exact, atol=1e-9)


def test_blurred_transport_comes_down_to_the_exact_value():
    ot = pytest.importorskip("ot")
    space = random_space(40, codes=25, seed=0)
    exact = space.wae("kl", weight=0.3)
    found = [space.entropic_wae(weight=0.3, blur=blur) for blur in (0.3, 0.03, 0.003)]
    assert found[0] > found[1] > found[2] > exact
    np.testing.assert_allclose(found[2], exact, rtol=0.01)
    emd = ot.emd2(space.data, space.prior, space.cost[:, space.decoder])
    np.testing.assert_allclose(space.transport(), emd, atol=1e-9)


@pytest.mark.parametrize("f", ["total_variation", "jensen_shannon", "kl"])
def test_any_critic_and_any_encoder_enclose_both_sides(f):
    """learned GAN <= GAN <= WAE <= learned WAE, whatever was learned."""
    space, rng = random_line(5, intervals=9, seed=1).space(), np.random.default_rng(0)
    gan, wae = space.gan(f, weight=0.2), space.wae(f, weight=0.2)
    for scale in (0.02, 0.1):  # in the domain of every f*
        d = scale * rng.uniform(-1.0, 1.0, len(space.data))
        assert value_of_critic(space, d, f, weight=0.2) <= gan + 1e-7
        encoder = rng.dirichlet(np.full(9, 20.0 * scale), size=5)
        drawn, onward = (
            value_of_encoder(space, encoder, f, weight=0.2, onward=each) for each in (False, True)
        )
        assert wae - 1e-7 <= onward <= drawn + 1e-7
    assert gan <= wae + 1e-7


def test_a_critic_and_an_encoder_of_known_value():
    line = random_line(5, intervals=9, seed=1)
    space = line.space()
    along = np.concatenate([line.points[:, 0], line.start[0] + line.centres[:, 0] * line.way[0]])
    for steepness in (0.9, 1.0):  # of the total variation with a large weight f* is the identity
        found = value_of_critic(space, steepness * along, "total_variation", weight=10.0)
        expected = steepness * (space.data - space.model) @ along
        np.testing.assert_allclose(found, expected, atol=1e-9)
    anything = np.broadcast_to(space.prior, (5, 9))  # codes of the prior cost no divergence
    expected = line.data @ space.cost[:5, 5:] @ space.prior
    for onward in (False, True):
        found = value_of_encoder(space, anything, "kl", weight=10.0, onward=onward)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    first = np.eye(9)[np.zeros(5, int)]  # past the diameter it pays to go all the way
    along = space.cost[5, 5:] @ space.prior
    found = value_of_encoder(space, first, "total_variation", weight=10.0, onward=True)
    np.testing.assert_allclose(found, line.data @ space.cost[:5, 5] + along, rtol=1e-6)


@pytest.mark.slow
def test_a_learned_critic_comes_near_and_a_learned_encoder_stays_above():
    line = random_line(4, intervals=12, seed=0)
    space, options = line.space(), {"weight": 0.2, "seed": 0}
    training = {"steps": 300, "batch_size": 256, "width": 32}
    training |= {"rate": 5e-3, "critic_rate": 5e-3, "critic_steps": 1}
    exact = space.gan("kl", weight=0.2)
    np.testing.assert_allclose(space.wae("kl", weight=0.2), exact, atol=1e-6)
    options |= {"training": training, "penalty": 10.0}
    found = value_of_critic(space, line.critic("kl", **options), "kl", weight=0.2)
    assert 0.7 * exact < found <= exact + 1e-7
    encoder = line.encoder("kl", **options)
    drawn, onward = (
        value_of_encoder(space, encoder, "kl", weight=0.2, onward=each) for each in (False, True)
    )
    assert exact - 1e-7 <= onward <= drawn + 1e-7


@pytest.mark.slow
def test_the_experiment_from_spaces_to_picture(tmp_path):
    pytest.importorskip("ot")
    usual = Config()
    small = dataclasses.replace(
        usual,
        divergences=("total_variation", "kl"),
        weights=(0.03, 0.3),
        larger=12,
        blurs=(0.1, 0.03),
        intervals=8,
        learned=(0.3,),
        training={k: dataclasses.replace(side, steps=50) for k, side in usual.training.items()},
    )
    folder = tmp_path / "runs"
    experiment = primal_dual.PrimalDual(folder, data="none", seeds=[0], config=small)
    kinds = tuple(usual.decoders)
    table = experiment.make(tmp_path / "out")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]
    gaps = {(row[0], row[1]): float(row[-1]) for row in rows if len(row) == 7 and row[0] in kinds}
    assert set(gaps) == {(kind, f) for kind in kinds for f in ("total_variation", "kl")}
    assert gaps.pop(("not-onto", "total_variation")) > 0.02 and max(gaps.values()) < 1e-6
    found = json.loads((tmp_path / "out" / "primal_dual.json").read_text())["line-seed-0"]["found"]
    for f in ("total_variation", "kl"):
        exact = [found[f"{side}/{f}"][1] for side in ("gan", "wae")]
        gan, *learned = [found[f"learned/{side}/{f}"][0] for side in ("gan", "onward", "wae")]
        assert gan - 1e-7 <= exact[0] <= exact[1] + 1e-7
        assert exact[1] - 1e-7 <= learned[0] <= learned[1] + 1e-7
    assert (tmp_path / "out" / "primal_dual.png").stat().st_size > 1000
