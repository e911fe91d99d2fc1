"""Tests of partly observed data: every example enters exactly the terms that it can."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import zoo
from keras_symvae import ELBO, SymmetricEquilibrium, seeds
from tests.enumeration import bits

SEED = seeds.make(3)
VARIABLES = ("x", "y", "z0")
PATTERNS = [
    known for size in (1, 2, 3) for known in itertools.combinations(VARIABLES, size)
]  # {x} ... {x, y, z0}
COPIES = 4000


def tiny():
    """p(y) p(z0) p(x | y, z0) and q(y | x) q(z0 | x, y) over 2 pixels, 3 classes and 2 bits."""
    pair = zoo.SemiSupervised((2, 1, 1), 3, latents=(2,), width=4)
    rng = np.random.default_rng(0)
    for variable in pair.trainable_variables:
        variable.assign(0.7 * rng.normal(size=variable.shape))
    return pair


class Table:
    """All values of the tiny pair as arrays [X, Y, Z]: x in 4 states, y in 3, z0 in 4."""

    def __init__(self, pair):
        x, y, z0 = np.meshgrid(np.arange(4), np.arange(3), np.arange(4), indexing="ij")
        self.states = {"x": bits(2).reshape(4, 2, 1, 1), "y": np.arange(3), "z0": bits(2)}
        values = {
            "x": tf.constant(self.states["x"][x.ravel()]),
            "y": tf.constant(y.ravel(), tf.int32),
            "z0": tf.constant(self.states["z0"][z0.ravel()]),
        }
        self.p, self.q = (
            {name: np.reshape(score, x.shape) for name, score in player.log_prob(values).items()}
            for player in (pair.decoder, pair.encoder)
        )

    def decoder(self, example, known):
        """log p of what the encoder can complete, averaged over its draws."""
        if "x" not in known:
            return sum(self.p[name][example] for name in known)
        weights = np.exp(sum(self.q[name] for name in ("y", "z0") if name not in known))
        score = sum(self.p.values())
        return self._mean(weights * np.ones_like(score), score, example, known)

    def paired(self, example, known):
        """log q of the latents that are known, as far as all they depend on is."""
        total = 0.0
        if {"x", "y"} <= set(known):
            total += self.q["y"][example]
        if {"x", "y", "z0"} <= set(known):
            total += self.q["z0"][example]
        return total

    def dreams(self, example, known):
        """log q of dreams, which start from the latents of an example without x."""
        start = () if "x" in known else known
        drawn = [name for name in ("x", "y", "z0") if name not in start]
        weights = np.exp(sum(self.p[name] for name in drawn))
        return self._mean(weights, sum(self.q.values()), example, start)

    @staticmethod
    def _mean(weights, score, example, fixed):
        index = tuple(
            slice(place, place + 1) if name in fixed else slice(None)
            for name, place in zip(VARIABLES, example, strict=True)
        )
        weights, score = weights[index], score[index]
        np.testing.assert_allclose(weights.sum(), 1.0, rtol=1e-5)
        return (weights * score).sum()


def batch(pair, example, patterns):
    """COPIES of one example for every pattern, with markers where a variable is not known."""
    table = Table(pair).states
    values = {}
    for name, place in zip(VARIABLES, example, strict=True):
        family = pair.families[name]
        state = np.asarray(table[name][place], family.dtype.as_numpy_dtype)
        rows = [state if name in p else np.full_like(state, family.marker) for p in patterns]
        values[name] = tf.constant(np.repeat(np.stack(rows), COPIES, axis=0))
    return values


def marked(pair, values):
    """Returns the `Batch` of values in which markers stand for what is missing."""
    return pair.batch(values, lacking=values)


def kind(known):
    if "x" not in known:
        return "latent"
    return "paired" if len(known) > 1 else "observed"


def assert_mean(found, expected):
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - expected) < 5 * error + 1e-5


@pytest.mark.parametrize("example", [(0, 0, 0), (2, 1, 3)])
def test_every_pattern_of_missingness_scores_what_enumeration_says(example):
    pair = tiny()
    table = Table(pair)
    weights = {
        "decoder/paired": 0.5,
        "decoder/observed": 2.0,
        "decoder/latent": 3.0,
        "encoder/paired": 0.25,
        "encoder/dreams": 1.5,
    }
    learner = SymmetricEquilibrium(pair, weights=weights)
    values = marked(pair, batch(pair, example, PATTERNS))
    p = np.reshape(learner.decoder_utility(values, SEED).gain, [len(PATTERNS), COPIES])
    q = np.reshape(learner.encoder_utility(values, SEED).gain, [len(PATTERNS), COPIES])
    kinds = [kind(known) for known in PATTERNS]
    for row, known in enumerate(PATTERNS):
        # The mean over the batch is the sum over terms of weight x mean over the term's examples.
        weight = weights[f"decoder/{kinds[row]}"] * len(PATTERNS) / kinds.count(kinds[row])
        assert_mean(p[row], weight * table.decoder(example, known))
        expected = weights["encoder/dreams"] * table.dreams(example, known)
        if kinds[row] == "paired":
            weight = weights["encoder/paired"] * len(PATTERNS) / kinds.count("paired")
            expected += weight * table.paired(example, known)
        assert_mean(q[row], expected)


def test_costs_are_means_over_the_examples_that_have_them():
    pair = tiny()
    learner = SymmetricEquilibrium(pair)
    values = batch(pair, (1, 2, 1), PATTERNS)
    outcome = learner.encoder_utility(marked(pair, values), SEED)
    present = outcome.present["encoder/y/paired"].numpy()
    assert present.mean() == 2 / 7  # {x, y} and {x, y, z0}
    cost = outcome.costs["encoder/y/paired"].numpy()
    np.testing.assert_allclose(cost[present], -Table(pair).q["y"][1, 2, 1], rtol=1e-4)
    assert not cost[~present].any()
    learner.compile()
    logs = learner.evaluate(
        {name: value.numpy() for name, value in values.items()},
        batch_size=len(PATTERNS) * COPIES,
        verbose=0,
        return_dict=True,
    )
    np.testing.assert_allclose(logs["encoder/y/paired"], cost[present].mean(), rtol=1e-4)


def test_a_batch_without_labels_is_the_unsupervised_game():
    pair = tiny()
    learner = SymmetricEquilibrium(pair)
    values = batch(pair, (3, 1, 0), [("x",)])
    for utility in (learner.decoder_utility, learner.encoder_utility):
        lacking, plain = utility(marked(pair, values), SEED), utility({"x": values["x"]}, SEED)
        np.testing.assert_array_equal(lacking.gain, plain.gain)
        for name, cost in plain.costs.items():
            np.testing.assert_array_equal(lacking.costs[name], cost)


def test_what_is_missing_never_reaches_a_gradient():
    """A step on examples with markers is finite, and so are all weights after it."""
    pair = tiny()
    learner = SymmetricEquilibrium(pair, nonfinite="raise")
    learner.compile("sgd")
    values = {name: value.numpy() for name, value in batch(pair, (1, 1, 1), PATTERNS).items()}
    rows = np.arange(0, len(PATTERNS) * COPIES, COPIES // 4)
    learner.fit({name: value[rows] for name, value in values.items()}, verbose=0)
    assert all(np.isfinite(weight).all() for weight in pair.get_weights())


REFUSED = {
    "a label is missing everywhere": ({"x": [0, 1], "y": [-1, -1]}, "'y' is missing in all 2"),
    "nothing is known": ({"x": [0, np.nan], "y": [1, -1]}, "1 examples, such as number 1"),
    "a label out of range": ({"x": [0, 1], "y": [0, 3]}, r"'y' ranges over \[0, 3\]"),
    "half an image": ({"x": [0, None], "y": [0, 1]}, "'x' holds NaN"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_cannot_be_used_are_refused_before_training(name):
    data, message = REFUSED[name]
    images = np.zeros((2, 2, 1, 1), np.float32)
    for row, value in enumerate(data["x"]):
        images[row] = np.array([[[0]], [[np.nan]]]) if value is None else value
    learner = SymmetricEquilibrium(tiny())
    learner.compile()
    with pytest.raises(ValueError, match=message):
        learner.fit({"x": images, "y": np.array(data["y"], np.int32)}, verbose=0)
    assert int(learner.steps.numpy()) == 0


def test_unknown_terms_and_bad_weights_are_refused():
    with pytest.raises(ValueError, match="no terms"):
        SymmetricEquilibrium(tiny(), weights={"decoder/labels": 1.0})
    with pytest.raises(ValueError, match="'encoder/paired' is a number"):
        SymmetricEquilibrium(tiny(), weights={"encoder/paired": -1.0})


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_the_bound_of_labelled_images_is_the_enumerated_one(weight):
    """log p(x, y, z) - log q(z | x, y) with the label, log p(x, y, z) - log q(y, z | x) without."""
    pair, example = tiny(), (2, 1, 0)
    table = Table(pair)
    p, q = (sum(scores.values())[2] for scores in (table.p, table.q))
    with_label = np.exp(table.q["z0"][2, 1]) * (p[1] - table.q["z0"][2, 1])
    without = np.exp(q) * (p - q)
    expected = {("x", "y"): with_label.sum(), ("x",): without.sum()}
    learner = ELBO(pair, label_weight=weight)
    values = marked(pair, batch(pair, example, list(expected)))
    outcome = learner.utility(values, SEED, training=False)
    gains = np.reshape(outcome.gain, [2, COPIES])
    expected["x", "y"] += weight * table.q["y"][2, 1, 0]
    for gain, bound in zip(gains, expected.values(), strict=True):
        assert_mean(gain / 2, bound)  # two terms, each a mean over half of the batch


def test_the_elbo_needs_images():
    learner = ELBO(tiny())
    learner.compile()
    values = {"x": np.full((2, 2, 1, 1), np.nan, "float32"), "y": np.arange(2, dtype="int32")}
    values["x"][0] = 1.0
    with pytest.raises(ValueError, match="'x' is missing in 1 examples, and ELBO cannot"):
        learner.fit(values, verbose=0)
