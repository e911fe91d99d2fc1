"""Tests of the equilibria of the game with resampled codes that are not consistent pairs."""

import numpy as np
import pytest

from tests.games import Game, LadderGame, harmonium_statistics, products, signs
from tests.learners.test_equilibria import consistent, correlation

PLAYS = [(1, 0.0), (5, 0.5), (20, 1.0)]  # K and a


def collapsed(seed):
    """Bits x with dependent data, independent bits z; statistics in units of their deviations.

    Returns A, B, pi(x), pi(z), the collapsed point, and the eigenvalues of x's correlation.
    """
    _, _, joint = consistent(4, 2, seed=seed)
    x, z, data = signs(4), signs(2), joint.sum(1)
    mean_x, mean_z = data @ x, joint.sum(0) @ z
    prior = np.prod((1 + z * mean_z) / 2, axis=1)
    units = (x - mean_x) / np.sqrt(1 - mean_x**2), (z - mean_z) / np.sqrt(1 - mean_z**2)
    a, b = harmonium_statistics(x, z)
    a[..., :8] = b[..., :8] = products(*units)
    none = np.zeros(8)
    point = np.concatenate([none, np.arctanh(mean_x), none, np.arctanh(mean_z)])
    return a, b, data, prior, point, np.linalg.eigvalsh(correlation(x, data))


def rates(rho, draws, wake):
    """Real parts of the two eigenvalues at collapse, along a direction of correlation rho."""
    kappa = 1 - 1 / draws
    codes = 1 - wake + wake * kappa * rho
    return np.linalg.eigvals([[rho * kappa - 1, rho * (1 - kappa)], [codes, -codes]]).real


@pytest.mark.parametrize("draws, wake", PLAYS)
def test_collapse_is_left_where_data_correlate_and_faster_with_draws(draws, wake):
    """It is an equilibrium for every K and a, unstable just where an eigenvalue rho exceeds 1.

    The rate of leaving it goes from sqrt(rho) - 1 (K = 1) to rho - 1 (K -> inf).
    """
    for seed in range(3):
        a, b, data, prior, point, correlations = collapsed(seed)
        game = Game(a, b, data, prior, draws=draws, wake=wake)
        np.testing.assert_allclose(game.field(point), 0.0, atol=1e-13)
        pairs = np.r_[0:8, 12:20]  # weights of products x_i z_j, p's and q's
        found = np.linalg.eigvals(game.jacobian(point)[np.ix_(pairs, pairs)]).real
        both = np.concatenate([rates(rho, draws, wake) for rho in correlations])
        np.testing.assert_allclose(np.sort(found), np.sort(np.tile(both, 2)), atol=1e-9)
        rho = correlations[-1]
        assert rho > 1 and both.max() > 0
        assert rates(rho, 1, 0.0).max() == pytest.approx(np.sqrt(rho) - 1)
        assert rates(rho, 1e9, wake).max() == pytest.approx(rho - 1)
        growth = [rates(rho, k, 0.0).max() for k in (1, 2, 5, 20, 100)]
        assert np.all(np.diff(growth) > 0)


def ladder_collapse(*, draws, wake):
    """A ladder of 3, 2 and 1 bits with dependent data, whose players ignore each other."""
    x = signs(3)
    data = np.exp(0.4 * x @ np.array([[0, 2, 1], [0, 0, 2], [0, 0, 0]]) @ x.T).diagonal()
    data = data * np.exp(x @ [0.2, -0.1, 0.3])
    game = LadderGame((3, 2, 1), data / data.sum(), draws=draws, wake=wake)
    point = np.zeros(game.size)
    point[4:7] = np.arctanh(data @ x / data.sum())
    return game, point


def test_ladders_collapse_is_an_equilibrium_that_certain_codes_hardly_leave():
    """x and z apart and any p(z1 | z0) is stationary for every K and a; K multiplies the rate.

    But the rate goes to 0 with the variance of z1, 1 - tanh^2 of its logit, for every K.
    """
    growth = {}
    for draws, wake in PLAYS:
        game, point = ladder_collapse(draws=draws, wake=wake)
        for certainty in (0.0, 3.0):
            point[:2] = certainty  # the logits of z1, whatever z0 is
            np.testing.assert_allclose(game.field(point), 0.0, atol=1e-13)
            values = np.linalg.eigvals(game.jacobian(point))
            growth[draws, certainty] = values.real.max()
            assert (np.abs(values) < 1e-9).sum() == 4  # p(z1 | z0) itself is free
        ratio = growth[draws, 3.0] / growth[draws, 0.0]
        assert ratio == pytest.approx(1 - np.tanh(3.0) ** 2, rel=0.02)
    assert growth[1, 0.0] * 2 < growth[5, 0.0] < growth[20, 0.0]


def played(game, draws, wake):
    return Game(game.a, game.b, game.data, game.prior, draws=draws, wake=wake)


@pytest.mark.slow  # trainings that have to reach a number
def test_inconsistent_stable_equilibrium_survives_more_draws():
    """The second place of 4 and 2 bits under a given pi(z) is stable for K = 1, 5, 20, inf.

    It is near a local maximum of the likelihood, to which K -> inf takes the decoder.
    """
    plain, point, joint = consistent(4, 2)
    rng = np.random.default_rng(7)
    end = [rng.normal(size=len(point)) for _ in range(7)][6]
    for draws, wake in [(1, 0.0), (5, 0.5), (20, 0.5), (np.inf, 0.5)]:
        game = played(plain, draws, wake)
        end = game.flow(end, until=1e5)
        assert np.abs(game.field(end)).max() < 1e-9
        assert np.linalg.eigvals(game.jacobian(end)).real.max() < -5e-4
        dream, wake_joint = game.joints(end)
        assert np.abs(dream - joint).max() > 0.1 and np.abs(dream - wake_joint).max() > 5e-4
        likelihood = np.sum(joint.sum(1) * np.log(joint.sum(1) / dream.sum(1)))
        assert 1e-5 < likelihood < 1e-3


@pytest.mark.slow  # trainings that have to reach a number
def test_more_draws_leave_stable_equilibria_of_the_plain_game():
    """Four prototypes of 5 bits, which two bits z cannot tell apart fully, p(z) learned.

    From one start the plain game settles 0.1 nats above the other place that it has; with 5
    draws that place is left for the better one, which the game reaches from the start as well.
    """
    x, flip = signs(5), 0.05
    prototypes = np.array(
        [[-1, -1, -1, -1, -1], [1, 1, 1, -1, -1], [-1, -1, 1, 1, 1], [1, 1, -1, 1, 1]]
    )
    chances = np.prod(np.where(x == prototypes[:, None], 1 - flip, flip), axis=2)
    data = np.array([0.4, 0.3, 0.2, 0.1]) @ chances
    statistics = harmonium_statistics(x, signs(2))
    plain, drawing = (Game(*statistics, data, draws=k, wake=a) for k, a in [(1, 0.0), (5, 0.5)])
    start = 0.3 * np.random.default_rng(3).normal(size=plain.size)

    def gap(point):
        """KL(pi(x) || p(x)), nats."""
        return np.sum(data * np.log(data / drawing.joints(point)[0].sum(1)))

    settled = plain.flow(start, until=3e3)
    assert gap(settled) > 0.3
    assert np.linalg.eigvals(plain.jacobian(settled)).real.max() < -5e-4
    assert gap(drawing.flow(settled, until=3e3)) < 0.22
    assert gap(drawing.flow(start, until=3e3)) < 0.22
