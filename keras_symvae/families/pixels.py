"""Pixels: TFP's kind of distribution of channels that are drawn one after the other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import seeds
from keras_symvae.families.base import Eta

tfd = tfp.distributions

STEP = 1.0 / 255.0  # from one value to the next
CENTER = 0.5
FLAT = 1e-2  # below this steepness a difference of two softplus has lost its digits


class Pixels(tfd.Distribution):
    """Channels of a pixel, each given those before it, [..., channels] with components behind.

    Args:
        eta: parameters of `DiscretizedLogistic`.
        scalar: whether pixels have no axis of channels.
    """

    def __init__(self, eta: Eta, *, scalar: bool) -> None:
        self._scalar, self._eta = scalar, eta
        if scalar:
            eta = tf.nest.map_structure(lambda part: part[:, None], eta)
        self._loc, self._steepness, self._logits, self._slopes = eta
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters={"eta": eta, "scalar": scalar},
        )

    def _batch_shape(self) -> tf.TensorShape:
        return self._eta[0].shape[:-1]

    def _batch_shape_tensor(self) -> tf.Tensor:
        return tf.shape(self._eta[0])[:-1]

    def _event_shape(self) -> tf.TensorShape:
        return tf.TensorShape([])

    def _event_shape_tensor(self) -> tf.Tensor:
        return tf.constant([], tf.int32)

    def _log_prob(self, value: Any) -> Any:
        value = _nearest(value[..., None, None] if self._scalar else value[..., None])
        loc = self._loc
        if self._slopes.shape[-1]:
            before = tf.linalg.matrix_transpose(value[..., :-1, :])[..., None, :, :]
            loc += tf.reduce_sum(self._slopes * (before - CENTER), axis=-1)
        score = _log_mass(value, loc, self._steepness)
        if score.shape[-1] == 1:
            return self._bare(score)
        # The channels up to c are a mixture of products; c given those before is a quotient of two.
        joint = tf.reduce_logsumexp(
            tf.nn.log_softmax(self._logits) + tf.cumsum(score, axis=-2), axis=-1, keepdims=True
        )
        before = tf.concat([tf.zeros_like(joint[..., :1, :]), joint[..., :-1, :]], axis=-2)
        return self._bare(joint - before)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        shape = tf.concat([[n], tf.shape(self._loc)], axis=0)
        chosen = tf.one_hot(0, 1)
        if self._logits.shape[-1] > 1:
            places = tf.concat([shape[:-2], [1], shape[-1:]], axis=0)
            gumbel = -tf.math.log(-tf.math.log(_uniform(places, seeds.fold(seed, 0))))
            best = tf.argmax(self._logits[..., :1, :] + gumbel, axis=-1)
            chosen = tf.one_hot(best, self._logits.shape[-1])
        uniform = _uniform(tf.concat([shape[:-1], [1]], axis=0), seeds.fold(seed, 1))

        def turn(loc: Any, steepness: Any, noise: Any) -> Any:
            loc, steepness = (
                tf.reduce_sum(chosen * part, axis=-1, keepdims=True) for part in (loc, steepness)
            )
            return _nearest(loc + noise / steepness)

        return self._bare(self._in_turn(turn, tf.math.log(uniform) - tf.math.log1p(-uniform)))

    def _mean(self) -> Any:
        means = tf.nn.softmax(self._logits) * self._in_turn(_mean)
        return self._bare(tf.reduce_sum(means, axis=-1, keepdims=True))

    def _mode(self) -> Any:
        scores: list[Any] = []

        def turn(loc: Any, steepness: Any) -> Any:
            # All of a tail lies on one value, which may outweigh the peak.
            values = [_nearest(loc), tf.zeros_like(loc), tf.ones_like(loc)]
            masses = tf.stack([_log_mass(value, loc, steepness) for value in values])
            scores.append(tf.reduce_max(masses, axis=0))
            best = tf.argmax(masses, axis=0)
            return tf.where(best == 0, values[0], tf.cast(best == 2, tf.float32))

        modes = self._in_turn(turn)
        score = tf.reduce_sum(tf.concat(scores, axis=-2), axis=-2, keepdims=True)
        best = tf.argmax(tf.nn.log_softmax(self._logits[..., :1, :]) + score, axis=-1)
        chosen = tf.one_hot(best, modes.shape[-1])
        return self._bare(tf.reduce_sum(chosen * modes, axis=-1, keepdims=True))

    def _entropy(self) -> Any:
        raise ValueError(
            "DiscretizedLogistic has no entropy in closed form; average -log_prob over draws."
        )

    def _in_turn(self, turn: Callable[..., Any], *parts: Any) -> Any:
        """Returns turn(loc, steepness, *parts) [..., channels, 1 or K], each given those before.

        Args:
            turn: acts on every element by itself.
            parts: [..., channels, n].
        """
        parts = (self._steepness, *parts)
        if not self._slopes.shape[-1]:
            return turn(self._loc, *parts)
        found: list[Any] = []
        for channel in range(self._loc.shape[-2]):
            here = slice(channel, channel + 1)
            loc = self._loc[..., here, :]
            for index, value in enumerate(found):
                loc += self._slopes[..., here, :, index] * (value - CENTER)
            found.append(turn(loc, *(part[..., here, :] for part in parts)))
        return tf.concat(found, axis=-2)

    def _bare(self, elements: Any) -> Any:
        """Returns [..., *shape] of elements [..., channels, 1]."""
        return elements[..., 0, 0] if self._scalar else elements[..., 0]


@tfd.RegisterKL(Pixels, Pixels)
def _kl(p: Any, q: Any, name: str | None = None) -> Any:
    raise ValueError(
        "DiscretizedLogistic has no divergence in closed form; average differences of log_prob "
        "over draws."
    )


def _nearest(value: Any) -> Any:
    return tf.clip_by_value(tf.round(value / STEP) * STEP, 0.0, 1.0)


def _uniform(shape: Any, seed: Any) -> Any:
    return tf.random.stateless_uniform(shape, seed, float(np.finfo(np.float32).tiny))


def _log_mass(value: Any, loc: Any, steepness: Any) -> Any:
    """Returns log [F((value + STEP / 2 - loc) steepness) - F((value - STEP / 2 - loc) steepness)].

    F(b) - F(a) = F(b) F(-a) (1 - exp(a - b)), no factor of which loses its digits.
    """
    lowest, highest = value < STEP / 2, value > 1.0 - STEP / 2
    below = -tf.nn.softplus((value - STEP / 2 - loc) * steepness)
    above = -tf.nn.softplus((loc - value - STEP / 2) * steepness)
    between = tf.math.log(-tf.math.expm1(-STEP * steepness))
    inner = tf.where(lowest | highest, 0.0, between)
    return tf.where(lowest, 0.0, below) + tf.where(highest, 0.0, above) + inner


def _mean(loc: Any, steepness: Any) -> Any:
    """Returns the mean of a draw, to half a step: the integral of P(draw > t) from 0 to 1."""
    left, right = loc * steepness, (loc - 1.0) * steepness
    # softplus(left) - softplus(right) = left - right + softplus(-left) - softplus(-right)
    upper = left + right > 0.0
    signed = tf.where(upper, -1.0, 1.0)
    rest = tf.nn.softplus(signed * left) - tf.nn.softplus(signed * right)
    steep = tf.cast(upper, tf.float32) + rest / steepness
    mean = tf.where(steepness < FLAT, tf.sigmoid((left + right) / 2.0), steep)
    return tf.clip_by_value(mean, 0.0, 1.0)
