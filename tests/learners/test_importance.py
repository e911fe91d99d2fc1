"""Tests of the bound of several draws: enumeration, quadrature, and what its parts add up to."""

import itertools
import math

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from keras_symvae import ELBO, Factor, Pair, Player, families, seeds, testing
from keras_symvae.data.batch import Batch
from keras_symvae.learners import importance
from tests import cases
from tests.data import test_missingness as missingness
from tests.enumeration import Exact, tiny
from tests.learners.test_elbo import pair_of, values
from tests.learners.test_equivalence import harmonium
from tests.learners.test_exactness import DATA, assert_unbiased, gradients, images, step_gradients

SEED = seeds.make(0)
ORDERS = ("ladder", "reverse")
FEW = np.where(np.arange(16) % 5 == 2, 1 / 3, 0.0)  # three images of 16


def tables(exact):
    """Returns log w [X, Z] and log q [X, Z] of the images that the data hold."""
    rows = np.flatnonzero(exact.data)
    log_q = tf.gather(exact.log_q(), rows)
    return tf.gather(exact.log_p(), rows) - log_q, log_q


def along(table, draw, draws):
    """Returns a table [X, Z] as [X, 1 ... Z ... 1], with Z on the axis of this draw."""
    shape = [table.shape[0]] + [table.shape[1] if k == draw else 1 for k in range(draws)]
    return tf.reshape(table, shape)


def exact_bounds(log_w, log_q, draws):
    """Returns L_K [X], summed over all K draws of Z values each; differentiable."""
    weight = sum(along(log_q, k, draws) for k in range(draws))
    parts = [along(log_w, k, draws) + tf.zeros_like(weight) for k in range(draws)]
    value = tf.reduce_logsumexp(parts, axis=0) - math.log(draws)
    return tf.reduce_sum(tf.exp(weight) * value, axis=list(range(1, draws + 1)))


def data_bound(exact, draws):
    share = tf.constant(exact.data[exact.data > 0])
    return tf.reduce_sum(share * exact_bounds(*tables(exact), draws))


def enumerated(exact, draws):
    """Returns what all K draws of all images are, `Weighed` [K, B], and their images [B]."""
    rows, codes = np.flatnonzero(exact.data), exact.log_q().shape[1]
    index = np.array(
        [(x, *zs) for x in rows for zs in itertools.product(range(codes), repeat=draws)]
    )
    places = np.concatenate([index[:, 0] * codes + index[:, 1 + k] for k in range(draws)])
    completed = Batch({name: tf.gather(value, places) for name, value in exact.values.items()})
    _, q = exact.pair.encoder.walk(completed)
    latent = exact.pair.latent
    drawn = dict.fromkeys(latent, True)
    parts = {"drawn": drawn, "blind": latent, "draws": draws}
    return importance.of_completions(exact.pair, completed, q, **parts), index[:, 0]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("order", "draws", "data"), [(o, 2, DATA) for o in ORDERS] + [("ladder", 3, FEW)]
)
def test_the_expected_gradient_of_bits_is_that_of_the_bound(order, draws, data):
    """All draws of all images: no sampling error, for the weights of both players."""
    exact = Exact(tiny(order), data)

    def surrogate():
        weighing, x = enumerated(exact, draws)
        chance = tf.exp(tf.reduce_sum(weighing.score, axis=0)) * tf.gather(exact.data, x)
        gain = importance.with_score(weighing.log_weights(), weighing.score)
        return tf.reduce_sum(tf.stop_gradient(chance) * gain)

    np.testing.assert_allclose(surrogate(), data_bound(exact, draws), rtol=1e-5)
    found = gradients(exact.pair, surrogate)
    sizes = []
    for (variable, gradient), (_, expected) in zip(
        found, gradients(exact.pair, lambda: data_bound(exact, draws)), strict=True
    ):
        np.testing.assert_allclose(gradient, expected, rtol=5e-4, atol=3e-5, err_msg=variable.path)
        sizes.append(np.abs(expected).max())
    assert min(sizes) > 1e-4 and max(sizes) > 0.05  # not a test of zeros


@pytest.mark.parametrize("order", ORDERS)
def test_a_step_follows_the_gradient_of_the_bound(order):
    exact = Exact(tiny(order), DATA)
    learner = ELBO(exact.pair, draws=2, seed=1)
    sampled = step_gradients(learner, {"x": images(exact, 20)}, repeats=50)
    assert_unbiased(sampled, gradients(exact.pair, lambda: data_bound(exact, 2)))


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_bounds_rise_with_the_number_of_draws_to_the_evidence(order):
    exact = Exact(tiny(order), FEW)
    bounds = []
    for draws in (1, 2, 3):
        weighing, x = enumerated(exact, draws)
        chance = np.exp(np.sum(weighing.score, axis=0, dtype=np.float64))
        bound = chance * importance.bound(weighing.log_weights()).numpy()
        bounds.append([bound[x == row].sum() for row in np.unique(x)])
        np.testing.assert_allclose(bounds[-1], exact_bounds(*tables(exact), draws), rtol=1e-4)
    bounds.append(exact.log_evidence().numpy()[exact.data > 0])
    assert np.all(np.diff(bounds, axis=0) > 1e-3)
    np.testing.assert_allclose(np.mean(bounds[0]), exact.elbo(), rtol=1e-4)


def test_the_baseline_is_the_bound_of_the_others_and_of_their_geometric_mean():
    log_w = np.random.default_rng(0).normal(size=(4, 6), scale=3.0)
    found = importance.leave_one_out(tf.constant(log_w, tf.float32))
    for k in range(4):
        others = np.delete(log_w, k, axis=0)
        mean = np.exp(others).prod(axis=0) ** (1 / 3)
        expected = np.log((np.exp(others).sum(axis=0) + mean) / 4)
        np.testing.assert_allclose(found[k], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(importance.leave_one_out(tf.fill([3, 2], -200.0)), -200.0)


# Real and mixed latents, by quadrature.

X = np.random.default_rng(3).normal(size=(3, 2)).astype(np.float32)
READS = {  # the encoder's factors in their order, and what they read
    "real": {"c": ("x",)},
    "a bit after a real code": {"c": ("x",), "d": ("x", "c")},
    "a real code after a bit": {"d": ("x",), "c": ("x", "d")},
}
GRID = np.linspace(-8.0, 8.0, 161).astype(np.float32)
NODES = np.linspace(-5.5, 5.5, 45)
MASSES = np.exp(-0.5 * NODES**2)


def mixed(reads):
    """Returns p(c) p(d) p(x | c, d) and q(c, d | x) of one real number c and one bit d."""
    known = {
        "x": families.Normal(2, scale=0.7),
        "c": families.Normal(1),
        "d": families.Bernoulli(1),
    }
    known = {name: family for name, family in known.items() if name == "x" or name in reads}
    shapes = {name: family.feature_shape for name, family in known.items()}

    def factor(name, given):
        size = int(np.prod(known[name].raw_shape))
        networks = cases.joint([shapes[other] for other in given], size)
        only = keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(size)])
        return Factor(name, given=given, network=networks if len(given) > 1 else only)

    latent = sorted(reads)
    pair = Pair(
        Player([*map(Factor, latent), factor("x", latent)], families=known, name="decoder"),
        Player([factor(*each) for each in reads.items()], families=known, name="encoder"),
    )
    rng = np.random.default_rng(4)
    for variable in pair.trainable_variables:
        variable.assign(0.4 * rng.normal(size=variable.shape))
    return pair


def integrated(pair):
    """L_2, a mean over X: sums over bits, and integrals over a fixed grid of real numbers."""
    bits = [0.0, 1.0] if "d" in pair.latent else [0.0]
    x, c, d = np.meshgrid(np.arange(len(X)), GRID, bits, indexing="ij")
    points = {"x": X[x.ravel()], "c": c.reshape(-1, 1), "d": d.reshape(-1, 1)}
    points = {name: tf.constant(points[name], tf.float32) for name in pair.families}
    log_p, log_q = (
        tf.reshape(sum(player.log_prob(points).values()), [len(X), -1])
        for player in (pair.decoder, pair.encoder)
    )
    cell = math.log(GRID[1] - GRID[0])
    return tf.reduce_mean(exact_bounds(log_p - log_q, log_q + cell, 2))


def of_all_noise(pair):
    """The same with fixed nodes of the noise of c, and the utility's own gradient."""
    bits = [0.0, 1.0] if "d" in pair.latent else [0.0]
    each = range(len(NODES))
    x, *rest = (part.ravel() for part in np.meshgrid(range(len(X)), each, each, bits, bits))
    place, bit = (np.concatenate(half)[:, None] for half in (rest[:2], rest[2:]))
    fixed = {"c": tf.constant(NODES[place], tf.float32), "d": tf.constant(bit, tf.float32)}

    def draw(name, family, eta, seed):
        if name == "d":
            return fixed["d"]
        weighted, precision = eta
        return weighted / precision + fixed["c"] * tf.math.rsqrt(precision)

    batch = {"x": tf.constant(X[np.tile(x, 2)])}
    completed, q = pair.encoder.walk(batch, draw=draw, seed=SEED)
    drawn, blind = dict.fromkeys(pair.latent, True), [n for n in pair.latent if n == "d"]
    parts = {"drawn": drawn, "blind": blind, "draws": 2}
    weighing = importance.of_completions(pair, completed, q, **parts)
    mass = (MASSES / MASSES.sum())[place].reshape(2, -1).prod(axis=0) / len(X)
    chance = tf.exp(tf.reduce_sum(weighing.score + tf.zeros([2, 1]), axis=0))
    gain = importance.with_score(weighing.log_weights(), weighing.score)
    return tf.reduce_sum(tf.constant(mass, tf.float32) * tf.stop_gradient(chance) * gain)


@pytest.mark.parametrize("kind", READS)
def test_the_expected_gradient_of_real_and_mixed_codes_is_that_of_the_bound(kind):
    pair = mixed(READS[kind])
    np.testing.assert_allclose(of_all_noise(pair), integrated(pair), rtol=1e-4)
    found = gradients(pair, lambda: of_all_noise(pair))
    expected = gradients(pair, lambda: integrated(pair))
    for (variable, gradient), (_, truth) in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, truth, rtol=2e-3, atol=2e-4, err_msg=variable.path)


@pytest.mark.parametrize("kind", READS)
def test_a_step_on_real_and_mixed_codes_follows_the_bound(kind):
    pair = mixed(READS[kind])
    learner = ELBO(pair, draws=2)
    batch = {"x": tf.constant(np.tile(X, (800, 1)))}
    outcome = learner.utility(batch, SEED)
    error = np.std(outcome.gain) / math.sqrt(2400)
    assert abs(np.mean(outcome.gain) - integrated(pair)) < 5 * error
    sampled = step_gradients(learner, batch, repeats=50)
    assert_unbiased(sampled, gradients(pair, lambda: integrated(pair)))


def test_at_a_posterior_all_weights_are_equal_and_the_bound_is_the_evidence():
    exact = Exact(harmonium())
    outcome = ELBO(exact.pair, draws=5).utility({"x": tf.constant(exact.images)}, SEED)
    np.testing.assert_allclose(outcome.measures["iw_bound"], exact.log_evidence(), atol=1e-4)
    np.testing.assert_allclose(outcome.measures["ess"], 5.0, rtol=1e-5)
    np.testing.assert_allclose(outcome.costs["encoder/choice"], 0.0, atol=1e-5)


# What an outcome holds.


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_costs_sum_to_the_negative_bound_and_are_means_by_weight(order):
    pair, x = cases.ladder(order=order), {"x": tf.constant(cases.images(5))}
    learner = ELBO(pair, draws=4)
    outcome = learner.utility(x, SEED)
    np.testing.assert_allclose(outcome.gain, -sum(outcome.costs.values()), rtol=1e-5)
    np.testing.assert_array_equal(outcome.gain, outcome.measures["iw_bound"])
    assert list(outcome.costs) == list(learner.cost_names)
    parts = importance.weighed(pair, x, draws=4, seed=SEED).costs
    log_w = -sum(part.numpy().astype(np.float64) for part in parts.values())
    share = scipy.special.softmax(log_w, axis=0)
    for name, part in parts.items():
        expected = (share * part.numpy()).sum(axis=0)
        np.testing.assert_allclose(outcome.costs[name], expected, rtol=1e-4, atol=1e-5)
    ess = np.exp(log_w).sum(axis=0) ** 2 / np.exp(2 * log_w).sum(axis=0)
    np.testing.assert_allclose(outcome.measures["ess"], ess, rtol=1e-4)
    choice = outcome.costs["encoder/choice"].numpy()
    assert np.all((choice > 0) & (choice < math.log(4)) & (ess > 1) & (ess < 4))


def test_an_impossible_draw_costs_nothing():
    costs = {
        "decoder/x": tf.constant([[2.0], [math.inf]]),
        "encoder/z": tf.constant([[0.5], [0.1]]),
    }
    found = importance.shared_out(importance.Weighed(costs, 0.0))
    expected = {"decoder/x": 2.0, "encoder/z": 0.5, "encoder/choice": math.log(2)}
    for name, cost in expected.items():
        np.testing.assert_allclose(found[name], [cost], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "step", "weight"),
    [({"kl_weight": 0.5}, 0, 0.5), ({"warmup_steps": 4}, 0, 0.0), ({"warmup_steps": 4}, 1, 0.25)],
)
def test_the_weight_of_the_kl_terms_is_a_power_in_the_weights(arguments, step, weight):
    pair = pair_of(families.Normal(2))
    learner = ELBO(pair, draws=3, **arguments)
    learner.steps.assign(step)
    outcome, plain = learner.utility(values(), SEED), ELBO(pair, draws=3).utility(values(), SEED)
    parts = importance.weighed(pair, values(), draws=3, seed=SEED).costs
    log_w = -parts["decoder/x"].numpy() - weight * parts["encoder/z"].numpy()
    expected = scipy.special.logsumexp(log_w, axis=0) - math.log(3)
    np.testing.assert_allclose(outcome.gain, expected, rtol=1e-5)
    for found, same in ((outcome.costs, plain.costs), (outcome.measures, plain.measures)):
        assert found.keys() == same.keys()
        for name, value in same.items():
            np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_the_bound_of_labelled_images_is_the_enumerated_one(weight):
    """Draws of z alone weighed by p(x, y, z) / q(z | x, y) with the label, of y and z without."""
    pair, (x, y, z) = missingness.tiny(), (2, 1, 0)
    table = missingness.Table(pair)
    p, of_y, of_z = sum(table.p.values())[x], table.q["y"][x], table.q["z0"][x]

    def bound(log_p, log_q):
        found = exact_bounds((log_p - log_q).reshape(1, -1), log_q.reshape(1, -1), 2)
        return float(found[0])

    expected = {("x", "y"): bound(p[y], of_z[y]), ("x",): bound(p, of_y + of_z)}
    learner = ELBO(pair, draws=2, label_weight=weight)
    batch = missingness.batch(pair, (x, y, z), list(expected))
    outcome = learner.utility(missingness.marked(pair, batch), SEED)
    gains = np.reshape(outcome.gain, [2, -1])
    expected["x", "y"] += weight * of_y[y, z]
    for gain, value in zip(gains, expected.values(), strict=True):
        missingness.assert_mean(gain / 2, value)  # two terms, each a mean over half of the batch
    assert set(outcome.present) == {"encoder/y/paired", "encoder/z0/paired"}


def test_latents_that_all_examples_hold_leave_nothing_to_draw():
    pair = cases.ladder(latents=(2,))
    batch = {"x": cases.images(4), "z0": np.eye(4, 2, dtype=np.float32)}
    batch = {name: tf.constant(value) for name, value in batch.items()}
    outcome = ELBO(pair, draws=3, label_weight=0.0).utility(batch, SEED)
    log_p = sum(pair.decoder.log_prob(batch).values())
    np.testing.assert_allclose(outcome.gain, log_p, rtol=1e-5)
    np.testing.assert_allclose(outcome.measures["ess"], 3.0, rtol=1e-5)


# Training.

LATENTS = {
    "bernoulli": families.Bernoulli(2),
    "categorical": families.Categorical((), num_classes=3),
    "poisson": families.Poisson(2),
    "gamma": families.Gamma(2),
    "von_mises": families.VonMises(2),
}


@pytest.mark.parametrize("name", LATENTS)
@pytest.mark.parametrize("tilt", [False, True])
def test_latents_of_every_kind_train(name, tilt):
    pair = pair_of(LATENTS[name], tilt=tilt)
    learner = ELBO(pair, draws=3, nonfinite="raise")
    learner.compile("sgd", run_eagerly=True)
    before = [weight.numpy() for weight in pair.trainable_weights]
    logs = learner.fit(values()["x"].numpy(), verbose=0).history
    np.testing.assert_allclose(logs["iw_bound"], -np.array(logs["loss"]), rtol=1e-5)
    assert np.isfinite(logs["loss"]).all() and 1.0 <= logs["ess"][0] <= 3.0
    for weight, old in zip(pair.trainable_weights, before, strict=True):
        assert np.any(weight.numpy() != old), weight.path


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("kind", ["conditional", pytest.param("reverse", marks=pytest.mark.slow)])
def test_steps_logs_and_files(kind):
    pair, data = cases.PAIRS[kind]()
    testing.run_learner_test(ELBO(pair, draws=3, seed=3), data)


def test_an_estimator_that_is_given_makes_the_gradient_of_several_draws_too():
    pair, x = pair_of(families.Bernoulli(2)), values()
    named = {name: ELBO(pair, draws=3, estimator=name) for name in ("zgr", "gumbel_softmax:0.3")}
    parts = importance.weighed(pair, x, draws=3, seed=SEED, estimator="zgr")
    assert parts.score == 0.0
    kernel = pair.encoder.factor("z").network.kernel.value
    slopes = {}
    for name, learner in named.items():
        with tf.GradientTape() as tape:
            gain = learner.utility(x, SEED).gain
        slopes[name] = tape.gradient(gain, kernel)
        assert np.any(slopes[name])
        held_out = learner.utility(x, SEED, training=False)
        np.testing.assert_array_equal(held_out.gain, importance.bound(parts.log_weights()))
    assert np.any(slopes["zgr"] != slopes["gumbel_softmax:0.3"])


@pytest.mark.parametrize("order", ORDERS)
def test_one_draw_is_the_elbo_to_the_last_bit(order):
    pair, x = cases.ladder(order=order), {"x": tf.constant(cases.images(5))}
    found = ELBO(pair, draws=1).utility(x, SEED)
    expected = ELBO(pair, estimator="zgr").utility(x, SEED)
    np.testing.assert_array_equal(found.gain, expected.gain)
    assert found.costs.keys() == expected.costs.keys() and not found.measures
    completed, _ = pair.encoder.rcomplete(x, seed=SEED, estimator="zgr")
    log_p = pair.decoder.log_prob(completed)["x"]
    np.testing.assert_array_equal(found.costs["decoder/x"], -log_p)


REFUSED = {
    "no draw": (families.Normal(2), {"draws": 0}, "draws is a positive integer; received 0"),
    "half a draw": (
        families.Normal(2),
        {"draws": 1.5},
        "draws is a positive integer; received 1.5",
    ),
    "free bits": (
        families.Normal(2),
        {"draws": 2, "free_bits": 0.1},
        "free_bits are nats of KL terms, which the bound of draws=2 does not have",
    ),
    "a gradient of counts": (
        families.Poisson(2),
        {"draws": 2, "estimator": "zgr"},
        "gradient through draws of 'z'.*SymmetricEquilibrium",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_is_refused(name):
    latent, arguments, match = REFUSED[name]
    with pytest.raises(ValueError, match=match):
        ELBO(pair_of(latent), **arguments)
