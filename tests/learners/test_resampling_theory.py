"""Tests of the theory of resampled completions, by enumeration: laws, gradients, equilibria."""

import numpy as np
import pytest
import tensorflow as tf

from tests.enumeration import Exact, bound_of_draws, gradients, law_of_the_taken, tiny
from tests.games import Game, LadderGame, harmonium, harmonium_statistics, law, signs

ORDERS = ("ladder", "reverse")
PLAYS = [(1, 0.5), (2, 0.0), (5, 0.5), (20, 1.0)]  # K and a


def distance(first, second):
    """Total variation [X] of two laws [X, Z]."""
    return 0.5 * np.abs(first - second).sum(1)


def divergence(first, second):
    """KL(first || second) [X], nats."""
    return np.sum(first * np.log(first / second), axis=1)


def posterior(log_joint):
    return tf.nn.softmax(tf.cast(log_joint, tf.float64), axis=1).numpy()


@pytest.mark.parametrize("order", ORDERS)
def test_law_of_the_taken_code_goes_from_the_encoder_to_the_posterior(order):
    """q_1 = q, and with more draws every x comes nearer to p(z | x).

    KL(p(z|x) || q_K) is at most log(1 + chi^2 / K), chi^2 that of p(z|x) against q(z|x).
    """
    exact = Exact(tiny(order))
    log_p, log_q = exact.log_p()[::4], exact.log_q()[::4]  # 4 images; 32 codes, 5 draws of them
    p, q = posterior(log_p), np.exp(np.float64(log_q))
    laws = {draws: law_of_the_taken(log_p, log_q, draws) for draws in (1, 2, 5)}
    np.testing.assert_allclose(laws[1], q, rtol=1e-12)
    chi = np.sum(p**2 / q, axis=1) - 1
    distances = [distance(laws[draws], p) for draws in (1, 2, 5)]
    assert distances[0].max() > 0.3
    assert np.all(distances[1] < distances[0]) and np.all(distances[2] < distances[1])
    for draws, found in laws.items():
        np.testing.assert_allclose(found.sum(1), q.sum(1), atol=1e-5 * draws)
        assert np.all(divergence(p, found) <= np.log(1 + chi / draws) + 1e-5)


def test_law_is_one_integral_for_any_number_of_draws():
    """The quadrature of `law` is the enumeration, and p(z | x) + O(1/K) for many draws."""
    rng = np.random.default_rng(0)
    log_q = np.log(rng.dirichlet(np.ones(6), size=3))
    log_joint = log_q + rng.normal(size=(3, 6))
    for draws in (1, 2, 3, 5, 8):
        found = law(tf.constant(log_joint), tf.constant(log_q), draws)
        np.testing.assert_allclose(found, law_of_the_taken(log_joint, log_q, draws), atol=1e-13)
    limit = law(tf.constant(log_joint), tf.constant(log_q), np.inf).numpy()
    np.testing.assert_allclose(limit, posterior(log_joint), rtol=1e-12)
    rests = []
    for draws in (500, 1000):
        found = law(tf.constant(log_joint), tf.constant(log_q), draws).numpy()
        np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-12)
        rests.append(draws * (found - limit))
    np.testing.assert_allclose(rests[0], rests[1], atol=0.02 * np.abs(rests[1]).max())


@pytest.mark.parametrize("order", ORDERS)
def test_bound_of_draws_is_below_the_bound_of_the_law(order):
    """E log 1/K sum w_k <= E_{q_K} log p(x,z) / q_K(z|x) <= log p(x), with all K in between."""
    exact = Exact(tiny(order))
    log_p, log_q = (tf.cast(table, tf.float64) for table in (exact.log_p(), exact.log_q()))
    log_q -= tf.reduce_logsumexp(log_q, axis=1, keepdims=True)  # float32 sums to 1 within 1e-6
    evidence = tf.reduce_logsumexp(log_p, axis=1).numpy()
    last = -np.inf
    for draws in (1, 2, 3):
        q_k = law_of_the_taken(log_p, log_q, draws)
        bound = bound_of_draws(log_p, log_q, draws).numpy()
        of_law = evidence - divergence(q_k, posterior(log_p))
        assert np.all(bound > last) and np.all(bound <= of_law + 1e-12)
        assert np.all(of_law < evidence)
        last = bound


def random_game(seed, *, draws, wake=0.0, learned=True, scale=1.0):
    """Game of 3 and 2 bits with any data, and a point with random weights."""
    rng = np.random.default_rng(seed)
    data, prior = rng.dirichlet(np.ones(8)), rng.dirichlet(np.ones(4))
    statistics = harmonium_statistics(signs(3), signs(2))
    game = Game(*statistics, data, None if learned else prior, draws=draws, wake=wake)
    return game, scale * rng.normal(size=game.size)


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("draws", [1, 2, 5])
def test_decoders_gradient_is_that_of_the_bound_of_draws(draws, learned):
    """One code is drawn, the decoder ascends E log 1/K sum_k w_k, with q's draws fixed."""
    game, point = random_game(3, draws=draws, learned=learned)
    variable = tf.constant(point)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        log_p, log_q, log_prior = game.logs(variable)
        value = tf.reduce_sum(game.data * bound_of_draws(log_p + log_prior, log_q, draws))
    own = sum(game.sizes[:2])
    expected = tape.gradient(value, variable).numpy()[:own]
    found = game.field(point)[:own]
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("order", ORDERS)
def test_decoder_of_networks_ascends_the_bound_of_draws(order):
    """The same for the networks of a tiny pair of the library, within their float32."""
    data = np.random.default_rng(5).dirichlet(np.ones(16))
    exact = Exact(tiny(order), data)
    owner = exact.pair.decoder
    bound = gradients(owner, lambda: exact.bound(2))
    plain = dict((v.path, g) for v, g in gradients(owner, exact.decoder_utility))
    moved = 0.0
    for (variable, first), (_, second) in zip(
        bound, gradients(owner, lambda: exact.decoder_utility(2)), strict=True
    ):
        np.testing.assert_allclose(first, second, atol=2e-5)
        moved = max(moved, np.abs(first - plain[variable.path]).max())
    assert moved > 0.01


def consistent(num_x, num_z, *, seed, draws, wake, learned):
    """A game whose data are those of a harmonium; returns game, point of the harmonium, p(x, z)."""
    rng = np.random.default_rng(seed)
    x, z = signs(num_x), signs(num_z)
    weights = 0.8 * rng.normal(size=(num_x, num_z))
    x_bias, z_bias = 0.5 * rng.normal(size=num_x), 0.5 * rng.normal(size=num_z)
    joint = harmonium(x, z, weights=weights, x_bias=x_bias, z_bias=z_bias)
    prior = joint.sum(0)
    known = None if learned else prior
    game = Game(*harmonium_statistics(x, z), joint.sum(1), known, draws=draws, wake=wake)
    free = np.log(prior[:-1] / prior[-1]) if learned else []
    point = np.concatenate([weights.ravel(), x_bias, free, weights.ravel(), z_bias])
    return game, point, joint


def consistent_ladder(seed, *, draws, wake, bits=3):
    """A ladder each of whose middle bits has a pixel of its own; returns game, point, p(x, z).

    With one bit z0, q(z0 | x) and q(z1 | z0, x) are in the encoder's family.
    """
    rng = np.random.default_rng(seed)
    c, b = 0.5 * rng.normal(size=(2, bits))
    f, w = rng.normal(size=(2, bits))
    g = -0.5 * np.log(np.cosh(b + w) / np.cosh(b - w))

    def given(x, z0):
        """log p(x_j | z0) of every pixel, up to what does not depend on z0."""
        paths = [(1 + z * np.tanh(c + f * z0)) * (1 + x * np.tanh(b + w * z)) for z in (-1.0, 1.0)]
        return np.log(np.sum(paths, axis=0))

    up, down = (given(x, 1.0) - given(x, -1.0) for x in (1.0, -1.0))
    parts = c, f, b, np.diag(w), np.sum(up + down) / 4, (up - down) / 4, g, np.diag(w)
    point = np.concatenate([np.ravel(part) for part in parts])
    widths = (bits, bits, 1)
    joint = np.exp(LadderGame(widths, np.ones(2**bits)).logs(point)[0])
    return LadderGame(widths, joint.sum(1), draws=draws, wake=wake), point, joint


def situation(kind, *, seed, draws, wake):
    """A consistent pair; returns game, point, p(x, z), s_p, s_q and q's whole derivative."""
    if kind == "ladder":
        game, point, joint = consistent_ladder(seed, draws=draws, wake=wake)
        return game, point, joint, *game.scores(point)
    game, point, joint = consistent(
        4, 2, seed=seed, draws=draws, wake=wake, learned=kind == "learned prior"
    )
    s_p, s_q = game.scores(point)
    return game, point, joint, s_p, s_q, s_q


KINDS = ("given prior", "learned prior", "ladder")


@pytest.mark.parametrize("draws, wake", PLAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_consistent_pairs_are_equilibria_with_the_derived_jacobian(kind, draws, wake):
    """For every K and a both gradients vanish where q(z|x) = p(z|x) and p(x) = pi(x), and there

    J = - E m m^T  -  1/K E c d^T  +  (1 - a/K) E s_q d^T,    m = E_q[s_p | x], c = s_p - m,

    with d = c - t_q, t_q the derivative of log q in all weights (s_q, unless q reads p's).
    """
    game, point, joint, s_p, s_q, t_q = situation(kind, seed=1, draws=draws, wake=wake)
    np.testing.assert_allclose(game.field(point), 0.0, atol=1e-13)
    jacobian = game.jacobian(point)
    np.testing.assert_allclose(jacobian, game.differences(point), atol=1e-8)
    np.testing.assert_allclose(jacobian, derived(joint, s_p, s_q, t_q, draws, wake), atol=1e-12)
    # FORMULAS: minus the Gram matrix of the paper's game, and what K draws add for the decoder.
    d, own = s_p - t_q, np.any(s_p != 0, axis=(0, 1))
    conditional = joint / joint.sum(1, keepdims=True)
    means = [np.einsum("xz,xzd->xd", conditional, part) for part in (s_p, d)]
    covariance = mean_product(joint, s_p, d) - np.einsum("x,xi,xj->ij", joint.sum(1), *means)
    of_p = -mean_product(joint, s_p, d) + (1 - 1 / draws) * covariance
    np.testing.assert_allclose(jacobian[own], of_p[own], atol=1e-12)
    of_q = (1 - wake / draws) * mean_product(joint, s_q, d)
    np.testing.assert_allclose(jacobian[~own], of_q[~own], atol=1e-12)


def mean_product(joint, first, second):
    return np.einsum("xz,xzi,xzj->ij", joint, first, second)


def derived(joint, s_p, s_q, t_q, draws, wake):
    """The Jacobian at a consistent pair [D, D], by formula."""
    conditional = joint / joint.sum(1, keepdims=True)
    m = np.broadcast_to(np.einsum("xz,xzd->xd", conditional, s_p)[:, None], s_p.shape)
    c, d = s_p - m, s_p - m - t_q
    decoder = mean_product(joint, m, m) + mean_product(joint, c, d) / draws
    return (1 - wake / draws) * mean_product(joint, s_q, d) - decoder


@pytest.mark.parametrize("kind", KINDS[:2])
def test_stable_consistent_pairs_are_the_same_for_every_k_and_a(kind):
    """J = -D (K E m m^T + E d d^T), D = (1/K, 1 - a/K): real spectrum, none positive, equal rank.

    With m = 0 at q's weights. So neither K nor a makes a consistent equilibrium stable or
    unstable; they change speeds alone: a slows, K takes time from the fastest direction.
    """
    for seed in range(10):
        _, _, joint, s_p, s_q, t_q = situation(kind, seed=seed, draws=1, wake=0.0)
        ranks, fastest, slower = set(), [], []
        for draws, wake in [(1, 0.0), (1, 0.5), (2, 0.0), (2, 1.0), (5, 0.0), (5, 0.5), (20, 1.0)]:
            values = np.linalg.eigvals(derived(joint, s_p, s_q, t_q, draws, wake))
            assert np.abs(values.imag).max() < 1e-7
            assert values.real.max() < 1e-12
            ranks.add(int((values.real < -1e-9).sum()))
            slower.append(np.sort(values.real))
            fastest.append(values.real.min())
        assert len(ranks) == 1
        assert np.all(slower[0] <= slower[1] + 1e-12) and np.all(slower[4] <= slower[5] + 1e-12)
        assert fastest[0] < fastest[2] < fastest[4] < fastest[6]


def test_consistent_ladders_have_no_unstable_direction():
    """Seen, not derived: where q reads p's logits the spectrum is complex, none of it positive."""
    for seed in range(5):
        game, point, joint = consistent_ladder(seed, draws=1, wake=0.0)
        scores = game.scores(point)
        for draws, wake in PLAYS:
            values = np.linalg.eigvals(derived(joint, *scores, draws, wake))
            assert values.real.max() < 1e-8
