"""Gradient estimators: discrete draws that carry a gradient with respect to their logits."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import tensorflow as tf

from keras_symvae import arguments

Draw: TypeAlias = Callable[[Any, Any], Any]  # (logits, seed) -> a draw


@dataclasses.dataclass(frozen=True)
class Estimator:
    """Two draws with a gradient: `bits(logits, seed)` and `labels(logits, seed)`.

    `bits` maps logits [B, ...] to float32 bits of the same shape, `labels` maps logits
    [B, ..., K] to float32 one-hot codes of the same shape. Seeds are stateless, int32 [2].
    """

    name: str
    bits: Draw
    labels: Draw


def draw_bits(logits: Any, seed: Any) -> Any:
    """Returns float32 bits [B, ...] with P(1) = sigmoid(logits), without a gradient."""
    uniform = tf.random.stateless_uniform(tf.shape(logits), seed)
    return tf.cast(uniform < tf.stop_gradient(tf.sigmoid(logits)), tf.float32)


def draw_labels(logits: Any, seed: Any) -> Any:
    """Returns float32 one-hot codes [B, ..., K] drawn from softmax(logits), no gradient."""
    noisy = tf.stop_gradient(logits) + gumbel(tf.shape(logits), seed)
    return tf.one_hot(tf.argmax(noisy, axis=-1), logits.shape[-1])


def straight_through_bits(logits: Any, seed: Any) -> Any:
    """A hard bit with the gradient of its probability (Hinton's straight-through)."""
    return _with_gradient_of(draw_bits(logits, seed), tf.sigmoid(logits))


def straight_through_labels(logits: Any, seed: Any) -> Any:
    """A hard one-hot code with the gradient of its probabilities."""
    return _with_gradient_of(draw_labels(logits, seed), tf.nn.softmax(logits))


def zgr_bits(logits: Any, seed: Any) -> Any:
    """ZGR, also DARN(1/2): J = P(1 - x) / 2, half of the probability of the other value.

    Reference: Gregor et al. 2014 (DARN); Shekhovtsov 2023, Cold Analysis of Rao-Blackwellized
    Straight-Through Gumbel-Softmax Gradient Estimator. Exact for functions quadratic in the bit.
    """
    bit = draw_bits(logits, seed)
    probability = tf.sigmoid(logits)
    slope = tf.stop_gradient(bit * (1.0 - probability) + (1.0 - bit) * probability) / 2.0
    return _with_gradient_of(bit, slope * logits)


def zgr_labels(logits: Any, seed: Any) -> Any:
    """ZGR for K classes: the mean of straight-through and of DARN's log-derivative.

    x + (dp + (x - p) d log p(x)) / 2
    """
    code = draw_labels(logits, seed)
    probability = tf.nn.softmax(logits)
    log_prob = tf.reduce_sum(code * tf.nn.log_softmax(logits), axis=-1, keepdims=True)
    darn = (code - tf.stop_gradient(probability)) * log_prob
    return _with_gradient_of(code, (probability + darn) / 2.0)


def gumbel_softmax(temperature: float) -> tuple[Draw, Draw]:
    """A relaxed draw at this temperature, with its exact pathwise gradient.

    Reference: Jang et al. 2017; Maddison et al. 2017. Draws lie between the hard values.
    """

    def bits(logits: Any, seed: Any) -> Any:
        uniform = _open_uniform(tf.shape(logits), seed)
        logistic = tf.math.log(uniform) - tf.math.log1p(-uniform)
        return tf.sigmoid((logits + logistic) / temperature)

    def labels(logits: Any, seed: Any) -> Any:
        return tf.nn.softmax((logits + gumbel(tf.shape(logits), seed)) / temperature)

    return bits, labels


def get(name: str | None) -> Estimator:
    """Returns the `Estimator` that a name stands for.

    Names: "zgr" (None stands for it), "straight_through", "gumbel_softmax" (temperature 0.5) or
    "gumbel_softmax:T" with a temperature T.

    Raises:
        ValueError: the name is unknown or the temperature is not a positive number.
    """
    name = "zgr" if name is None else name
    kind, _, temperature = name.partition(":") if isinstance(name, str) else ("", "", "")
    if kind == "gumbel_softmax":
        try:
            value = float(temperature or 0.5)
        except ValueError:
            value = 0.0
        if 0.0 < value < math.inf:
            return Estimator(name, *gumbel_softmax(value))
    elif isinstance(name, str) and name in _TABLE:
        return Estimator(name, *_TABLE[name])
    raise ValueError(
        f"Unknown estimator {arguments.told(name)}; choose one of {', '.join(_TABLE)}, "
        "gumbel_softmax:T (T > 0)."
    )


_TABLE = {
    "zgr": (zgr_bits, zgr_labels),
    "straight_through": (straight_through_bits, straight_through_labels),
}


def _with_gradient_of(value: Any, surrogate: Any) -> Any:
    return tf.stop_gradient(value) + surrogate - tf.stop_gradient(surrogate)


def _open_uniform(shape: Any, seed: Any) -> Any:
    return tf.random.stateless_uniform(shape, seed, minval=1e-7, maxval=1.0 - 1e-7)


def gumbel(shape: Any, seed: Any) -> Any:
    """Returns standard Gumbel noise; the largest of logits + noise is a draw from their softmax."""
    return -tf.math.log(-tf.math.log(_open_uniform(shape, seed)))
