"""Tests of the families: SciPy's densities, products of densities, and any raw output."""

import inspect

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from keras_symvae import families, seeds, testing
from keras_symvae.families import Continuous, Discrete, Family, Finite, Reparametrised
from keras_symvae.shapes import ShapeError
from tests import cases

RNG = np.random.default_rng(0)
EXPONENTIAL = [name for name, family in cases.FAMILIES.items() if family.exponential]


@pytest.mark.quick
def test_the_table_holds_every_family():
    public = {getattr(families, name) for name in families.__all__}
    final = {family for family in public if not inspect.isabstract(family)}
    assert final == {type(family) for family in cases.FAMILIES.values()}
    assert public - final == {Family, Continuous, Discrete, Finite, Reparametrised}


@pytest.mark.quick
@pytest.mark.parametrize("name", cases.FAMILIES)
def test_family(name):
    testing.run_family_test(cases.FAMILIES[name])


def oracle(family, eta, value):
    """Returns SciPy's log-density of each element, in float64; of places where they share one."""
    if isinstance(family, families.Record):
        ends = np.cumsum([part.size for part in family.parts])[:-1]
        values = np.split(np.asarray(value), ends, axis=-1)
        parts = zip(family.parts, eta, values, strict=True)
        return np.concatenate([oracle(*each) for each in parts], axis=-1)
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
    if isinstance(family, families.DiscretizedLogistic):
        return log_mass(*eta, value)
    assert isinstance(family, families.VonMises)
    return stats.vonmises.logpdf(value, np.hypot(*eta), np.arctan2(eta[1], eta[0]))


def log_mass(loc, steepness, logits, slopes, value):
    """Returns the log-probability of every place: differences of SciPy's distribution function."""
    if value.ndim == 1:
        value, loc, steepness, logits = (a[:, None] for a in (value, loc, steepness, logits))
    for channel in range(value.shape[-1] if slopes.shape[-1] else 0):
        for before in range(channel):
            shift = slopes[..., channel, :, before] * (value[..., before, None] - 0.5)
            loc[..., channel, :] += shift
    edges = np.stack([value - 1 / 510, value + 1 / 510])[..., None]
    edges = np.where(edges < 0, -np.inf, np.where(edges > 1, np.inf, edges))
    side = np.where(value[..., None] > loc, -1.0, 1.0)  # the tail that keeps its digits
    below, above = scipy.stats.logistic.cdf(side * (edges - loc) * steepness)
    weights = scipy.special.log_softmax(logits[..., 0, :], axis=-1)
    mass = np.maximum(abs(above - below), 1e-300)
    return scipy.special.logsumexp(weights + np.log(mass).sum(axis=-2), axis=-1)


def member(family, size, *, spread=2.0):
    """Returns natural parameters of random raw outputs [size, ...]."""
    raw = tf.constant(RNG.normal(size=(size, *family.raw_shape)) * spread, tf.float32)
    return family.natural(raw, tf.fill([family.num_shared], 0.3))


def stack(eta, size):
    """Repeats one member, the first of a batch, `size` times."""
    return tf.nest.map_structure(lambda part: tf.repeat(part[:1], size, axis=0), eta)


@pytest.mark.quick
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
    if isinstance(family, families.Record):
        ends = np.cumsum([part.size for part in family.parts])[:-1]
        values = np.split(value, ends, axis=-1)
        return sum(map(log_base_measure, family.parts, values))
    log_h = np.zeros(value.shape)
    if isinstance(family, families.Gamma):
        log_h = -np.log(value)
    elif isinstance(family, families.Beta):
        log_h = -np.log(value) - np.log1p(-value)
    elif isinstance(family, families.Poisson):
        log_h = -scipy.special.gammaln(value + 1)
    return log_h.reshape(len(value), -1).sum(axis=1)


@pytest.mark.parametrize("name", EXPONENTIAL)
def test_the_tilt_is_a_product_of_densities(name):
    """p(v; a + b) is proportional to p(v; a) p(v; b) / h(v)."""
    family, size = cases.FAMILIES[name], 40
    a, b = (stack(member(family, 1, spread=1.0), size) for _ in range(2))
    both = tf.nest.map_structure(tf.add, a, b)
    value = family.sample(
        family.natural(tf.zeros([size, *family.raw_shape]), tf.zeros([family.num_shared])), (1, 2)
    )
    log_p, log_a, log_b = (family.log_prob(eta, value).numpy() for eta in (both, a, b))
    constant = log_p - log_a - log_b + log_base_measure(family, value)
    np.testing.assert_allclose(constant, constant[0], atol=2e-3)
    assert family.size == 1 or np.ptp(log_p) > 0.1


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_features_are_standardised_under_raw_zeros(name):
    family, size = cases.FAMILIES[name], 20_000
    eta = family.natural(tf.zeros([size, *family.raw_shape]), tf.zeros([family.num_shared]))
    features = family.features(family.sample(eta, seeds.make(2))).numpy()
    if isinstance(family, families.Record):  # all elements are known
        np.testing.assert_array_equal(features[:, -family.size :], 0.0)
        features = features[:, : -family.size]
    np.testing.assert_allclose(features.mean(axis=0), 0.0, atol=0.05)
    # A fixed scale is that of the noise alone; values in general have the family's spread.
    fixed = isinstance(getattr(family, "scale", None), float)
    variance = (family.scale / family.spread) ** 2 if fixed else 1.0
    np.testing.assert_allclose(features.var(axis=0), variance, rtol=0.12)


@pytest.mark.parametrize("name", EXPONENTIAL)
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
    elif not isinstance(family, (families.Categorical, families.Record)):
        bound = 6 * np.std(value, axis=0) / np.sqrt(size)
        bound += 0.06 * getattr(family, "coupled", False)  # other channels are at their means
        assert np.all(np.abs(np.mean(value, axis=0) - mean[0]) < bound)
    simple = not isinstance(family, families.DiscretizedLogistic) or family.raw_joint == 0
    if family.discrete and simple:  # no value is more probable
        assert np.all(
            family.log_prob(eta, mode) >= family.log_prob(eta, family.sample(eta, (5, 5)))
        )


@pytest.mark.parametrize("name", cases.FAMILIES)
def test_reparametrised_draws_have_gradients_and_plain_ones_none(name):
    family = cases.FAMILIES[name]
    raw = tf.Variable(tf.zeros([5, *family.raw_shape]) + 0.3)
    with tf.GradientTape(persistent=True) as tape:
        eta = family.natural(raw, tf.zeros([family.num_shared]))
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
        eta = family.natural(raw, tf.zeros([family.num_shared]))
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


@pytest.mark.parametrize("name", EXPONENTIAL)
def test_entropy_is_tfps_and_the_mean_of_minus_log_prob(name):
    family, size = cases.FAMILIES[name], 20_000
    eta = stack(member(family, 1, spread=0.7), size)
    entropy = family.entropy(eta)
    assert entropy.shape == (size, *family.shape) and entropy.dtype == np.float32
    total = entropy.numpy().reshape(size, -1).sum(axis=1)
    if not isinstance(family, families.Poisson):  # TFP has none
        np.testing.assert_allclose(family.distribution(eta).entropy(), total, rtol=1e-5)
    cost = -family.log_prob(eta, family.sample(eta, seeds.make(8))).numpy()
    assert abs(cost.mean() - total[0]) < 6 * cost.std() / np.sqrt(size) + 1e-4


def test_entropy_of_counts_is_scipys():
    rates = np.float32([1e-6, 1e-3, 0.3, 1.0, 5.0, 9.99, 10.01, 40.0, 1e3])
    family = families.Poisson(())
    law = scipy.stats.poisson(rates[:, None].astype(np.float64))
    expected = -scipy.special.xlogy(law.pmf(np.arange(2000)), law.pmf(np.arange(2000))).sum(axis=1)
    np.testing.assert_allclose(family.entropy(tf.math.log(rates)), expected, rtol=1e-4, atol=1e-6)
    eta = tf.Variable(np.float32([-40.0, -20.0, 0.0, 20.0, 40.0]))
    with tf.GradientTape() as tape:
        entropy = family.entropy(eta)
    assert np.isfinite(entropy).all() and np.isfinite(tape.gradient(entropy, eta)).all()


@pytest.mark.parametrize(
    "name", ["bernoulli", "bernoulli_scalar", "categorical", "categorical_map"]
)
def test_probabilities_of_all_values_are_those_of_log_prob(name):
    family = cases.FAMILIES[name]
    eta = member(family, 6)
    probabilities = family.probabilities(eta).numpy()
    for value in range(probabilities.shape[-1]):
        values = tf.fill([6, *family.shape], tf.cast(value, family.dtype))
        log_prob = np.log(probabilities[..., value]).reshape(6, -1).sum(axis=1)
        np.testing.assert_allclose(family.log_prob(eta, values), log_prob, rtol=1e-4)
    np.testing.assert_allclose(family.entropy_of(probabilities), family.entropy(eta), rtol=1e-4)
    certain = np.float32([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(family.entropy_of(certain), [0.0, 0.0])


LABELS = np.int32([[[0, 1], [2, 3]], [[-1, 1], [2, -1]], [[-1, -1], [-1, -1]]])


def test_labels_that_nobody_knows_cost_nothing_and_are_read_as_zeros():
    """The oracle is the sum over the known labels."""
    family = families.Categorical((2, 2), num_classes=4)
    eta = member(family, 3)
    log_q = scipy.special.log_softmax(np.asarray(eta, np.float64), axis=-1)
    expected = np.zeros(3)
    for index in np.argwhere(LABELS >= 0):
        expected[index[0]] += log_q[(*index, LABELS[tuple(index)])]
    np.testing.assert_allclose(family.log_prob(eta, LABELS), expected, rtol=1e-5)
    np.testing.assert_allclose(
        family.log_prob(eta, family.one_hot(tf.constant(LABELS))), expected, rtol=1e-5
    )
    features = family.features(LABELS).numpy()
    np.testing.assert_array_equal(features[LABELS < 0], 0.0)
    complete = family.features(np.maximum(LABELS, 0)).numpy()
    np.testing.assert_array_equal(features[LABELS >= 0], complete[LABELS >= 0])
    np.testing.assert_array_equal(features, family.features(family.one_hot(tf.constant(LABELS))))
    np.testing.assert_array_equal(family.missing(LABELS), [False, False, True])
    with tf.GradientTape() as tape:
        tape.watch(eta)
        score = family.log_prob(eta, LABELS)
    gradient = tape.gradient(score, eta).numpy()
    np.testing.assert_array_equal(gradient[LABELS < 0], 0.0)
    assert np.all(np.any(gradient[LABELS >= 0], axis=-1))


def test_labels_that_nobody_knows_pass_unless_an_example_has_no_other():
    family = families.Categorical((2, 2), num_classes=4)
    family.check("s", LABELS[:2])
    for wrong, words in (
        (LABELS, r"ranges over \[-1, 3\]"),
        (np.where(LABELS[:2] < 0, -2, LABELS[:2]), r"ranges over \[-2, 3\]"),
        (LABELS[:2] + 1, r"ranges over \[0, 4\]"),
    ):
        with pytest.raises(ValueError, match=words):
            family.check("s", wrong)
    with pytest.raises(ValueError, match=r"ranges over \[-1, 0\]"):
        families.Categorical((), num_classes=3).check("y", np.int32([0, -1]))


def test_known_examples_keep_their_unknown_labels():
    family = families.Categorical((2, 2), num_classes=4)
    known, other = tf.constant([True, True, False]), tf.ones([3, 2, 2], tf.int32)
    merged = family.merged(known, LABELS, other).numpy()
    np.testing.assert_array_equal(merged[:2], LABELS[:2])
    np.testing.assert_array_equal(merged[2], 1)
    codes = family.merged(known, LABELS, tf.one_hot(other, 4))
    np.testing.assert_array_equal(family.features(codes), family.features(merged))


class Exponential(Reparametrised):
    """The recipe of CONTRIBUTING: an argument of its own, three hooks and data."""

    low = 0.0

    def __init__(self, shape, *, unit=1.0):
        super().__init__(shape)
        self.unit = unit

    def _natural(self, raw, shared):
        return tf.nn.softplus(raw) / self.unit + 1e-6

    def _distribution(self, eta):
        return families.base.tfd.Exponential(eta)

    def _features(self, value):
        return value / self.unit - 1.0


def test_a_family_of_ones_own_needs_three_hooks():
    family = Exponential((2,), unit=3.0)
    assert family.get_config() == {"shape": (2,), "unit": 3.0}
    assert Exponential.from_config(family.get_config()) == family != Exponential(2)
    eta = family.natural(tf.zeros([5, 2]))
    value = family.sample(eta, seeds.make(0))
    assert family.log_prob(eta, value).shape == family.kl(eta, eta).shape == (5,)
    assert family.mode(eta).shape == family.rsample(eta, seeds.make(1)).shape == (5, 2)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("natural", "fill in _natural"),
        ("log_prob", "fill in _log_prob"),
        ("raw_shape", "declare raw_parts or num_classes"),
        ("get_config", "keep every argument"),
        ("check", "declare low and high"),
        ("merged", "it serves all families"),
    ],
)
def test_what_is_final_cannot_be_overridden(name, remedy):
    with pytest.raises(
        TypeError, match=rf"Mine overrides Family\.{name}, which is final; {remedy}"
    ):
        type("Mine", (Exponential,), {name: lambda self, *args: None})


def test_an_unfinished_family_is_refused_by_python():
    with pytest.raises(TypeError, match="abstract"):
        Family(2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: families.Normal(2, scale=-1.0),
            "'element', 'each', 'shared' or a positive number",
        ),
        (lambda: families.Normal(2, scale="wide"), "received 'wide'"),
        (lambda: families.Normal(2, spread=0.0), "spread is a positive number; received 0.0"),
        (lambda: families.Categorical(num_classes=1), "num_classes >= 2; received 1"),
        (lambda: families.Normal((2, 0)), "shape of positive integers"),
        (lambda: families.Normal(2).check("x", np.array([["a", "b"]])), "needs numbers"),
        (lambda: families.Normal((2, 2, 1)).check("x", np.ones((5, 2, 2))), "Add the channel axis"),
        (lambda: families.Normal(2).check("x", np.full((1, 2), np.inf)), "NaN or infinite"),
        (lambda: families.Bernoulli(2).check("x", np.full((1, 2), 255)), "Divide by 255"),
        (lambda: families.Categorical(num_classes=3).check("y", np.ones(2)), "labels are integers"),
    ],
)
def test_refusals_say_what_was_received(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_contracts_of_shapes_run():
    with pytest.raises(ShapeError, match=r"Normal\.log_prob: value has shape \[4, 3\]"):
        families.Normal(2).log_prob((tf.ones([4, 2]), tf.ones([4, 2])), tf.ones([4, 3]))
