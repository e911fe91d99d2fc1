"""Families of bits, labels and counts."""

import math

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae.families import estimators
from keras_symvae.families.base import Family

tfd = tfp.distributions

# Half of the range of a log-rate: two tilted factors reach exp(40), still finite in float32.
LOG_RATE_LIMIT = 20.0


@keras.saving.register_keras_serializable(package="keras_symvae")
class Bernoulli(Family):
    """Independent bits: eta is the logit [B, *shape], the statistic is the bit.

    Values are float32 in {0, 1}. Data in between (grey pixels) are scored by the cross-entropy,
    the expected log-probability of bits drawn with these probabilities.
    """

    discrete = True
    low, high = 0.0, 1.0

    def natural(self, raw, shared=None):
        return self._parts(raw)

    def distribution(self, eta):
        return self._independent(tfd.Bernoulli(logits=eta, dtype=tf.float32))

    def features(self, value):
        return 2.0 * tf.cast(value, tf.float32) - 1.0

    def rsample(self, eta, seed, *, estimator=None):
        return estimators.get(estimator).bits(eta, seed)

    def mode(self, eta):
        return tf.cast(eta > 0, tf.float32)


@keras.saving.register_keras_serializable(package="keras_symvae")
class Categorical(Family):
    """Independent labels: eta are logits [B, *shape, num_classes].

    Values are int32 labels [B, *shape]; -1, in a label map everywhere, marks one that is missing.
    Between a differentiable draw and a network, a value is a float32 one-hot code
    [B, *shape, num_classes] instead.

    Args:
        shape: () for one label per example, (height, width) for a label map.
        num_classes: labels are 0 ... num_classes - 1.
    """

    discrete = True
    marker = -1

    def __init__(self, shape=(), *, num_classes):
        super().__init__(shape)
        if num_classes < 2:
            raise ValueError(f"Categorical needs num_classes >= 2; received {num_classes}.")
        self.num_classes = num_classes
        self.low, self.high = 0, num_classes - 1

    @property
    def raw_shape(self):
        return (*self.shape, self.num_classes)

    @property
    def feature_shape(self):
        return self.raw_shape

    @property
    def dtype(self):
        return tf.int32

    def natural(self, raw, shared=None):
        return self._parts(raw)

    def distribution(self, eta):
        return self._independent(tfd.Categorical(logits=eta, dtype=tf.int32))

    def one_hot(self, value):
        """Returns the float32 code [B, *shape, num_classes] of labels; codes pass through."""
        if value.dtype.is_floating:
            return value
        return tf.one_hot(value, self.num_classes)

    def features(self, value):
        share = 1.0 / self.num_classes
        return (self.one_hot(value) - share) / math.sqrt(share * (1.0 - share))

    def log_prob(self, eta, value):
        if not value.dtype.is_floating:
            return super().log_prob(eta, value)
        score = tf.reduce_sum(value * tf.nn.log_softmax(eta), axis=-1)
        return tf.reduce_sum(score, axis=list(range(1, len(self.shape) + 1)))

    def rsample(self, eta, seed, *, estimator=None):
        return estimators.get(estimator).labels(eta, seed)

    def mean(self, eta):
        return self.mode(eta)

    def mode(self, eta):
        return tf.argmax(eta, axis=-1, output_type=tf.int32)

    def missing(self, value):
        value = tf.convert_to_tensor(value)
        if value.dtype.is_floating:
            return tf.zeros(tf.shape(value)[:1], tf.bool)
        return tf.reduce_all(value == self.marker, axis=list(range(1, len(self.shape) + 1)))

    def merged(self, known, value, other):
        if other.dtype.is_floating:
            value = self.one_hot(value)
        return super().merged(known, value, other)

    def check(self, name, value):
        if np.asarray(value).dtype.kind not in "iu":
            raise ValueError(
                f"'{name}' has dtype {np.asarray(value).dtype}; labels are integers "
                f"0 ... {self.num_classes - 1}."
            )
        super().check(name, value)

    def get_config(self):
        return {"shape": self.shape, "num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="keras_symvae")
class Poisson(Family):
    """Independent counts: eta is the log-rate [B, *shape], the statistic is the count."""

    discrete = True
    reparametrised = False
    low = 0.0

    def natural(self, raw, shared=None):
        return LOG_RATE_LIMIT * tf.tanh(self._parts(raw) / LOG_RATE_LIMIT)

    def distribution(self, eta):
        return self._independent(tfd.Poisson(log_rate=eta))

    def features(self, value):
        return tf.cast(value, tf.float32) - 1.0

    def rsample(self, eta, seed, *, estimator=None):
        raise ValueError(
            "Poisson draws have no gradient. Use SymmetricEquilibrium, which needs none, or give "
            "the latent another family."
        )

    def mode(self, eta):
        return tf.floor(tf.exp(eta))

    def kl(self, eta, other):
        """The sum of rate (log rate - log rate') - rate + rate'; TFP has no closed form of it."""
        parts = tf.exp(eta) * (eta - other) - tf.exp(eta) + tf.exp(other)
        return tf.reduce_sum(parts, axis=list(range(1, len(self.shape) + 1)))
