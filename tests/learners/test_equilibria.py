"""Tests of the equilibria of the exact symmetric game: where they are, and what is near them."""

import numpy as np
import pytest

from tests.games import Game, harmonium, harmonium_statistics, products, signs


def consistent(num_x, num_z, *, seed=1, learned=False):
    """A game whose data are those of a harmonium; returns game, point of the harmonium, p(x, z)."""
    rng = np.random.default_rng(seed)
    x, z = signs(num_x), signs(num_z)
    weights = 0.8 * rng.normal(size=(num_x, num_z))
    x_bias, z_bias = 0.5 * rng.normal(size=num_x), 0.5 * rng.normal(size=num_z)
    joint = harmonium(x, z, weights=weights, x_bias=x_bias, z_bias=z_bias)
    prior = joint.sum(0)
    game = Game(*harmonium_statistics(x, z), joint.sum(1), None if learned else prior)
    free = np.log(prior[:-1] / prior[-1]) if learned else []
    point = np.concatenate([weights.ravel(), x_bias, free, weights.ravel(), z_bias])
    return game, point, joint


SIZES = [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 2)]


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("num_x, num_z", SIZES)
def test_jacobian_at_a_consistent_equilibrium_is_minus_a_gram_matrix(num_x, num_z, learned):
    game, point, joint = consistent(num_x, num_z, learned=learned)
    np.testing.assert_allclose(game.field(point), 0.0, atol=1e-14)
    jacobian = game.jacobian(point)
    s_p, s_q = game.scores(point)
    gram = np.einsum("xz,xzi,xzj->ij", joint, s_p - s_q, s_p - s_q)
    np.testing.assert_allclose(jacobian, -gram, atol=1e-13)
    # Directions that keep both players equal: as many as the given marginals leave undetermined.
    values = np.linalg.eigvalsh(jacobian)
    free = num_x * num_z + num_x + num_z - (2**num_x - 1) - (0 if learned else 2**num_z - 1)
    assert values.max() < 1e-13
    assert (values > -1e-9).sum() == max(0, free)


def test_jacobian_away_from_consistency_is_not_symmetric():
    game, point, _ = consistent(4, 2)
    away = point + 0.3 * np.random.default_rng(0).normal(size=len(point))
    jacobian = game.jacobian(away)
    assert np.abs(jacobian - jacobian.T).max() > 0.1
    assert np.abs(np.linalg.eigvals(jacobian).imag).max() > 0.01
    step = 1e-6 * np.eye(len(point))
    slopes = [(game.field(away + d) - game.field(away - d)) / 2e-6 for d in step]
    np.testing.assert_allclose(jacobian, np.transpose(slopes), atol=1e-8)


@pytest.mark.parametrize("learned", [False, True])
def test_isolated_consistent_equilibrium_is_returned_to(learned):
    game, point, joint = consistent(4, 2, learned=learned)
    assert np.linalg.eigvalsh(game.jacobian(point)).max() < -1e-4
    away = point + 0.3 * np.random.default_rng(0).normal(size=len(point))
    dream, wake = game.joints(away)
    assert np.abs(dream - joint).max() > 0.03 and np.abs(wake - joint).max() > 0.005
    end = game.flow(away, until=1e5)
    np.testing.assert_allclose(end, point, atol=1e-6)


def test_free_directions_are_a_continuum_of_equilibria():
    game, point, joint = consistent(2, 2)
    end = game.flow(point + 0.3 * np.random.default_rng(0).normal(size=len(point)), until=1e5)
    dream, wake = game.joints(end)
    assert np.abs(game.field(end)).max() < 1e-9
    np.testing.assert_allclose(dream, wake, atol=1e-8)
    np.testing.assert_allclose(wake.sum(1), joint.sum(1), atol=1e-8)
    np.testing.assert_allclose(dream.sum(0), joint.sum(0), atol=1e-8)
    assert np.abs(dream - joint).max() > 0.01


@pytest.mark.slow  # a training that has to reach a number
def test_stable_equilibria_of_a_restricted_game_are_several():
    game, point, joint = consistent(4, 2)
    rng = np.random.default_rng(7)
    starts = [rng.normal(size=len(point)) for _ in range(7)]
    first, second = (game.flow(starts[index], until=1e5) for index in (3, 6))
    for end in (first, second):
        assert np.abs(game.field(end)).max() < 1e-10
        assert np.linalg.eigvals(game.jacobian(end)).real.max() < -5e-4
    np.testing.assert_allclose(game.joints(first)[0], joint, atol=1e-8)
    dream, wake = game.joints(second)
    assert np.abs(dream - joint).max() > 0.1 and np.abs(dream - wake).max() > 5e-4


def correlation(values, probabilities):
    covariance = np.cov(values.T, aweights=probabilities, ddof=0)
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale)


@pytest.mark.parametrize("seed", range(3))
def test_collapsed_pair_is_an_unstable_equilibrium(seed):
    game, _, joint = consistent(4, 2, seed=seed)
    ranges = signs(4), signs(2)
    marginals = joint.sum(1), joint.sum(0)
    means = [marginal @ values for marginal, values in zip(marginals, ranges, strict=True)]
    collapsed = np.concatenate(
        [np.zeros(8), np.arctanh(means[0]), np.zeros(8), np.arctanh(means[1])]
    )
    np.testing.assert_allclose(game.field(collapsed), 0.0, atol=1e-14)
    spectral = [
        np.linalg.eigvalsh(correlation(values, marginal)).max()
        for values, marginal in zip(ranges, marginals, strict=True)
    ]
    assert spectral[0] * spectral[1] > 1
    assert np.linalg.eigvals(game.jacobian(collapsed)).real.max() > 0.01
    # Where both marginals are products, nothing drives the pair away.
    independent = [
        np.prod(np.where(values > 0, (1 + mean) / 2, (1 - mean) / 2), axis=1)
        for values, mean in zip(ranges, means, strict=True)
    ]
    still = Game(*harmonium_statistics(*ranges), *independent)
    np.testing.assert_allclose(still.field(collapsed), 0.0, atol=1e-14)
    assert np.linalg.eigvals(still.jacobian(collapsed)).real.max() < 1e-9


def best_responses(data, prior, q, rounds):
    """Alternating exact best responses of the tabular game; returns both joints [X, Z]."""
    for _ in range(rounds):
        wake = data[:, None] * q
        dream = prior * wake / wake.sum(0)
        q = dream / dream.sum(1, keepdims=True)
    return dream, data[:, None] * q


def test_tabular_best_responses_are_proportional_fitting():
    rng = np.random.default_rng(3)
    data, prior = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(4))
    starts = rng.dirichlet(np.ones(4), size=(2, 5))
    ends = []
    for q in starts:
        dream, wake = best_responses(data, prior, q, 1)
        np.testing.assert_allclose(wake.sum(1), data, atol=1e-15)
        np.testing.assert_allclose(dream.sum(0), prior, atol=1e-15)
        # Sinkhorn: the coupling keeps the odds ratios of its start.
        dream, wake = best_responses(data, prior, q, 500)
        np.testing.assert_allclose(dream, wake, atol=1e-15)
        np.testing.assert_allclose(odds(wake), odds(q), rtol=1e-9)
        ends.append(wake)
    assert np.abs(ends[0] - ends[1]).max() > 0.02


def odds(table):
    """The log odds ratios against the first row and column: what a coupling's margins leave."""
    log = np.log(table)
    return (log - log[:1] - log[:, :1] + log[0, 0])[1:, 1:]


def test_tabular_game_has_a_continuum_of_equilibria():
    rng = np.random.default_rng(3)
    x, z = np.eye(4), np.eye(3)
    joint = rng.dirichlet(np.ones(12)).reshape(4, 3)
    game = Game(products(x, z), products(x, z), joint.sum(1), joint.sum(0))
    point = np.tile(np.log(joint).ravel(), 2)
    np.testing.assert_allclose(game.field(point), 0.0, atol=1e-14)
    values = np.linalg.eigvalsh(game.jacobian(point))
    gauges = 3 + 4  # constants that the softmax of each column of p and row of q takes away
    assert (values > -1e-12).sum() == gauges + (4 - 1) * (3 - 1)
    assert values.max() < 1e-13
    end = game.flow(point + rng.normal(size=24), until=1e5)
    dream, wake = game.joints(end)
    np.testing.assert_allclose(dream, wake, atol=1e-8)
    np.testing.assert_allclose(wake.sum(0), joint.sum(0), atol=1e-8)
    assert np.abs(dream - joint).max() > 0.01


def test_codes_have_the_density_of_the_prior_up_to_a_factor_per_piece():
    """A fixed point of p(x | z), with exact posteriors: q(z) = c pi(z) on each piece of the prior.

    p(x | z) = N(m(z), 1/4) with any m, over two intervals of z, and data 70% of which start on the
    first one, where the prior has 43%.
    """
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-3.0, 0.6, 700), rng.normal(3.0, 0.6, 300)])
    z = np.concatenate([np.linspace(-2.0, -1.0, 100), np.linspace(1.0, 2.0, 100)])
    prior = 1.5 + np.sin(5.0 * z)
    prior /= prior.sum()
    m = 2.0 * z
    for _ in range(30):
        joint = prior * np.exp(-2.0 * (x[:, None] - m) ** 2)
        q = joint / joint.sum(axis=1, keepdims=True)
        m = q.T @ x / q.sum(axis=0)
    factor = np.split(q.mean(axis=0) / prior, 2)
    for piece in factor:
        inner = piece[1:-1]  # the first and the last z also stand for all beyond
        np.testing.assert_allclose(inner, inner.mean(), rtol=0.03)
    assert np.sum(prior[:100]) < 0.45
    assert np.sum(q.mean(axis=0)[:100]) > 0.69
