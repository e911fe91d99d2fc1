"""Distances between two sets of feature vectors."""

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from keras_symvae import arguments
from keras_symvae.evaluation.extractor import FeatureExtractor

Array = NDArray[np.float64]

# Kernel values held at once: 2**22 float64 are 32 MiB, whatever the number of samples.
_BLOCK_ENTRIES = 2**22


def frechet_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Return the squared Frechet distance between Gaussians fitted to two samples.

        ||mu_a - mu_b||^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2))

    with mu the sample mean and S the unbiased sample covariance. The estimate is biased upwards,
    by an amount that shrinks with the number of samples: compare only equal sample sizes.

    Args:
      a: features [N, D], N >= 2; N < D is allowed.
      b: features [M, D], M >= 2.

    Returns:
      A number >= 0, in squared units of the features.

    Raises:
      ValueError: if a or b is not a matrix of finite numbers with at least two rows, or if they
        differ in D.

    Reference: Heusel et al. (2017), GANs trained by a two time-scale update rule converge to a
      local Nash equilibrium.
    """
    a, b = _samples(a, b)
    return frechet_gaussian(a.mean(0), _covariance(a), b.mean(0), _covariance(b))


def frechet_gaussian(
    mean_a: ArrayLike, cov_a: ArrayLike, mean_b: ArrayLike, cov_b: ArrayLike
) -> float:
    """Return the squared Frechet (2-Wasserstein) distance between two Gaussians.

        ||mu_a - mu_b||^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2))

    Args:
      mean_a: mean [D].
      cov_a: covariance [D, D], symmetric and positive semi-definite, possibly singular.
      mean_b: mean [D].
      cov_b: covariance [D, D].

    Returns:
      A number >= 0, in squared units of the means.

    Raises:
      ValueError: if the shapes disagree, an entry is not finite, or a covariance is not symmetric
        positive semi-definite.

    Reference: Heusel et al. (2017), as `frechet_distance`.
    """
    mean_a, cov_a = _gaussian(mean_a, cov_a, name="a")
    mean_b, cov_b = _gaussian(mean_b, cov_b, name="b")
    if mean_a.shape != mean_b.shape:
        raise ValueError(f"the means differ in shape: {mean_a.shape} and {mean_b.shape}")
    # With S = L L', tr (S_a S_b)^(1/2) is the sum of the singular values of L_a' L_b: real by
    # construction, and free of the square root that magnifies rounding in null directions.
    overlap = scipy.linalg.svdvals(_factor(cov_a, name="a").T @ _factor(cov_b, name="b")).sum()
    shift = mean_a - mean_b
    return max(float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * overlap), 0.0)


def kernel_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Return the unbiased squared maximum mean discrepancy under a cubic polynomial kernel.

        sum_{i != j} k(a_i, a_j) / (N (N - 1)) + sum_{i != j} k(b_i, b_j) / (M (M - 1))
          - 2 sum_{i, j} k(a_i, b_j) / (N M),    k(x, y) = (x . y / D + 1)^3

    All pairs are used, in blocks of bounded memory; time grows as (N + M)^2 D. The mean over
    samples from one distribution is zero, so single values may be negative.

    Args:
      a: features [N, D], N >= 2.
      b: features [M, D], M >= 2.

    Returns:
      The distance, in units of the kernel (dimensionless for dimensionless features).

    Raises:
      ValueError: as `frechet_distance`.

    Reference: Binkowski et al. (2018), Demystifying MMD GANs.
    """
    a, b = _samples(a, b)
    n, m = len(a), len(b)
    within_a = (_kernel_sum(a, a) - _kernel_trace(a)) / (n * (n - 1))
    within_b = (_kernel_sum(b, b) - _kernel_trace(b)) / (m * (m - 1))
    return float(within_a + within_b - 2 * _kernel_sum(a, b) / (n * m))


def distance_report(
    extractor: FeatureExtractor, real: ArrayLike, generated: ArrayLike, *, seed: int | None = None
) -> dict[str, Any]:
    """Return both distances between real and generated images, with their provenance.

    Args:
      extractor: maps images to features.
      real: images [N, H, W, C] in [0, 1].
      generated: images [M, H, W, C] in [0, 1].
      seed: seed the images were generated from; recorded only.

    Returns:
      A dictionary with keys frechet, kernel, extractor, num_real, num_generated and seed.

    Raises:
      ValueError: as the extractor, `frechet_distance` and `kernel_distance`.
    """
    if not callable(extractor) or not hasattr(extractor, "name"):
        arguments.instance("extractor", extractor, FeatureExtractor)
    a, b = extractor(real), extractor(generated)
    return {
        "frechet": frechet_distance(a, b),
        "kernel": kernel_distance(a, b),
        "extractor": extractor.name,
        "num_real": len(a),
        "num_generated": len(b),
        "seed": seed,
    }


def _kernel_sum(a: Array, b: Array) -> float:
    rows = max(1, _BLOCK_ENTRIES // len(b))
    total = 0.0
    for start in range(0, len(a), rows):
        base = a[start : start + rows] @ b.T / a.shape[1] + 1
        total += np.vdot(base * base, base)
    return total


def _kernel_trace(a: Array) -> float:
    return float(((np.einsum("nd,nd->n", a, a) / a.shape[1] + 1) ** 3).sum())


def _covariance(a: Array) -> Array:
    centred = a - a.mean(0)
    return centred.T @ centred / (len(a) - 1)


def _factor(cov: Array, *, name: str) -> Array:
    values, vectors = np.linalg.eigh(cov)
    if values[0] < -1e-8 * max(values[-1], 0.0):
        raise ValueError(f"covariance {name} has a negative eigenvalue {values[0]:.3g}")
    return vectors * np.sqrt(np.maximum(values, 0.0))


def _gaussian(mean: ArrayLike, cov: ArrayLike, *, name: str) -> tuple[Array, Array]:
    mean = arguments.array(f"The mean of Gaussian {name}", mean).astype(np.float64)
    cov = arguments.array(f"The covariance of Gaussian {name}", cov).astype(np.float64)
    if mean.ndim != 1 or mean.size == 0 or cov.shape != mean.shape * 2:
        raise ValueError(
            f"Gaussian {name} needs a mean [D] and a covariance [D, D], "
            f"got {mean.shape} and {cov.shape}"
        )
    _check_finite(f"Gaussian {name}", mean, cov)
    if not np.allclose(cov, cov.T, rtol=0, atol=1e-8 * np.abs(cov).max()):
        raise ValueError(f"covariance {name} is not symmetric")
    return mean, cov


def _check_finite(name: str, *arrays: Array) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(f"{name} has entries that are not finite")


def _samples(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    a, b = (arguments.array(n, x).astype(np.float64) for n, x in (("a", a), ("b", b)))
    for name, x in (("a", a), ("b", b)):
        if x.ndim != 2 or x.shape[0] < 2 or x.shape[1] < 1:
            raise ValueError(f"{name} needs shape [N >= 2, D >= 1], got {x.shape}")
        _check_finite(name, x)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a and b differ in D: {a.shape[1]} and {b.shape[1]}")
    return a, b
