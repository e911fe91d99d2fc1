"""Families of bits, labels and counts."""

import abc
import math
from typing import Any, final

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import arguments
from keras_symvae.families import estimators
from keras_symvae.families.base import Eta, Family, Tensor
from keras_symvae.shapes import shaped

tfd = tfp.distributions

# Half of the range of a log-rate: two tilted factors reach exp(40), still finite in float32.
LOG_RATE_LIMIT = 20.0
# Below this rate a Poisson entropy is the sum of this many terms, above it an asymptotic series;
# both are within 1e-5 nats of the exact value.
SERIES_RATE, SERIES_TERMS = 10.0, 48


class Discrete(Family, abc.ABC):
    """A family over a countable set, whose plain draws are those of TFP."""

    discrete = True

    def _sample(self, eta: Eta, seed: Any) -> Any:
        return self._distribution(eta).sample(seed=seed)


class Finite(Discrete, abc.ABC):
    """A family over K values: a mixture of its members is again a member."""

    @abc.abstractmethod
    def _logits(self, eta: Eta) -> Any:
        """Returns logits [B, *shape, K]."""

    @final
    @shaped(eta="[B, *self.shape, ...]", returns="[B, *self.shape, K]")
    def probabilities(self, eta: Eta) -> tf.Tensor:
        """Returns the probability of each value [B, *shape, K], in the dtype of eta."""
        return tf.nn.softmax(self._logits(eta))

    @staticmethod
    @shaped(probabilities="[..., K]")
    def entropy_of(probabilities: Tensor) -> tf.Tensor:
        """Returns the entropy of each element, nats [...], from probabilities [..., K]."""
        return -tf.reduce_sum(tf.math.xlogy(probabilities, probabilities), axis=-1)


def _log_prob_of_bits(eta: Eta, value: Any) -> Any:
    # TFP takes a logarithm for either value of a bit, which doubles the time of a choice.
    return -tf.nn.sigmoid_cross_entropy_with_logits(labels=value, logits=eta)


@keras.saving.register_keras_serializable(package="keras_symvae")
class Bernoulli(Finite):
    """Independent bits: eta is the logit [B, *shape], the statistic is the bit.

    Values are float32 in {0, 1}. Data in between (grey pixels) are scored by the cross-entropy,
    the expected log-probability of bits drawn with these probabilities.
    """

    low, high = 0.0, 1.0
    constant_log_prob = staticmethod(_log_prob_of_bits)

    def _natural(self, raw: Any, shared: Any) -> Eta:
        return raw

    def _distribution(self, eta: Eta) -> Any:
        return tfd.Bernoulli(logits=eta, dtype=tf.float32)

    def _features(self, value: Any) -> Any:
        return 2.0 * value - 1.0

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        return self._distribution(eta).log_prob(value)

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        return estimators.get(estimator).bits(eta, seed)

    def _mode(self, eta: Eta) -> Any:
        return tf.cast(eta > 0, tf.float32)

    def _logits(self, eta: Eta) -> Any:
        return tf.stack([tf.zeros_like(eta), eta], axis=-1)


@keras.saving.register_keras_serializable(package="keras_symvae")
class Categorical(Finite):
    """Independent labels: eta are logits [B, *shape, num_classes].

    Values are int32 labels [B, *shape]. A label of -1 is one that nobody knows: it costs nothing,
    networks read it as zeros, and an example with no other label is missing. Between a
    differentiable draw and a network, a value is a float32 one-hot code [B, *shape, num_classes]
    instead, in which zeros stand for -1.

    Args:
        shape: () for one label per example, (height, width) for a label map.
        num_classes: labels are 0 ... num_classes - 1.
    """

    dtype = tf.int32
    marker = -1

    def __init__(self, shape: int | tuple[int, ...] = (), *, num_classes: int):
        super().__init__(shape)
        says = "Categorical needs num_classes >= 2"
        self.num_classes = arguments.integer("num_classes", num_classes, least=2, says=says)
        self.low, self.high = 0, self.num_classes - 1

    def _natural(self, raw: Any, shared: Any) -> Eta:
        return raw

    def _distribution(self, eta: Eta) -> Any:
        return tfd.Categorical(logits=eta, dtype=tf.int32)

    @shaped(value="[B, *self.shape] | [B, *self.feature_shape]", returns="[B, *self.feature_shape]")
    def one_hot(self, value: Tensor) -> tf.Tensor:
        """Returns the float32 code [B, *shape, num_classes] of labels; codes pass through."""
        return self._code(self._typed(value))

    def _features(self, value: Any) -> Any:
        share = 1.0 / self.num_classes
        code = self._code(value)
        if self._is_code(value):
            unknown = tf.reduce_all(code == 0.0, axis=-1)
        else:
            unknown = self._unknown(value)
        features = (code - share) / math.sqrt(share * (1.0 - share))
        return tf.where(unknown[..., None], 0.0, features)

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        if self._is_code(value):
            return tf.reduce_sum(value * tf.nn.log_softmax(eta), axis=-1)
        unknown = self._unknown(value)
        score = self._distribution(eta).log_prob(tf.where(unknown, 0, value))
        return tf.where(unknown, 0.0, score)

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        return estimators.get(estimator).labels(eta, seed)

    def _mode(self, eta: Eta) -> Any:
        return tf.argmax(eta, axis=-1, output_type=tf.int32)

    def _logits(self, eta: Eta) -> Any:
        return eta


class _Counts(tfd.Poisson):
    """A Poisson distribution with the entropy and the divergence that TFP's lacks."""

    def _entropy(self) -> Any:
        """The value of rate (1 - log rate) + E log(count!): a sum at small rates, else a series."""
        rate = tf.exp(self.log_rate)
        small = tf.minimum(rate, SERIES_RATE)
        count = tf.range(SERIES_TERMS, dtype=rate.dtype)
        log_factorial = tf.math.lgamma(count + 1.0)
        log_terms = count * tf.math.log(tf.maximum(small, 1e-30))[..., None] - log_factorial
        terms = tf.exp(log_terms - small[..., None]) * log_factorial
        exact = small - tf.math.xlogy(small, small) + tf.reduce_sum(terms, axis=-1)
        one = 1.0 / tf.maximum(rate, SERIES_RATE)
        series = 0.5 * (math.log(2.0 * math.pi * math.e) + tf.maximum(self.log_rate, 0.0))
        series -= one / 12.0 + one**2 / 24.0 + 19.0 * one**3 / 360.0
        return tf.where(rate < SERIES_RATE, exact, series)


@tfd.RegisterKL(_Counts, _Counts)
def _kl(p: Any, q: Any, name: str | None = None) -> Any:
    """The value of rate (log rate - log rate') - rate + rate'."""
    eta, other = p.log_rate, q.log_rate
    return tf.exp(eta) * (eta - other) - tf.exp(eta) + tf.exp(other)


@keras.saving.register_keras_serializable(package="keras_symvae")
class Poisson(Discrete):
    """Independent counts: eta is the log-rate [B, *shape], the statistic is the count.

    Args:
        shape: shape of one value without the batch axis.
        rate: the mean count that raw zeros name; networks read (count - rate) / sqrt(rate).
    """

    reparametrised = False
    low = 0.0

    def __init__(self, shape: int | tuple[int, ...], *, rate: float = 1.0):
        super().__init__(shape)
        self.rate = arguments.number("Poisson's rate", rate, above=0)

    def _natural(self, raw: Any, shared: Any) -> Eta:
        return math.log(self.rate) + LOG_RATE_LIMIT * tf.tanh(raw / LOG_RATE_LIMIT)

    def _distribution(self, eta: Eta) -> Any:
        return _Counts(log_rate=eta)

    def _features(self, value: Any) -> Any:
        return (value - self.rate) / math.sqrt(self.rate)

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        return self._distribution(eta).log_prob(value)

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        raise ValueError(
            "Poisson draws have no gradient. Use SymmetricEquilibrium, which needs none, or give "
            "the latent another family."
        )

    def _mode(self, eta: Eta) -> Any:
        return tf.floor(tf.exp(eta))
