"""Families of real numbers, positive numbers, fractions and angles."""

import abc
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import arguments, seeds
from keras_symvae.families.base import SMALLEST, Eta, Family, positive

tfd = tfp.distributions

LOG_SCALE_LIMIT = 7.0  # standard deviations between 1e-3 and 1e3 of the family's spread


class Continuous(Family, abc.ABC):
    """A family of real numbers, whose plain draws are its differentiable ones."""

    def _sample(self, eta: Eta, seed: Any) -> Any:
        return self._rsample(eta, seed, None)

    def _mode(self, eta: Eta) -> Any:
        return self._distribution(eta).mean()


class Reparametrised(Continuous, abc.ABC):
    """A continuous family whose density and differentiable draws are those of TFP."""

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        return self._distribution(eta).log_prob(value)

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        return self._distribution(eta).sample(seed=seed)


@keras.saving.register_keras_serializable(package="keras_symvae")
class Normal(Reparametrised):
    """Independent real numbers: eta = (precision * loc, precision), each [B, *shape].

    Args:
        shape: shape of one value without the batch axis.
        scale: "element" (the network emits a loc and a scale per element), "each" (every element
            has one learned standard deviation), "shared" (all elements have one) or a number, the
            fixed standard deviation.
        center, spread: of all values; networks read (value - center) / spread. Raw zeros name the
            member N(center, spread^2), or N(center, scale^2) where the scale is fixed. For pixels
            in [0, 1] take 0.5 and 0.5.
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        *,
        scale: str | float = "element",
        center: float = 0.0,
        spread: float = 1.0,
    ):
        super().__init__(shape)
        if not isinstance(scale, str) or scale not in ("element", "each", "shared"):
            says = "Normal's scale is 'element', 'each', 'shared' or a positive number"
            scale = arguments.number("scale", scale, above=0, says=says)
        self.scale, self.center = scale, arguments.number("Normal's center", center)
        self.spread = arguments.number("Normal's spread", spread, above=0)
        self.raw_parts = 2 if scale == "element" else 1
        self.num_shared = self.size if scale == "each" else int(scale == "shared")

    def _natural(self, raw: Any, shared: Any) -> Eta:
        if self.scale == "element":
            raw_loc, raw_precision = raw
            precision = positive(raw_precision) / self.spread**2
        else:
            raw_loc = raw
            precision = self._common_precision(shared) * tf.ones_like(raw_loc)
        return precision * (self.center + self.spread * raw_loc), precision

    def _common_precision(self, shared: Any) -> Any:
        if not self.num_shared:
            return 1.0 / self.scale**2
        own = tf.reshape(shared, self.shape) if self.scale == "each" else shared[0]
        log_scale = tf.clip_by_value(own, -LOG_SCALE_LIMIT, LOG_SCALE_LIMIT)
        return tf.exp(-2.0 * log_scale) / self.spread**2

    def _distribution(self, eta: Eta) -> Any:
        weighted, precision = eta
        return tfd.Normal(weighted / precision, tf.math.rsqrt(precision))

    def _features(self, value: Any) -> Any:
        return (value - self.center) / self.spread


@keras.saving.register_keras_serializable(package="keras_symvae")
class Gamma(Reparametrised):
    """Independent positive numbers: eta = (concentration, rate), each [B, *shape].

    The base measure is dx / x, so that eta is any pair of positive numbers; the statistic is
    (log x, -x).
    """

    raw_parts = 2
    feature_parts = 2
    low = float(np.finfo(np.float32).tiny)

    def _natural(self, raw: Any, shared: Any) -> Eta:
        concentration, rate = raw
        return positive(concentration), positive(rate)

    def _distribution(self, eta: Eta) -> Any:
        concentration, rate = eta
        return tfd.Gamma(concentration, rate)

    def _features(self, value: Any) -> Any:
        value = tf.maximum(value, SMALLEST)
        log_value = (tf.math.log(value) + np.euler_gamma) / (math.pi / math.sqrt(6.0))
        return _side_by_side(log_value, value - 1.0, self.shape)


@keras.saving.register_keras_serializable(package="keras_symvae")
class Beta(Continuous):
    """Independent fractions: eta = (concentration1, concentration0), each [B, *shape].

    The base measure is dx / (x (1 - x)), so that eta is any pair of positive numbers; the
    statistic is (log x, log(1 - x)).
    """

    raw_parts = 2
    feature_parts = 2
    low, high = float(np.finfo(np.float32).tiny), 1.0 - 2.0**-24

    def _natural(self, raw: Any, shared: Any) -> Eta:
        concentration1, concentration0 = raw
        return positive(concentration1), positive(concentration0)

    def _distribution(self, eta: Eta) -> Any:
        concentration1, concentration0 = eta
        return tfd.Beta(concentration1, concentration0)

    def _features(self, value: Any) -> Any:
        value = tf.clip_by_value(value, SMALLEST, 1.0 - SMALLEST)
        return _side_by_side(tf.math.log(value) + 1.0, tf.math.log1p(-value) + 1.0, self.shape)

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        return self._distribution(eta).log_prob(value)

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        """Gamma(a) / (Gamma(a) + Gamma(b)) with Gamma(a) = Gamma(a + 1) U^(1/a), in logarithms.

        Unlike TFP's, its gradient stays finite where a and b are small and draws reach 0 and 1.
        """

        def log_gamma(concentration: Any, fork: Any) -> Any:
            draw = tfd.Gamma(concentration + 1.0, 1.0).sample(seed=seeds.fold(fork, 0))
            uniform = tf.random.stateless_uniform(tf.shape(draw), seeds.fold(fork, 1), SMALLEST)
            return tf.math.log(draw) + tf.math.log(uniform) / concentration

        one, zero = (log_gamma(part, seeds.fold(seed, index)) for index, part in enumerate(eta))
        return tf.clip_by_value(tf.sigmoid(one - zero), self.low, self.high)


@keras.saving.register_keras_serializable(package="keras_symvae")
class VonMises(Continuous):
    """Independent angles in radians: eta = concentration * (cos loc, sin loc), each [B, *shape].

    Eta is any point of the plane; its length is the concentration, the statistic is (cos x, sin x).
    """

    raw_parts = 2
    feature_parts = 2
    low, high = -math.pi - SMALLEST, math.pi + SMALLEST

    def _natural(self, raw: Any, shared: Any) -> Eta:
        cosine, sine = raw
        return cosine, sine

    def _distribution(self, eta: Eta) -> Any:
        cosine, sine = eta
        # The angle of the zero vector has no gradient; any constant angle is as good.
        flat = tf.logical_and(cosine == 0.0, sine == 0.0)
        loc = tf.atan2(sine, tf.where(flat, 1.0, cosine))
        return tfd.VonMises(loc, _length(cosine, sine))

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        return self._distribution(eta).sample(seed=seed)

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        """<eta, (cos x, sin x)> - log(2 pi I_0(|eta|)): smooth also at eta = 0."""
        cosine, sine = eta
        length = _length(cosine, sine)
        log_normaliser = math.log(2.0 * math.pi) + tf.math.log(tf.math.bessel_i0e(length)) + length
        return cosine * tf.cos(value) + sine * tf.sin(value) - log_normaliser

    def _features(self, value: Any) -> Any:
        return math.sqrt(2.0) * _side_by_side(tf.cos(value), tf.sin(value), self.shape)


def _length(cosine: Any, sine: Any) -> Any:
    return tf.sqrt(tf.square(cosine) + tf.square(sine) + SMALLEST**2)


def _side_by_side(first: Any, second: Any, shape: tuple[int, ...]) -> Any:
    if not shape:
        return tf.stack([first, second], axis=-1)
    return tf.concat([first, second], axis=-1)
