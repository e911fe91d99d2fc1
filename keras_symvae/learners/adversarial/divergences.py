"""Divergences of two distributions: f-divergences through a critic, and the kernel distance."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.shapes import shaped

# Up to this log-density ratio, in nats, a critic's output is taken for the ratio's logarithm.
# No batch of data tells larger ratios apart, and float32 has room for their squares.
_LARGEST = 30.0


@dataclasses.dataclass(frozen=True)
class FDivergence:
    """A convex f with what its variational bound needs; all are elementwise on float tensors.

        D_f(P, Q) = E_Q f(dP/dQ) >= E_P g(v) - E_Q f*(g(v)),    f*(t) = sup_u u t - f(u)

    for every critic v, with equality where g(v) = f'(dP/dQ). The activation g takes any real
    number to the domain of f*. Of most divergences g(v) = f'(exp v), so that the best critic is
    the log-density ratio, whichever f it is trained with; past 30 nats the ratio goes on linearly
    in v. The total variation has .5 tanh v and a best critic that is infinite, Pearson has v.

    Args:
        name: its key in `DIVERGENCES`.
        f: of a density ratio u >= 0; convex.
        derivative: f'(u); of u = 0, the limit.
        conjugate: f*(t), for t in the domain of f*; where f is a formula of all real u, its sup is
            over them.
        activation: g(v).
        conjugate_of_activation: f*(g(v)), finite wherever v is of moderate size.
        best: the v with g(v) = f'(u).
        slope_at_infinity: f'(inf), the price of mass where Q has none; the domain of f* ends there.

    Reference: Nowozin, Cseke, Tomioka 2016, f-GAN. Up to a shift and a scale of v the activations
    are theirs, but for Jeffreys.
    """

    name: str
    f: Callable
    derivative: Callable
    conjugate: Callable
    activation: Callable
    conjugate_of_activation: Callable
    best: Callable
    slope_at_infinity: float

    @shaped(returns="[]")
    def bound(self, v_p: tf.Tensor, v_q: tf.Tensor) -> tf.Tensor:
        """Returns the lower bound of D_f(P, Q), a scalar in nats.

        Args:
            v_p: raw outputs of the critic on samples of P, of any shape.
            v_q: the same on samples of Q; the two numbers of samples may differ.
        """
        of_p = tf.reduce_mean(self.activation(v_p))
        return of_p - tf.reduce_mean(self.conjugate_of_activation(v_q))


def get(name: str | FDivergence) -> FDivergence:
    """Returns the `FDivergence` of a name; one that is given is returned as it is.

    Raises:
        ValueError: the name is unknown.
    """
    if isinstance(name, FDivergence):
        return name
    says = f"Unknown divergence {arguments.told(name)}; choose one of {', '.join(DIVERGENCES)}"
    return DIVERGENCES[arguments.one_of("divergence", name, tuple(DIVERGENCES), says=says)]


@shaped(returns="[]")
def mmd(
    x: tf.Tensor,
    y: tf.Tensor,
    *,
    kernel: str = "imq",
    scales: Sequence[float] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    width: float | None = None,
) -> tf.Tensor:
    """Returns the unbiased estimate of the squared kernel distance, a scalar.

        sum_{i != j} k(x_i, x_j) / (N (N - 1)) + sum_{i != j} k(y_i, y_j) / (M (M - 1))
          - 2 sum_{i, j} k(x_i, y_j) / (N M),    k a sum over C = scale * width of
        "imq"  C / (C + |x - y|^2)    "rbf"  exp(-|x - y|^2 / C)

    Its mean is zero between samples of one distribution, so single values may be negative.

    Args:
        x: samples [N, D], N >= 2.
        y: samples [M, D], M >= 2, of the same dtype.
        kernel: "imq", whose tails still pull samples that are far away, or "rbf".
        scales: positive numbers; the kernel is summed over them.
        width: a squared distance. Default: 2 D, the mean one between two standard normals.

    Raises:
        ValueError: the kernel is unknown, a scale or the width is not positive, or x and y are not
            two matrices of at least two rows and equally many columns.

    Reference: Gretton et al. 2012; Tolstikhin et al. 2018, Wasserstein Auto-Encoders.
    """
    says = f"Unknown kernel {arguments.told(kernel)}; choose one of {', '.join(_KERNELS)}"
    arguments.one_of("kernel", kernel, tuple(_KERNELS), says=says)
    scales = arguments.positives("scales", scales)
    x, y = _samples(x), _samples(y)
    matrices = x.shape.rank == y.shape.rank == 2 and x.shape[1] == y.shape[1] is not None
    if not matrices or any(size is not None and size < 2 for size in (x.shape[0], y.shape[0])):
        raise ValueError(
            f"samples need shapes [N >= 2, D] and [M >= 2, D], got {x.shape}, {y.shape}"
        )
    if x.dtype != y.dtype:
        raise ValueError(f"samples need one dtype, got {x.dtype.name} and {y.dtype.name}")
    width = 2.0 * x.shape[1] if width is None else arguments.number("width", width, above=0)

    def similarity(a, b):
        squares = tf.reduce_sum(a * a, axis=1)[:, None] + tf.reduce_sum(b * b, axis=1)
        distance = tf.nn.relu(squares - 2.0 * tf.matmul(a, b, transpose_b=True))
        return sum(_KERNELS[kernel](distance / (scale * width)) for scale in scales)

    def within(a):
        values = similarity(a, a)
        pairs = tf.cast(tf.shape(a)[0] * (tf.shape(a)[0] - 1), a.dtype)
        return tf.reduce_sum(tf.linalg.set_diag(values, tf.zeros(tf.shape(a)[:1], a.dtype))) / pairs

    return within(x) + within(y) - 2.0 * tf.reduce_mean(similarity(x, y))


def _samples(x: Any) -> tf.Tensor:
    """Returns samples as a tensor of real numbers, or refuses them."""
    try:
        x = x if isinstance(x, tf.Tensor) else tf.convert_to_tensor(x)
    except (ValueError, TypeError):
        raise ValueError(f"samples are matrices; received {arguments.told(x)}.") from None
    if not isinstance(x, tf.Tensor) or not x.dtype.is_floating:
        raise ValueError(f"samples are matrices of floats; received {arguments.told(x)}.")
    return x


_KERNELS = {"imq": lambda r: 1.0 / (1.0 + r), "rbf": lambda r: tf.exp(-r)}


def _ratio(v):
    """exp(v), which goes on linearly above the largest v, and so that ratio(v) ratio(-v) = 1."""
    above, below = tf.nn.relu(v - _LARGEST), tf.nn.relu(-v - _LARGEST)
    return tf.exp(tf.clip_by_value(v, -_LARGEST, _LARGEST)) * (1.0 + above) / (1.0 + below)


def _log_ratio(v):
    above, below = tf.nn.relu(v - _LARGEST), tf.nn.relu(-v - _LARGEST)
    inside = tf.clip_by_value(v, -_LARGEST, _LARGEST)
    return inside + tf.math.log1p(above) - tf.math.log1p(below)


def _jeffreys_conjugate(t):
    # f'(u) = log u + 1 - 1/u = t says w + log w = 1 - t of w = 1/u: w is Lambert's W(exp(1 - t)).
    # Newton's steps on a = log w start right of the root of a convex function, so that they
    # cannot miss it, and no exp(1 - t) overflows. The last one carries the exact gradient.
    c = 1.0 - tf.convert_to_tensor(t)
    a = tf.where(c > 1.0, tf.math.log(tf.maximum(c, 1.0)), c)
    for _ in range(6):
        a = tf.stop_gradient(a)
        a = a - (tf.exp(a) + a - c) / (tf.exp(a) + 1.0)
    return tf.exp(-a) - 1.0 - a


def _best_of_total_variation(u):
    return tf.where(u == 1.0, tf.zeros_like(u), tf.sign(u - 1.0) * math.inf)


_LOG_2 = math.log(2.0)
_ROWS = (
    FDivergence(
        "total_variation",
        f=lambda u: 0.5 * tf.abs(u - 1.0),
        derivative=lambda u: 0.5 * tf.sign(u - 1.0),
        conjugate=tf.identity,
        activation=lambda v: 0.5 * tf.tanh(v),
        conjugate_of_activation=lambda v: 0.5 * tf.tanh(v),
        best=_best_of_total_variation,
        slope_at_infinity=0.5,
    ),
    FDivergence(
        "kl",
        f=lambda u: tf.math.xlogy(u, u),
        derivative=lambda u: tf.math.log(u) + 1.0,
        conjugate=lambda t: tf.exp(t - 1.0),
        activation=lambda v: _log_ratio(v) + 1.0,
        conjugate_of_activation=_ratio,
        best=tf.math.log,
        slope_at_infinity=math.inf,
    ),
    FDivergence(
        "reverse_kl",
        f=lambda u: -tf.math.log(u),
        derivative=lambda u: -1.0 / u,
        conjugate=lambda t: -1.0 - tf.math.log(-t),
        activation=lambda v: -_ratio(-v),
        conjugate_of_activation=lambda v: _log_ratio(v) - 1.0,
        best=tf.math.log,
        slope_at_infinity=0.0,
    ),
    FDivergence(
        "pearson",
        f=lambda u: tf.square(u - 1.0),
        derivative=lambda u: 2.0 * (u - 1.0),
        conjugate=lambda t: t * (0.25 * t + 1.0),
        activation=tf.identity,
        conjugate_of_activation=lambda v: v * (0.25 * v + 1.0),
        best=lambda u: 2.0 * (u - 1.0),
        slope_at_infinity=math.inf,
    ),
    FDivergence(
        "neyman",
        f=lambda u: tf.square(1.0 - u) / u,
        derivative=lambda u: 1.0 - 1.0 / tf.square(u),
        conjugate=lambda t: 2.0 - 2.0 * tf.sqrt(1.0 - t),
        activation=lambda v: 1.0 - tf.square(_ratio(-v)),
        conjugate_of_activation=lambda v: 2.0 - 2.0 * _ratio(-v),
        best=tf.math.log,
        slope_at_infinity=1.0,
    ),
    FDivergence(
        "squared_hellinger",
        f=lambda u: tf.square(tf.sqrt(u) - 1.0),
        derivative=lambda u: 1.0 - 1.0 / tf.sqrt(u),
        conjugate=lambda t: t / (1.0 - t),
        activation=lambda v: 1.0 - _ratio(-0.5 * v),
        conjugate_of_activation=lambda v: _ratio(0.5 * v) - 1.0,
        best=tf.math.log,
        slope_at_infinity=1.0,
    ),
    FDivergence(
        "jeffreys",
        f=lambda u: (u - 1.0) * tf.math.log(u),
        derivative=lambda u: tf.math.log(u) + 1.0 - 1.0 / u,
        conjugate=_jeffreys_conjugate,
        # The paper's g(v) = v needs Lambert's W in every step; a critic of log-ratios does not.
        activation=lambda v: _log_ratio(v) + 1.0 - _ratio(-v),
        conjugate_of_activation=lambda v: _ratio(v) - 1.0 + _log_ratio(v),
        best=tf.math.log,
        slope_at_infinity=math.inf,
    ),
    FDivergence(
        "jensen_shannon",
        f=lambda u: tf.math.xlogy(u, u) - (u + 1.0) * (tf.math.log1p(u) - _LOG_2),
        derivative=lambda u: _LOG_2 - tf.math.log1p(1.0 / u),
        conjugate=lambda t: -tf.math.log(2.0 - tf.exp(t)),
        activation=lambda v: _LOG_2 - tf.nn.softplus(-v),
        conjugate_of_activation=lambda v: tf.nn.softplus(v) - _LOG_2,
        best=tf.math.log,
        slope_at_infinity=_LOG_2,
    ),
    FDivergence(
        "gan",
        f=lambda u: tf.math.xlogy(u, u) - (u + 1.0) * tf.math.log1p(u),
        derivative=lambda u: -tf.math.log1p(1.0 / u),
        conjugate=lambda t: -tf.math.log(-tf.math.expm1(t)),
        activation=lambda v: -tf.nn.softplus(-v),
        conjugate_of_activation=tf.nn.softplus,
        best=tf.math.log,
        slope_at_infinity=0.0,
    ),
)
DIVERGENCES = {row.name: row for row in _ROWS}
