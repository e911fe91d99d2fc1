"""A record: elements of several families side by side, such as the columns of a table."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_symvae import arguments, seeds
from keras_symvae.families.base import Eta, Family

tfd = tfp.distributions


@keras.saving.register_keras_serializable(package="keras_symvae")
class Record(Family):
    """Independent elements of several families: eta is the tuple of theirs.

        log p(value; eta) = sum over the known elements of log p_part(element; eta_part)

    Values are float32 [B, n], labels as whole numbers. A single element that nobody knows is NaN:
    it counts 0 nats, and networks read zeros in the place of its features, and behind the features
    of all elements [n] numbers that are 1 where an element is unknown.

    Args:
        parts: families of the shapes (n_0,), (n_1,), ... in the order of their elements.

    Raises:
        ValueError: there is no part, or one of another shape.
    """

    partial = True
    reparametrised = False

    def __init__(self, parts: Sequence[Family]):
        listed = isinstance(parts, (tuple, list)) and len(parts) > 0
        if not listed or any(not isinstance(p, Family) or len(p.shape) != 1 for p in parts):
            raise ValueError(
                "Record's parts are families of shapes (n,), such as Normal(2); received "
                f"{arguments.told(parts)}."
            )
        self.parts = tuple(parts)
        super().__init__(sum(part.size for part in self.parts))
        self.eta_axes = ()
        self.num_shared = sum(part.num_shared for part in self.parts)
        self.raw_units = sum(math.prod(part.raw_shape) for part in self.parts)
        units = [math.prod(part.feature_shape) for part in self.parts]
        self.feature_units = self.size + sum(units)
        self.low, self.high = (
            np.repeat([getattr(part, end) for part in self.parts], [p.size for p in self.parts])
            for end in ("low", "high")
        )

    def _natural(self, raw: Any, shared: Any) -> Eta:
        raws = tf.split(raw, [math.prod(part.raw_shape) for part in self.parts], axis=-1)
        numbers: Any = [None] * len(self.parts)
        if self.num_shared:
            numbers = tf.split(shared, [part.num_shared for part in self.parts])
        return tuple(
            part.natural(tf.reshape(own, [-1, *part.raw_shape]), number)
            for part, own, number in zip(self.parts, raws, numbers, strict=True)
        )

    def _distribution(self, eta: Eta) -> Any:
        return _Joined(self.parts, eta)

    def _features(self, value: Any) -> Any:
        found = []
        for part, own, known in self._split(value):
            features = part.features(own)
            axis = len(features.shape) - len(own.shape)  # labels have one more, others have parts
            known = known[..., None] if axis else tf.tile(known, [1, part.feature_parts])
            masked = tf.where(known, features, 0.0)
            found.append(tf.reshape(masked, [-1, math.prod(part.feature_shape)]))
        return tf.concat([*found, tf.cast(tf.math.is_nan(value), tf.float32)], axis=-1)

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        parts = zip(eta, self._split(value), strict=True)
        scores = [tf.where(k, part._log_prob(own, v), 0.0) for own, (part, v, k) in parts]
        return tf.concat(scores, axis=-1)

    def _sample(self, eta: Eta, seed: Any) -> Any:
        return _joined(
            part.sample(own, seeds.fold(seed, index))
            for index, (part, own) in enumerate(zip(self.parts, eta, strict=True))
        )

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        raise ValueError(
            "Draws of a Record have no gradient. Use SymmetricEquilibrium, which needs none, or "
            "give the latent another family."
        )

    def _mode(self, eta: Eta) -> Any:
        return _joined(part.mode(own) for part, own in zip(self.parts, eta, strict=True))

    def _split(self, value: Any) -> Iterator[tuple[Family, Any, Any]]:
        """Yields (part, its elements, which of them are known); neutral ones where none is."""
        for part, own in zip(self.parts, _divided(self.parts, value), strict=True):
            known = ~tf.math.is_nan(own)
            yield part, tf.where(known, tf.cast(own, part.dtype), part.neutral), known


class _Joined(tfd.Distribution):
    """Independent distributions of single elements of several families, side by side."""

    def __init__(self, parts: Sequence[Family], eta: Eta):
        self._parts, self._eta = parts, eta
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=True,
            parameters={"parts": parts, "eta": eta},
            name="Record",
        )

    @property
    def distributions(self) -> list[Any]:
        """Those of the parts."""
        pairs = zip(self._parts, self._eta, strict=True)
        return [part._distribution(own) for part, own in pairs]

    def _event_shape(self) -> Any:
        return tf.TensorShape([])

    def _batch_shape(self) -> Any:
        size = self.distributions[0].batch_shape[:1]
        return size.concatenate(sum(part.size for part in self._parts))

    def _log_prob(self, value: Any) -> Any:
        pairs = zip(self.distributions, _divided(self._parts, value), strict=True)
        return _joined(each.log_prob(tf.cast(own, each.dtype)) for each, own in pairs)

    def _sample_n(self, n: Any, seed: Any = None) -> Any:
        forks = tfp.random.split_seed(seed, n=len(self._parts))
        pairs = zip(self.distributions, tf.unstack(forks), strict=True)
        return _joined(each.sample(n, seed=fork) for each, fork in pairs)

    def _mean(self) -> Any:
        return _joined(p.mean(own) for p, own in zip(self._parts, self._eta, strict=True))

    def _variance(self) -> Any:
        return _joined(each.variance() for each in self.distributions)

    def _entropy(self) -> Any:
        return _joined(each.entropy() for each in self.distributions)


@tfd.RegisterKL(_Joined, _Joined)
def _kl(p: Any, q: Any, name: str | None = None) -> Any:
    """The divergences of the elements."""
    pairs = zip(p.distributions, q.distributions, strict=True)
    return _joined(one.kl_divergence(other) for one, other in pairs)


def _divided(parts: Sequence[Family], value: Any) -> list[Any]:
    """Returns the elements of the parts, [..., n_0], [..., n_1], ..."""
    return tf.split(value, [part.size for part in parts], axis=-1)


def _joined(values: Iterable[Any]) -> Any:
    """Returns elements of all parts side by side, as numbers."""
    return tf.concat([tf.cast(value, tf.float32) for value in values], axis=-1)
