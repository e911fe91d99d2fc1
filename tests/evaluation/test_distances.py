"""Tests of the distances between feature vectors."""

import numpy as np
import pytest
import scipy.linalg

from keras_symvae.evaluation.distances import (
    distance_report,
    frechet_distance,
    frechet_gaussian,
    kernel_distance,
)


def spd(rng, d):
    root = rng.normal(size=(d, d))
    return root @ root.T / d + 0.1 * np.eye(d)


def brute_force_kernel(a, b):
    def k(x, y):
        return (x @ y / len(x) + 1) ** 3

    n, m = len(a), len(b)
    aa = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    bb = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return aa + bb - 2 * sum(k(x, y) for x in a for y in b) / (n * m)


def test_frechet_of_diagonal_gaussians():
    mean, s, t = np.array([1.0, -2.0, 0.5]), np.array([1.0, 4.0, 0.0]), np.array([9.0, 1.0, 2.0])
    expected = mean @ mean + ((np.sqrt(s) - np.sqrt(t)) ** 2).sum()
    distance = frechet_gaussian(mean, np.diag(s), np.zeros(3), np.diag(t))
    np.testing.assert_allclose(distance, expected, rtol=1e-12)


def test_frechet_of_commuting_covariances():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    s, t = rng.uniform(0.1, 2, size=(2, 5))
    zero = np.zeros(5)
    distance = frechet_gaussian(zero, basis * s @ basis.T, zero, basis * t @ basis.T)
    np.testing.assert_allclose(distance, ((np.sqrt(s) - np.sqrt(t)) ** 2).sum(), rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_frechet_of_general_covariances_matches_sqrtm(seed):
    rng = np.random.default_rng(seed)
    mean, s, t = rng.normal(size=6), spd(rng, 6), spd(rng, 6)
    expected = mean @ mean + np.trace(s + t - 2 * scipy.linalg.sqrtm(s @ t).real)
    np.testing.assert_allclose(frechet_gaussian(mean, s, np.zeros(6), t), expected, rtol=1e-9)


def test_sampled_frechet_approaches_the_gaussian_value():
    rng = np.random.default_rng(1)
    mean, s, t = rng.normal(size=4), spd(rng, 4), spd(rng, 4)
    a = rng.multivariate_normal(mean, s, size=40_000)
    b = rng.multivariate_normal(np.zeros(4), t, size=40_000)
    expected = frechet_gaussian(mean, s, np.zeros(4), t)
    np.testing.assert_allclose(frechet_distance(a, b), expected, rtol=0.03)


@pytest.mark.parametrize("shape", [(200, 8), (5, 30), (50, 1)])
def test_frechet_is_zero_on_itself_and_symmetric(shape):
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=shape), rng.normal(1.0, 2.0, size=shape)
    assert 0 <= frechet_distance(a, a) < 1e-10 * (a**2).sum()
    np.testing.assert_allclose(frechet_distance(a, b), frechet_distance(b, a), rtol=1e-10)
    assert frechet_distance(a, b) > 0.1


def test_frechet_of_rank_deficient_samples_is_exact():
    # Points on two orthogonal axes: the covariances do not overlap, so the trace term is zero.
    a, b = np.zeros((3, 4)), np.zeros((3, 4))
    a[:, 0] = b[:, 1] = [-1.0, 0.0, 1.0]
    np.testing.assert_allclose(frechet_distance(a, b), 2.0, rtol=1e-12)


def test_kernel_distance_is_the_double_sum(monkeypatch):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(13, 3)), rng.normal(0.5, 1.5, size=(9, 3))
    expected = brute_force_kernel(a, b)
    np.testing.assert_allclose(kernel_distance(a, b), expected, rtol=1e-10)
    np.testing.assert_allclose(kernel_distance(b, a), expected, rtol=1e-10)
    monkeypatch.setattr("keras_symvae.evaluation.distances._BLOCK_ENTRIES", 20)
    np.testing.assert_allclose(kernel_distance(a, b), expected, rtol=1e-10)


def test_kernel_distance_is_unbiased_and_sees_a_shift():
    rng = np.random.default_rng(4)
    values = [kernel_distance(*rng.normal(size=(2, 50, 5))) for _ in range(300)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0
    a, b = rng.normal(size=(2, 50, 5))
    assert kernel_distance(a, b + 2) > 20 * np.std(values)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
@pytest.mark.parametrize(
    "bad, match",
    [
        (np.ones(3), "shape"),
        (np.ones((1, 3)), "shape"),
        (np.ones((4, 0)), "shape"),
        (np.ones((4, 2)), "differ in D"),
        (np.full((4, 3), np.nan), "finite"),
    ],
)
def test_bad_samples_are_refused(distance, bad, match):
    with pytest.raises(ValueError, match=match):
        distance(np.eye(3), bad)


@pytest.mark.parametrize(
    "mean, cov, match",
    [
        (np.zeros(3), np.eye(2), "needs a mean"),
        (np.zeros((2, 1)), np.eye(2), "needs a mean"),
        (np.zeros(3), np.eye(3), "differ in shape"),
        (np.zeros(2), np.diag([1.0, -0.5]), "negative eigenvalue"),
        (np.zeros(2), -np.eye(2), "negative eigenvalue"),
        (np.zeros(2), np.array([[1.0, 0.5], [0.0, 1.0]]), "not symmetric"),
        (np.array([np.inf, 0.0]), np.eye(2), "finite"),
    ],
)
def test_bad_gaussians_are_refused(mean, cov, match):
    with pytest.raises(ValueError, match=match):
        frechet_gaussian(np.zeros(2), np.eye(2), mean, cov)


def test_report_carries_provenance():
    class Flatten:
        name = "flatten"

        def __call__(self, images):
            return np.reshape(images, (len(images), -1))

    rng = np.random.default_rng(5)
    a, b = rng.uniform(size=(20, 2, 2, 1)), rng.uniform(size=(30, 2, 2, 1))
    assert distance_report(Flatten(), a, b, seed=7) == {
        "frechet": frechet_distance(a.reshape(20, 4), b.reshape(30, 4)),
        "kernel": kernel_distance(a.reshape(20, 4), b.reshape(30, 4)),
        "extractor": "flatten",
        "num_real": 20,
        "num_generated": 30,
        "seed": 7,
    }
