"""Tests of the theory of local choice: what every cell's own choice keeps, and what it costs."""

import numpy as np
import pytest
import tensorflow as tf

from tests.enumeration import law_of_local_choice
from tests.games import harmonium, law, signs
from tests.learners.test_resampling_theory import consistent_ladder, distance

X, Z = signs(4), signs(3)
OVERLAPPING = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]])  # pixel i reads these cells
APART = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
OWN = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])  # one pixel a cell: too narrow
EVERYTHING = np.ones((4, 3), int)
COLOURS = [(0, 2), (1,)]  # windows of one colour do not meet


class Grid:
    """3 cells, 4 pixels, a harmonium with the prior that belongs to it, and q of single cells.

    The encoder has the posterior's law of every cell, which is all of the posterior there.

    Args:
        seed: of the weights.
        reach: which cells a pixel reads [4, 3].
        astray: deviation of a random error in the encoder's logits; 0 is a consistent pair.
        apart: the prior loses the dependence of its cells; the posterior is no product then.
    """

    def __init__(self, seed, *, reach=OVERLAPPING, astray=0.0, apart=False):
        rng = np.random.default_rng(seed)
        weights, x_bias = 0.8 * rng.normal(size=(4, 3)) * reach, 0.5 * rng.normal(size=4)
        z_bias = 0.5 * rng.normal(size=3)
        self.log_pixels = log_bits(X[:, None], x_bias + Z @ weights.T)
        self.prior = harmonium(X, Z, weights=weights, x_bias=x_bias, z_bias=z_bias).sum(0)
        if apart:
            up = self.prior @ (Z > 0)
            self.prior = np.prod(np.where(Z > 0, up, 1 - up), axis=1)
        joint = self.prior * np.exp(self.log_pixels.sum(-1))
        self.data, self.reach = joint.sum(1), reach
        self.posterior = joint / self.data[:, None]
        up = cells(self.posterior)
        logits = np.log(up / (1 - up)) / 2 + astray * rng.normal(size=(16, 3))
        self.log_cells = log_bits(Z, logits[:, None])
        self.q = np.exp(self.log_cells.sum(-1))

    def prior_term(self, kind):
        """log p(z_c | other cells), log p(z), or log p(z_c): [Z, C]."""
        whole = np.repeat(np.log(self.prior)[:, None], 3, axis=1)
        others = np.log(np.stack([equal_but([c]) @ self.prior for c in range(3)], axis=1))
        own = np.log([[self.prior[Z[:, c] == z[c]].sum() for c in range(3)] for z in Z])
        return {"full conditional": whole - others, "whole": whole, "marginal": own}[kind]

    def local(self, window, kind):
        """l_c of a draw [X, Z, C]; `window` says which cells a pixel counts for [4, C]."""
        return self.log_pixels @ window + self.prior_term(kind) - self.log_cells

    def law(self, window, kind, draws):
        """The law [X, Z] of the codes, all cells of which chose for themselves."""
        local = self.local(window, kind)
        rows = zip(local, self.q, strict=True)
        return np.stack([law_of_local_choice(row, q, Z, draws) for row, q in rows])

    def law_by_colours(self, colour, draws):
        """The law [X, Z] where cells of one colour choose beside the others of one draw."""
        local = self.local(self.reach, "full conditional")
        chosen = np.ones_like(self.q)
        kept = self.q @ equal_but(colour)  # q of the other cells
        for c in colour:
            both = np.stack([np.nonzero(row)[0] for row in equal_but([c])])  # [Z, 2]
            log_q = self.log_cells[:, both, c].reshape(-1, 2)
            log_joint = local[:, both, c].reshape(-1, 2) + log_q
            taken = law(tf.constant(log_joint), tf.constant(log_q), draws).numpy()
            mine = (both == np.arange(8)[:, None])[None]
            chosen *= np.sum(taken.reshape(16, 8, 2) * mine, axis=-1)
        return kept * chosen

    def decoder_gradient(self, taken):
        """E_data E_taken of log p(x | z)'s gradient in the weights that are there."""
        mean = np.exp(self.log_pixels.sum(-1)).T @ X
        rests = X[:, None] - mean
        gradient = np.einsum("x,xz,xzi,zj->ij", self.data, taken, rests, Z)
        return np.abs(gradient * self.reach).max()

    def away(self, taken):
        """Mean total variation between a law and the encoder's, over the data."""
        return self.data @ distance(taken, self.q)

    def missed(self, taken):
        """Mean total variation between a law and p(z | x), over the data."""
        return self.data @ distance(taken, self.posterior)


def log_bits(values, logits):
    return values * logits - np.log(2.0 * np.cosh(logits))


def equal_but(colour):
    """Which z have the same cells but for those of a colour [Z, Z]."""
    others = np.delete(Z, colour, axis=1)
    return np.all(others[:, None] == others, axis=2)


def cells(taken):
    """The probability [X, C] that a cell is +1."""
    return taken @ (Z > 0)


@pytest.mark.parametrize("kind", ["full conditional", "whole"])
@pytest.mark.parametrize("window", [OVERLAPPING, EVERYTHING], ids=["footprint", "everything"])
def test_a_window_that_holds_the_footprint_keeps_every_cells_law(window, kind):
    """At a consistent pair, l_c depends on the neighbours' draws alone, so z*_c has q_c's law.

    The encoder's gradient from the taken codes vanishes with it. The cells of z* are a little
    dependent, and the decoder's gradient is not zero: the bias of local choice.
    """
    for seed in range(3):
        grid = Grid(seed)
        np.testing.assert_allclose(grid.q, grid.posterior, atol=1e-14)
        assert grid.decoder_gradient(grid.q) < 1e-14
        assert grid.away(grid.law(window, kind, 1)) < 1e-14
        for draws in (2, 3, 5):
            taken = grid.law(window, kind, draws)
            np.testing.assert_allclose(cells(taken), cells(grid.q), atol=1e-13)
            assert 1e-4 < grid.away(taken) < 0.03
            assert 1e-4 < grid.decoder_gradient(taken) < 0.03


def test_narrow_windows_and_the_marginal_prior_move_the_cells():
    """A window within the footprint, or log p(z_c) where cells depend, moves q_c, more with K."""
    for seed in range(3):
        grid = Grid(seed)
        for window, kind in ((OWN, "full conditional"), (OVERLAPPING, "marginal")):
            laws = [grid.law(window, kind, draws) for draws in (2, 5)]
            moved = [np.abs(cells(taken) - cells(grid.q)).max() for taken in laws]
            assert moved[1] > moved[0] > 0.02
            whole = grid.law(OVERLAPPING, "full conditional", 5)
            assert grid.decoder_gradient(laws[1]) > 2 * grid.decoder_gradient(whole)


@pytest.mark.parametrize("draws", [2, 5])
def test_local_choice_is_exact_where_windows_do_not_overlap(draws):
    """Then every cell is a problem of its own: z* has the product of the cells' laws q_K.

    For any encoder, with log p(z_c) or the full conditional, which are the same; but not with
    the whole log p(z), which lets a cell choose by its neighbours' luck.
    """
    grid = Grid(0, reach=APART, astray=1.0)
    expected = np.ones_like(grid.q)
    for c in range(3):
        both = [np.nonzero(Z[:, c] == value)[0][0] for value in (-1.0, 1.0)]
        log_q = grid.log_cells[:, both, c]
        posterior = np.log(
            np.stack([1 - cells(grid.posterior)[:, c], cells(grid.posterior)[:, c]], 1)
        )
        taken = law(tf.constant(posterior), tf.constant(log_q), draws).numpy()
        expected *= taken[:, (Z[:, c] > 0).astype(int)]
    for kind in ("full conditional", "marginal"):
        np.testing.assert_allclose(grid.law(APART, kind, draws), expected, atol=1e-13)
    assert grid.missed(expected) < grid.missed(grid.q)
    assert np.abs(grid.law(APART, "whole", draws) - expected).max() > 0.003


@pytest.mark.parametrize("colour", COLOURS)
def test_choice_by_colours_is_exact(colour):
    """Cells whose windows do not meet choose, all others stay: no bias at a consistent pair.

    Elsewhere it is one step of a chain that p(z | x) is invariant to, so that no law comes
    farther from p(z | x), whatever K, and with K -> inf it is Gibbs sampling of these cells.
    """
    for seed in range(3):
        grid = Grid(seed)
        for draws in (2, 5, 20):
            taken = grid.law_by_colours(colour, draws)
            np.testing.assert_allclose(taken, grid.q, atol=1e-13)
            assert grid.decoder_gradient(taken) < 1e-13
        astray = Grid(seed, astray=1.0)
        missed = [astray.missed(astray.law_by_colours(colour, draws)) for draws in (1, 2, 5, 20)]
        assert missed[0] == pytest.approx(astray.missed(astray.q))
        assert np.all(np.diff(missed) < 0)
        same = equal_but(colour)
        gibbs = astray.q @ same * astray.posterior / (astray.posterior @ same)
        np.testing.assert_allclose(astray.law_by_colours(colour, np.inf), gibbs, atol=1e-12)


@pytest.mark.parametrize("apart", [False, True])
def test_many_local_draws_lead_to_a_product_of_cells(apart):
    """K -> inf: independent cells, r_c(z_c) ~ E_q[p(x in the window | z) p(z_c | others)].

    For any encoder that is p(z | x), if p(z | x) is a product of cells; else it cannot be.
    """
    grid = Grid(2, astray=0.3, apart=apart)
    local = grid.local(OVERLAPPING, "full conditional")
    limit = np.ones_like(grid.q)
    for c in range(3):
        weights = grid.q * np.exp(local[..., c])
        up = weights @ (Z[:, c] > 0) / weights.sum(1)
        limit *= np.where(Z[:, c] > 0, up[:, None], 1 - up[:, None])
    laws = [grid.law(OVERLAPPING, "full conditional", draws) for draws in (5, 10)]
    rests = [grid.data @ distance(taken, limit) for taken in laws]
    assert 0.4 < rests[1] / rests[0] < 0.6
    assert grid.missed(limit) > 0.03 if apart else grid.missed(limit) < 1e-14


@pytest.mark.parametrize("draws", [2, 3])
def test_draws_of_a_local_choice_must_share_the_levels_above(draws):
    """A consistent ladder of 3 middle bits with a pixel each, and one bit z0 above.

    With one z0 for all K draws, z* and z0 have q's law. With a z0 of its own for each draw, a
    cell prefers draws whose z0 explains its pixel, which q(z0 | x) has counted already.
    """
    game, point, _ = consistent_ladder(2, draws=1, wake=0.0)
    q = np.exp(game.logs(point)[1])
    c, f, b, w, *_, g, v = (part.numpy() for part in game.parts(point))
    z0, z1, x = game.z0, game.z1, game.x
    prior = log_bits(z1, c + z0 @ f.T)
    of_q = log_bits(z1, c + z0 @ f.T + (g + x @ v.T)[:, None])
    local = log_bits(x[:, None], b + z1 @ w.T) + prior - of_q  # [X, Z, C]
    apart, shared, plain = [], [], []
    for row, chance in zip(local, q, strict=True):
        above = np.array([np.all(z0 == value, axis=1) for value in (-1.0, 1.0)])
        plain.append(np.sum([chance[level] for level in above], axis=0))
        apart.append(law_of_local_choice(row, chance, z1, draws))
        shared.append(
            np.sum(
                [
                    chance[level].sum()
                    * law_of_local_choice(
                        row[level], chance[level] / chance[level].sum(), z1[level], draws
                    )
                    for level in above
                ],
                axis=0,
            )
        )
    np.testing.assert_allclose(shared, plain, atol=1e-12)
    assert distance(np.array(apart), np.array(plain)).max() > 0.02
