"""Tests of the divergences against Fenchel's inequality, quadrature, and closed forms."""

import math

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from keras_symvae.learners.adversarial.divergences import DIVERGENCES, get, mmd

NAMES = sorted(DIVERGENCES)
RATIOS = np.geomspace(1e-3, 1e3, 61)
OUTPUTS = np.linspace(-12.0, 12.0, 97)
SMOOTH = sorted(set(NAMES) - {"total_variation"})


def kl(p, q, weights):
    return np.sum(weights * p * np.log(p / q))


def middle(p, q, weights):
    return kl(p, (p + q) / 2, weights) + kl(q, (p + q) / 2, weights)


ORACLES = {
    "total_variation": lambda p, q, w: np.sum(w * np.abs(p - q)) / 2,
    "kl": kl,
    "reverse_kl": lambda p, q, w: kl(q, p, w),
    "pearson": lambda p, q, w: np.sum(w * p**2 / q) - 1,
    "neyman": lambda p, q, w: np.sum(w * q**2 / p) - 1,
    "squared_hellinger": lambda p, q, w: 2 - 2 * np.sum(w * np.sqrt(p * q)),
    "jeffreys": lambda p, q, w: kl(p, q, w) + kl(q, p, w),
    "jensen_shannon": middle,
    "gan": lambda p, q, w: middle(p, q, w) - math.log(4.0),
}


def best(divergence, ratio):
    """Returns the best critic's outputs; the two infinite ones of the total variation are met."""
    v = divergence.best(tf.constant(ratio))
    assert np.all(np.isfinite(v) | (divergence.name == "total_variation"))
    return v


def test_every_divergence_has_an_oracle():
    assert set(ORACLES) == set(DIVERGENCES)
    assert all(name == divergence.name for name, divergence in DIVERGENCES.items())


@pytest.mark.parametrize("name", NAMES)
def test_fenchel_young_holds_with_equality_at_the_derivative(name):
    """f(u) + f*(t) >= u t for every u and t, and = where t = f'(u)."""
    divergence, u = get(name), tf.constant(RATIOS)
    f, t = divergence.f(u), divergence.derivative(u)
    scale = 1.0 + np.abs(f) + np.abs(u * t)
    np.testing.assert_allclose((f + divergence.conjugate(t) - u * t) / scale, 0.0, atol=1e-12)
    t = divergence.activation(tf.constant(OUTPUTS))
    slack = f[:, None] + divergence.conjugate(t) - u[:, None] * t
    assert np.min(slack / (1.0 + np.abs(t) * u[:, None])) > -1e-9


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_those_of_f_and_f_is_convex(name):
    divergence, u = get(name), tf.Variable(RATIOS[RATIOS != 1.0])
    with tf.GradientTape() as tape:
        value = divergence.f(u)
    slope = divergence.derivative(u)
    np.testing.assert_allclose(tape.gradient(value, u), slope, rtol=1e-9, atol=1e-9)
    assert np.all(np.diff(slope) >= 0.0)
    beyond = divergence.derivative(tf.constant(1e300, tf.float64)).numpy()
    assert beyond == pytest.approx(divergence.slope_at_infinity) or beyond > 100.0
    assert (beyond > 100.0) == (divergence.slope_at_infinity == math.inf)


@pytest.mark.parametrize("name", NAMES)
def test_the_fused_form_is_the_conjugate_of_the_activation(name):
    divergence, v = get(name), tf.constant(OUTPUTS)
    t, fused = divergence.activation(v), divergence.conjugate_of_activation(v)
    assert np.all(t < divergence.slope_at_infinity) and np.all(t > -0.5) | (
        name != "total_variation"
    )
    assert np.all(np.diff(t) > 0.0)  # more of v is always more evidence for P
    # Near its end f* loses the digits that t has lost; the fused form does not.
    np.testing.assert_allclose(divergence.conjugate(t), fused, rtol=1e-5, atol=1e-9)
    near = np.abs(OUTPUTS) < 4.0
    np.testing.assert_allclose(divergence.conjugate(t)[near], fused[near], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_best_critic_has_the_derivative_as_its_activation(name):
    divergence, u = get(name), tf.constant(RATIOS)
    t = divergence.activation(divergence.best(u))
    np.testing.assert_allclose(t, divergence.derivative(u), rtol=1e-9, atol=1e-9)
    if name != "pearson":
        np.testing.assert_allclose(divergence.best(u), np.log(RATIOS))


@pytest.mark.parametrize("name", NAMES)
def test_the_bound_is_met_by_the_best_critic_of_two_gaussians(name):
    x, step = np.linspace(-14.0, 14.0, 8001, retstep=True)
    p = np.exp(-((x - 0.4) ** 2) / 2) / np.sqrt(2 * np.pi)
    q = np.exp(-((x + 0.2) ** 2) / 2.42) / np.sqrt(2 * np.pi * 1.21)
    divergence = get(name)
    v = best(divergence, p / q)
    value = np.sum(p * divergence.activation(v) - q * divergence.conjugate_of_activation(v))
    np.testing.assert_allclose(step * value, ORACLES[name](p, q, step), atol=1e-10)
    if name == "kl":  # log(s_q / s_p) + (s_p^2 + (m_p - m_q)^2) / 2 s_q^2 - 1/2
        exact = math.log(1.1) + 1.36 / 2.42 - 0.5
        np.testing.assert_allclose(step * value, exact, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_the_bound_is_met_by_the_best_critic_of_two_categoricals_and_by_no_other(name):
    p, q = np.array([5, 2, 3]) / 10, np.array([2, 2, 1]) / 5
    divergence, v = get(name), best(get(name), p / q)

    def bound(v):  # samples whose frequencies are p and q, exactly
        return float(divergence.bound(np.repeat(v, [5, 2, 3]), np.repeat(v, [2, 2, 1])))

    exact = ORACLES[name](p, q, 1)
    np.testing.assert_allclose(bound(v), exact, atol=1e-12)
    np.testing.assert_allclose(np.sum(q * divergence.f(p / q)), exact, atol=1e-12)
    for other in np.random.default_rng(0).normal(size=(50, 3)):
        assert bound(other) < exact


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("name", NAMES)
def test_bounds_of_far_outputs_are_finite_and_so_are_their_gradients(name, dtype):
    divergence = get(name)
    v = tf.Variable(np.array([-1e3, -100.0, -30.0, -1.0, 0.0, 1.0, 30.0, 100.0, 1e3]), dtype=dtype)

    @tf.function
    def slopes():
        with tf.GradientTape(persistent=True) as tape:
            of_p, of_q = divergence.activation(v), divergence.conjugate_of_activation(v)
            bound = divergence.bound(v, v)
        return of_p, of_q, tape.gradient(of_p, v), tape.gradient(of_q, v), bound

    of_p, of_q, slope_p, slope_q, bound = slopes()
    values = (of_p, of_q, slope_p, slope_q)
    assert all(np.all(np.isfinite(value)) and value.dtype == dtype for value in values)
    assert np.isfinite(bound) and np.all(slope_p >= 0.0)
    if name != "pearson":  # d/dv f*(g(v)) = u g'(v): at the ratio 1 both sides pull alike
        np.testing.assert_allclose(slope_p[4], slope_q[4], rtol=1e-6)


def test_past_thirty_nats_the_ratio_goes_on_without_a_jump():
    v = tf.constant([-40.0, -30.001, -30.0, -29.999, 29.999, 30.0, 30.001, 40.0], tf.float64)
    ratio, log_ratio = (
        get("kl").conjugate_of_activation(v),
        get("reverse_kl").conjugate_of_activation(v),
    )
    np.testing.assert_allclose(np.log(ratio), log_ratio + 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.log(ratio)[1:-1], v[1:-1], atol=1e-6)
    np.testing.assert_allclose(ratio * ratio[::-1], 1.0)
    assert np.all(np.diff(ratio) > 0.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_conjugate_of_jeffreys_is_that_of_lamberts_function(dtype):
    t = np.linspace(-80.0, 80.0, 321).astype(dtype)
    w = scipy.special.lambertw(np.exp(1.0 - t.astype("float64"))).real
    variable = tf.Variable(t)
    with tf.GradientTape() as tape:
        found = get("jeffreys").conjugate(variable)
    rtol = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(found, w + 1.0 / w + t - 2.0, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(tape.gradient(found, variable), 1.0 / w, rtol=rtol)
    far = get("jeffreys").conjugate(tf.constant([-1e4], dtype))  # exp(1 - t) overflows
    np.testing.assert_allclose(far, [-1.0 - np.log(1e4)], rtol=1e-3)


def test_names():
    assert get("kl") is DIVERGENCES["kl"] and get(get("gan")) is DIVERGENCES["gan"]
    with pytest.raises(ValueError, match=r"Unknown divergence 'chi'.*pearson.*gan"):
        get("chi")


def by_loops(x, y, kernel, scales, width):
    def k(a, b):
        r = [np.sum((a - b) ** 2) / (scale * width) for scale in scales]
        return sum(1 / (1 + v) if kernel == "imq" else np.exp(-v) for v in r)

    def within(a):
        pairs = [k(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j]
        return np.mean(pairs)

    return within(x) + within(y) - 2 * np.mean([k(a, b) for a in x for b in y])


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_the_kernel_distance_is_that_of_two_loops(kernel):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(5, 3)) + 0.5
    usual = by_loops(x, y, kernel, (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0), 6.0)
    np.testing.assert_allclose(mmd(x, y, kernel=kernel), usual)
    found = mmd(x, y, kernel=kernel, scales=(0.3, 4.0), width=1.7)
    np.testing.assert_allclose(found, by_loops(x, y, kernel, (0.3, 4.0), 1.7))
    np.testing.assert_allclose(mmd(np.float32(x), np.float32(y)), mmd(x, y), atol=1e-6)


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_the_kernel_distance_is_unbiased_and_positive_between_different_ones(kernel):
    rng, equal, different = np.random.default_rng(1), [], []
    measure = tf.function(lambda x, y: mmd(x, y, kernel=kernel))
    for _ in range(400):
        x, y = tf.constant(rng.normal(size=(12, 2))), tf.constant(rng.normal(size=(9, 2)))
        equal.append(measure(x, y).numpy())
        different.append(measure(x, 0.3 * y).numpy())
    assert np.min(equal) < 0.0
    assert abs(np.mean(equal)) < 4 * np.std(equal) / np.sqrt(len(equal))
    assert np.mean(different) > 10 * np.std(different) / np.sqrt(len(different))


def test_the_kernel_distance_pulls_samples_together():
    rng = np.random.default_rng(2)
    x, y = tf.Variable(rng.normal(size=(64, 2)) + 3.0), tf.constant(rng.normal(size=(64, 2)))
    x.assign(tf.tensor_scatter_nd_update(x, [[0]], x[1][None]))  # a distance of zero
    with tf.GradientTape() as tape:
        before = mmd(x, y)
    gradient = tape.gradient(before, x)
    assert np.all(np.isfinite(gradient)) and np.all(tf.reduce_mean(gradient, axis=0) > 0.0)
    assert mmd(x - 1.0 * gradient, y) < before


WRONG = [
    ({"kernel": "cubic"}, "Unknown kernel 'cubic'; choose one of imq, rbf"),
    ({"scales": ()}, "scales are positive numbers"),
    ({"scales": (1.0, 0.0)}, "scales are positive numbers"),
    ({"width": -1.0}, "width is a positive number"),
    ({"y": np.zeros((3, 4))}, r"got \(2, 3\), \(3, 4\)"),
    ({"y": np.zeros((1, 3))}, r"got \(2, 3\), \(1, 3\)"),
    ({"y": np.zeros(3)}, r"got \(2, 3\), \(3,\)"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_kernel_distances_that_are_not_defined_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mmd(np.zeros((2, 3)), **{"y": np.zeros((2, 3)), **arguments})


def test_a_compiled_graph_agrees():
    graph = tf.function(
        lambda v: [row.bound(v, v) for row in DIVERGENCES.values()], jit_compile=True
    )
    eager = [row.bound(tf.range(5.0), tf.range(5.0)) for row in DIVERGENCES.values()]
    np.testing.assert_allclose(graph(tf.range(5.0)), eager, rtol=1e-5, atol=1e-6)
