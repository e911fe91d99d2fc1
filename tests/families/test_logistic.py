"""The discretised logistic: all 256 probabilities sum to 1, and TFP and enumeration agree."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import Factor, Player, families, seeds
from keras_symvae.families import DiscretizedLogistic
from keras_symvae.testing import RAW_OUTPUTS

tfd = tfp.distributions
VALUES = np.arange(256, dtype=np.float32) / 255.0
RNG = np.random.default_rng(0)


def raws(family, size, *, spread=3.0):
    return tf.constant(spread * RNG.normal(size=(size, *family.raw_shape)), tf.float32)


def of_all_values(family, raw):
    """Returns the probabilities [B, 256] of a single pixel."""
    eta = repeated(family.natural(raw), 256)
    value = np.tile(VALUES, len(raw)).reshape(-1, *family.shape)
    return np.exp(np.float64(family.log_prob(eta, value))).reshape(-1, 256)


def repeated(eta, size):
    return tf.nest.map_structure(lambda part: tf.repeat(part, size, axis=0), eta)


@pytest.mark.parametrize("components", [1, 3])
def test_the_probabilities_of_all_values_sum_to_one(components):
    family = DiscretizedLogistic((1, 1), components=components)
    raw = tf.concat(
        [raws(family, 20), [tf.fill(family.raw_shape, np.float32(each)) for each in RAW_OUTPUTS]], 0
    )
    np.testing.assert_allclose(of_all_values(family, raw).sum(axis=1), 1.0, atol=2e-4)


@pytest.mark.parametrize("components", [1, 2])
def test_coupled_channels_have_a_joint_distribution(components):
    """Of sharp pixels few values have any probability, and all pairs of these can be summed."""
    family = DiscretizedLogistic((2,), components=components, coupled=True)
    raw = raws(family, 1, spread=0.4).numpy()
    raw[:, 2 * components : 4 * components] = 120.0  # steep
    eta = family.natural(raw)
    near = np.unique(np.asarray(family.sample(repeated(eta, 2000), seeds.make(0))).round(4))
    inside = [v for v in VALUES if near.min() - 0.1 < v < near.max() + 0.1]
    pairs = np.float32(list(itertools.product(inside, repeat=2)))
    log_p = family.log_prob(repeated(eta, len(pairs)), pairs)
    np.testing.assert_allclose(np.exp(np.float64(log_p)).sum(), 1.0, atol=1e-3)
    elements = family.element_log_prob(repeated(eta, len(pairs)), pairs)
    np.testing.assert_allclose(tf.reduce_sum(elements, axis=1), log_p, atol=1e-4)


def test_log_prob_is_that_of_tfps_quantized_mixture():
    family = DiscretizedLogistic((4, 1), components=3)
    loc, steepness, logits, _ = family.natural(raws(family, 50, spread=1.0))
    value = tf.constant(RNG.choice(VALUES, (50, 4, 1)))
    value = tf.where(RNG.random((50, 4, 1)) < 0.2, tf.round(value), value)
    # TFP's intervals reach from one integer down to the next.
    parts = tfd.TransformedDistribution(
        tfd.Logistic(255.0 * tf.cast(loc, tf.float64), 255.0 / tf.cast(steepness, tf.float64)),
        tfp.bijectors.Shift(tf.constant(-0.5, tf.float64)),
    )
    mixture = tfd.MixtureSameFamily(
        tfd.Categorical(logits=tf.cast(logits, tf.float64)),
        tfd.QuantizedDistribution(parts, low=tf.constant(0.0, tf.float64), high=255.0),
    )
    expected = mixture.log_prob(tf.round(255.0 * tf.cast(value, tf.float64)))
    found = family.element_log_prob((loc, steepness, logits, tf.zeros([50, 4, 1, 3, 0])), value)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_what_lies_far_off_costs_a_finite_amount_with_a_finite_gradient():
    """Values that are certain to be another one, in the tails and between them."""
    family = DiscretizedLogistic((3,), components=2, coupled=True)
    value = tf.constant([[0.0, 128 / 255, 1.0]])
    for each in RAW_OUTPUTS:
        raw = tf.fill([1, *family.raw_shape], np.float32(each))
        with tf.GradientTape() as tape:
            tape.watch(raw)
            score = family.log_prob(family.natural(raw), value)
        assert np.isfinite(score).all() and np.isfinite(tape.gradient(score, raw)).all()
        eta = family.natural(raw)
        for shown in (family.mean(eta), family.mode(eta)):
            family.check("shown", shown.numpy())


def test_values_are_those_of_files_and_others_count_as_the_nearest():
    family = DiscretizedLogistic((2, 2, 3), components=2, coupled=True)
    eta = family.natural(raws(family, 200))
    value = family.sample(eta, seeds.make(1)).numpy()
    np.testing.assert_allclose(255 * value, np.round(255 * value), atol=1e-3)
    near = np.clip(value + RNG.uniform(-0.4, 0.4, value.shape) / 255, 0, 1).astype("float32")
    np.testing.assert_array_equal(family.log_prob(eta, near), family.log_prob(eta, value))
    with pytest.raises(ValueError, match="Divide by 255"):
        family.check("x", np.full((1, 2, 2, 3), 255, np.uint8))


@pytest.mark.parametrize("components", [1, 2])
def test_draws_have_the_probabilities_that_they_are_scored_with(components):
    """Bright or dark first channels change the second one as log_prob says."""
    family, size = DiscretizedLogistic((2,), components=components, coupled=True), 40_000
    eta = repeated(family.natural(raws(family, 1, spread=1.0)), size)
    drawn = family.sample(eta, seeds.make(2)).numpy()
    for first in (lambda x: x > 0.5, lambda x: x <= 0.5):
        chosen = first(drawn[:, 0])
        others = np.float32(list(itertools.product(VALUES[first(VALUES)], VALUES)))
        part = tf.nest.map_structure(lambda each: tf.repeat(each[:1], len(others), 0), eta)  # noqa: B023
        p = np.exp(np.float64(family.log_prob(part, others)))
        assert abs(p.sum() - chosen.mean()) < 0.02
        if chosen.sum() > 1000:
            mean = (p * others[:, 1]).sum() / p.sum()
            assert abs(mean - drawn[chosen, 1].mean()) < 0.02


def test_the_mean_is_that_of_all_values_to_half_a_step():
    family = DiscretizedLogistic((1,), components=2)
    raw = raws(family, 30)
    expected = of_all_values(family, raw) @ VALUES
    found = family.mean(family.natural(raw))[:, 0]
    np.testing.assert_allclose(found, expected, atol=0.5 / 255 + 1e-4)


@pytest.mark.parametrize("question", ["kl", "entropy", "rsample"])
def test_what_has_no_closed_form_is_refused(question):
    family = DiscretizedLogistic(2)
    eta = family.natural(tf.zeros([1, 4]))
    given = {"kl": (eta,), "rsample": (seeds.make(0),)}.get(question, ())
    with pytest.raises(ValueError, match=r"DiscretizedLogistic (has no|draws have no)"):
        getattr(family, question)(eta, *given)


def test_no_factor_tilts_it():
    known = {"z": DiscretizedLogistic(2), "x": families.Bernoulli(3)}
    with pytest.raises(ValueError, match="tilt=True adds natural parameters"):
        Player([Factor("z", given="x", tilt=True)], families=known)
