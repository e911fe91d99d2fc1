"""Families of real numbers, positive numbers, fractions and angles."""

import math

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import seeds
from keras_symvae.families.base import SMALLEST, Family, positive

tfd = tfp.distributions

LOG_SCALE_LIMIT = 7.0  # standard deviations between 1e-3 and 1e3 of the family's spread


@keras.saving.register_keras_serializable(package="keras_symvae")
class Normal(Family):
    """Independent real numbers: eta = (precision * loc, precision), each [B, *shape].

    Args:
        shape: shape of one value without the batch axis.
        scale: "element" (the network emits a loc and a scale per element), "shared" (one learned
            standard deviation for all elements) or a number, the fixed standard deviation.
        center, spread: of all values; networks read (value - center) / spread. Raw zeros name the
            member N(center, spread^2), or N(center, scale^2) where the scale is fixed. For pixels
            in [0, 1] take 0.5 and 0.5.
    """

    def __init__(self, shape, *, scale: str | float = "element", center=0.0, spread=1.0):
        super().__init__(shape)
        known = scale in ("element", "shared") if isinstance(scale, str) else scale > 0
        if not known:
            raise ValueError(
                f"Normal's scale is 'element', 'shared' or a positive number; received {scale!r}."
            )
        if spread <= 0:
            raise ValueError(f"Normal's spread is a positive number; received {spread!r}.")
        self.scale, self.center, self.spread = scale, center, spread
        self.raw_parts = 2 if scale == "element" else 1
        self.num_shared = 1 if scale == "shared" else 0

    def natural(self, raw, shared=None):
        parts = self._parts(raw)
        if self.scale == "element":
            raw_loc, raw_precision = parts
            precision = positive(raw_precision) / self.spread**2
        else:
            raw_loc = parts
            precision = self._common_precision(shared) * tf.ones_like(raw_loc)
        return precision * (self.center + self.spread * raw_loc), precision

    def _common_precision(self, shared):
        if self.scale != "shared":
            return 1.0 / self.scale**2
        log_scale = tf.clip_by_value(shared[0], -LOG_SCALE_LIMIT, LOG_SCALE_LIMIT)
        return tf.exp(-2.0 * log_scale) / self.spread**2

    def distribution(self, eta):
        weighted, precision = eta
        return self._independent(tfd.Normal(weighted / precision, tf.math.rsqrt(precision)))

    def features(self, value):
        return (tf.cast(value, tf.float32) - self.center) / self.spread

    def get_config(self):
        return {
            "shape": self.shape,
            "scale": self.scale,
            "center": self.center,
            "spread": self.spread,
        }


@keras.saving.register_keras_serializable(package="keras_symvae")
class Gamma(Family):
    """Independent positive numbers: eta = (concentration, rate), each [B, *shape].

    The base measure is dx / x, so that eta is any pair of positive numbers; the statistic is
    (log x, -x).
    """

    raw_parts = 2
    low = float(np.finfo(np.float32).tiny)

    def natural(self, raw, shared=None):
        concentration, rate = self._parts(raw)
        return positive(concentration), positive(rate)

    def distribution(self, eta):
        concentration, rate = eta
        return self._independent(tfd.Gamma(concentration, rate))

    @property
    def feature_shape(self):
        return self.raw_shape

    def features(self, value):
        value = tf.maximum(tf.cast(value, tf.float32), SMALLEST)
        log_value = (tf.math.log(value) + np.euler_gamma) / (math.pi / math.sqrt(6.0))
        return _side_by_side(log_value, value - 1.0, self.shape)


@keras.saving.register_keras_serializable(package="keras_symvae")
class Beta(Family):
    """Independent fractions: eta = (concentration1, concentration0), each [B, *shape].

    The base measure is dx / (x (1 - x)), so that eta is any pair of positive numbers; the
    statistic is (log x, log(1 - x)).
    """

    raw_parts = 2
    low, high = float(np.finfo(np.float32).tiny), 1.0 - 2.0**-24

    def natural(self, raw, shared=None):
        concentration1, concentration0 = self._parts(raw)
        return positive(concentration1), positive(concentration0)

    def distribution(self, eta):
        concentration1, concentration0 = eta
        return self._independent(tfd.Beta(concentration1, concentration0))

    @property
    def feature_shape(self):
        return self.raw_shape

    def features(self, value):
        value = tf.clip_by_value(tf.cast(value, tf.float32), SMALLEST, 1.0 - SMALLEST)
        return _side_by_side(tf.math.log(value) + 1.0, tf.math.log1p(-value) + 1.0, self.shape)

    def sample(self, eta, seed):
        return tf.stop_gradient(self.rsample(eta, seed))

    def rsample(self, eta, seed, *, estimator=None):
        """Gamma(a) / (Gamma(a) + Gamma(b)) with Gamma(a) = Gamma(a + 1) U^(1/a), in logarithms.

        Unlike TFP's, its gradient stays finite where a and b are small and draws reach 0 and 1.
        """

        def log_gamma(concentration, fork):
            draw = tfd.Gamma(concentration + 1.0, 1.0).sample(seed=seeds.fold(fork, 0))
            uniform = tf.random.stateless_uniform(tf.shape(draw), seeds.fold(fork, 1), SMALLEST)
            return tf.math.log(draw) + tf.math.log(uniform) / concentration

        one, zero = (log_gamma(part, seeds.fold(seed, index)) for index, part in enumerate(eta))
        return tf.clip_by_value(tf.sigmoid(one - zero), self.low, self.high)


@keras.saving.register_keras_serializable(package="keras_symvae")
class VonMises(Family):
    """Independent angles in radians: eta = concentration * (cos loc, sin loc), each [B, *shape].

    Eta is any point of the plane; its length is the concentration, the statistic is (cos x, sin x).
    """

    raw_parts = 2
    low, high = -math.pi - SMALLEST, math.pi + SMALLEST

    def natural(self, raw, shared=None):
        cosine, sine = self._parts(raw)
        return cosine, sine

    def distribution(self, eta):
        cosine, sine = eta
        # The angle of the zero vector has no gradient; any constant angle is as good.
        flat = tf.logical_and(cosine == 0.0, sine == 0.0)
        loc = tf.atan2(sine, tf.where(flat, 1.0, cosine))
        return self._independent(tfd.VonMises(loc, _length(cosine, sine)))

    def log_prob(self, eta, value):
        """<eta, (cos x, sin x)> - log(2 pi I_0(|eta|)): smooth also at eta = 0."""
        cosine, sine = eta
        length = _length(cosine, sine)
        log_normaliser = math.log(2.0 * math.pi) + tf.math.log(tf.math.bessel_i0e(length)) + length
        score = cosine * tf.cos(value) + sine * tf.sin(value) - log_normaliser
        return tf.reduce_sum(score, axis=list(range(1, len(self.shape) + 1)))

    @property
    def feature_shape(self):
        return self.raw_shape

    def features(self, value):
        value = tf.cast(value, tf.float32)
        return math.sqrt(2.0) * _side_by_side(tf.cos(value), tf.sin(value), self.shape)


def _length(cosine, sine):
    return tf.sqrt(tf.square(cosine) + tf.square(sine) + SMALLEST**2)


def _side_by_side(first, second, shape):
    if not shape:
        return tf.stack([first, second], axis=-1)
    return tf.concat([first, second], axis=-1)
