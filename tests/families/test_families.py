"""Tests of the families: SciPy's densities, products of densities, and any raw output."""

import inspect

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from keras_symvae import families, seeds, testing
from keras_symvae.families import Family
from tests import cases

RNG = np.random.default_rng(0)


def test_the_table_holds_every_family():
    public = {getattr(families, name) for name in families.__all__}
    assert public - {Family} == {type(family) for family in cases.FAMILIES.values()}


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_family(name):
    testing.run_family_test(cases.FAMILIES[name])


def oracle(family, eta, value):
    """Returns SciPy's log-density of each element, in float64."""
    eta = [np.asarray(part, np.float64) for part in tf.nest.flatten(eta)]
    value = np.asarray(value, np.float64)
    stats = scipy.stats
    if isinstance(family, families.Bernoulli):
        return stats.bernoulli.logpmf(value, scipy.special.expit(eta[0]))
    if isinstance(family, families.Categorical):
        log_probs = scipy.special.log_softmax(eta[0], axis=-1)
        return np.take_along_axis(log_probs, value[..., None].astype(int), -1)[..., 0]
    if isinstance(family, families.Poisson):
        return stats.poisson.logpmf(value, np.exp(eta[0]))
    if isinstance(family, families.Normal):
        return stats.norm.logpdf(value, eta[0] / eta[1], eta[1] ** -0.5)
    if isinstance(family, families.Gamma):
        return stats.gamma.logpdf(value, eta[0], scale=1 / eta[1])
    if isinstance(family, families.Beta):
        return stats.beta.logpdf(value, eta[0], eta[1])
    assert isinstance(family, families.VonMises)
    return stats.vonmises.logpdf(value, np.hypot(*eta), np.arctan2(eta[1], eta[0]))


def member(family, size, *, spread=2.0):
    """Returns natural parameters of random raw outputs [size, ...]."""
    raw = tf.constant(RNG.normal(size=(size, *family.raw_shape)) * spread, tf.float32)
    return family.natural(raw, tf.fill([1], 0.3) if family.num_shared else None)


def stack(eta, size):
    """Repeats one member, the first of a batch, `size` times."""
    return tf.nest.map_structure(lambda part: tf.repeat(part[:1], size, axis=0), eta)


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_log_prob_is_scipys(name):
    family = cases.FAMILIES[name]
    eta = member(family, 50)
    value = family.sample(eta, seeds.make(1))
    expected = oracle(family, eta, value).reshape(50, -1).sum(axis=1)
    np.testing.assert_allclose(family.log_prob(eta, value), expected, rtol=1e-3, atol=1e-3)
    tfp = family.distribution(eta)
    assert tfp.batch_shape == (50,) and tfp.event_shape == family.shape
    np.testing.assert_allclose(tfp.log_prob(value), expected, rtol=1e-3, atol=1e-3)


def log_base_measure(family, value):
    """Returns log h(value) [B] against the measure of `log_prob`, up to a constant."""
    value = np.asarray(value, np.float64)
    log_h = np.zeros(value.shape)
    if isinstance(family, families.Gamma):
        log_h = -np.log(value)
    elif isinstance(family, families.Beta):
        log_h = -np.log(value) - np.log1p(-value)
    elif isinstance(family, families.Poisson):
        log_h = -scipy.special.gammaln(value + 1)
    return log_h.reshape(len(value), -1).sum(axis=1)


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_the_tilt_is_a_product_of_densities(name):
    """p(v; a + b) is proportional to p(v; a) p(v; b) / h(v)."""
    family, size = cases.FAMILIES[name], 40
    a, b = (stack(member(family, 1, spread=1.0), size) for _ in range(2))
    both = tf.nest.map_structure(tf.add, a, b)
    value = family.sample(
        family.natural(tf.zeros([size, *family.raw_shape]), tf.zeros([1])), (1, 2)
    )
    log_p, log_a, log_b = (family.log_prob(eta, value).numpy() for eta in (both, a, b))
    constant = log_p - log_a - log_b + log_base_measure(family, value)
    np.testing.assert_allclose(constant, constant[0], atol=2e-3)
    assert family.size == 1 or np.ptp(log_p) > 0.1


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_features_are_standardised_under_raw_zeros(name):
    family, size = cases.FAMILIES[name], 20_000
    eta = family.natural(tf.zeros([size, *family.raw_shape]), tf.zeros([1]))
    features = family.features(family.sample(eta, seeds.make(2))).numpy()
    np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=0.05)
    # A fixed scale is that of the noise alone; values in general have the family's spread.
    fixed = isinstance(getattr(family, "scale", None), float)
    variance = (family.scale / family.spread) ** 2 if fixed else 1.0
    np.testing.assert_allclose(features.var(axis=0), variance, rtol=0.12)


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_kl_is_the_mean_difference_of_log_probs(name):
    family, size = cases.FAMILIES[name], 20_000
    p, q = (stack(member(family, 1, spread=0.7), size) for _ in range(2))
    value = family.sample(p, seeds.make(3))
    difference = (family.log_prob(p, value) - family.log_prob(q, value)).numpy()
    kl = family.kl(p, q).numpy()
    assert kl.shape == (size,) and kl.dtype == np.float32
    assert abs(kl[0] - difference.mean()) < 6 * difference.std() / np.sqrt(size) + 1e-4
    np.testing.assert_allclose(family.kl(p, p), 0.0, atol=1e-4)


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_mean_and_mode(name):
    family, size = cases.FAMILIES[name], 20_000
    eta = stack(member(family, 1, spread=0.7), size)
    value, mean, mode = family.sample(eta, seeds.make(4)), family.mean(eta), family.mode(eta)
    for shown in (mean, mode):
        assert shown.shape == (size, *family.shape) and shown.dtype == family.dtype
        family.check("shown", shown.numpy())
    if isinstance(family, families.VonMises):  # the circular mean
        value = np.arctan2(np.sin(value).mean(axis=0), np.cos(value).mean(axis=0))
        np.testing.assert_allclose(mean[0], value, atol=0.1)
    elif not isinstance(family, families.Categorical):
        bound = 6 * np.std(value, axis=0) / np.sqrt(size)
        assert np.all(np.abs(np.mean(value, axis=0) - mean[0]) < bound)
    if family.discrete:  # no value is more probable
        assert np.all(
            family.log_prob(eta, mode) >= family.log_prob(eta, family.sample(eta, (5, 5)))
        )


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_reparametrised_draws_have_gradients_and_plain_ones_none(name):
    family = cases.FAMILIES[name]
    raw = tf.Variable(tf.zeros([5, *family.raw_shape]) + 0.3)
    with tf.GradientTape(persistent=True) as tape:
        eta = family.natural(raw, tf.zeros([1]))
        constant = family.features(family.sample(eta, seeds.make(6)))
        if family.reparametrised:
            moving = family.features(family.rsample(eta, seeds.make(6)))
    assert tape.gradient(constant, raw) is None
    if family.reparametrised:
        gradient = tape.gradient(moving, raw)
        assert np.isfinite(gradient).all()
        # Softmax-like features sum to 0, so that the sum of all of them is no sign of a gradient.
        assert np.any(gradient) or isinstance(family, families.Categorical)
    else:
        with pytest.raises(ValueError, match="no gradient"):
            family.rsample(eta, seeds.make(6))


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_missing_marks_examples(name):
    family = cases.FAMILIES[name]
    value = np.zeros((3, *family.shape), family.dtype.as_numpy_dtype)
    value[1] = family.marker
    if family.shape:
        value[2].flat[0] = family.marker  # not whole, but not missing either
    np.testing.assert_array_equal(family.missing(tf.constant(value)), [False, True, False])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", cases.FAMILIES)
def test_half_precision_ends_at_the_raw_output(name, policy):
    family = cases.FAMILIES[name]
    keras.config.set_dtype_policy(policy)
    try:
        half = policy.removeprefix("mixed_")
        raw = tf.cast(RNG.normal(size=(4, *family.raw_shape)), half)
        eta = family.natural(raw, tf.zeros([1]))
        value = family.sample(eta, seeds.make(7))
        assert {part.dtype for part in tf.nest.flatten(eta)} == {tf.float32}
        assert family.log_prob(eta, value).dtype == family.features(value).dtype == tf.float32
    finally:
        keras.config.set_dtype_policy("float32")


def test_grey_pixels_cost_the_expected_cost_of_bits():
    family, grey = families.Bernoulli(3), np.float32([[0.25, 0.0, 1.0]])
    eta = tf.constant([[0.5, -1.0, 2.0]])
    bits = [family.log_prob(eta, [[bit, 0.0, 1.0]])[0] for bit in (0.0, 1.0)]
    np.testing.assert_allclose(family.log_prob(eta, grey)[0], 0.75 * bits[0] + 0.25 * bits[1])


def test_one_hot_codes_stand_for_labels():
    family = families.Categorical((2,), num_classes=3)
    eta, labels = member(family, 5), tf.constant(RNG.integers(0, 3, (5, 2)), tf.int32)
    codes = tf.one_hot(labels, 3)
    np.testing.assert_allclose(family.log_prob(eta, codes), family.log_prob(eta, labels), rtol=1e-5)
    np.testing.assert_array_equal(family.features(codes), family.features(labels))
    assert not np.any(family.missing(codes))


def test_the_reference_normal_is_where_it_was_put():
    family = families.Normal(1, center=0.5, spread=0.25)
    eta = family.natural(tf.zeros([1, 2]))
    np.testing.assert_allclose(family.mean(eta), [[0.5]], rtol=1e-5)
    np.testing.assert_allclose(family.distribution(eta).stddev(), [[0.25]], rtol=1e-5)
    fixed = families.Normal(1, scale=0.1, center=0.5, spread=0.25)
    eta = fixed.natural(tf.ones([1, 1]))
    np.testing.assert_allclose(fixed.mean(eta), [[0.75]], rtol=1e-5)
    np.testing.assert_allclose(fixed.distribution(eta).stddev(), [[0.1]], rtol=1e-5)


def test_families_are_equal_by_config():
    assert families.Normal(2) != families.Normal(2, spread=2.0)
    assert families.Normal(2) != families.Bernoulli(2)
    assert families.Normal((2,)) == families.Normal(2)
    assert all(inspect.getdoc(type(family)) for family in cases.FAMILIES.values())
