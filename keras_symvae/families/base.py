"""An exponential family: from a network's raw output to a distribution, without weights."""

import math

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

# Raw outputs are clipped here before any nonlinearity. No useful network comes near it, and it
# keeps every natural parameter, and the squares a log-density takes of it, finite in float32.
RAW_LIMIT = 1e6
# A positive parameter that underflowed to 0 would make the distribution improper.
SMALLEST = 1e-6


class Family:
    """An exponential family of independent elements, without weights.

        p(value; eta) = h(value) exp(<eta, statistic(value)> - A(eta))

    Natural parameters `eta` are a tensor or a tuple of tensors with a leading batch axis. The base
    measure h is chosen so that the valid `eta` form a cone: adding two of them (the "tilt" of a
    ladder encoder, a product of densities) is valid again.

    Args:
        shape: shape of one value without the batch axis; an int n stands for (n,).
    """

    discrete = False  # values come from a countable set
    reparametrised = True  # `rsample` has a gradient with respect to `eta`
    low, high = -math.inf, math.inf  # the closed range of valid elements
    marker = math.nan  # what stands, in every element, for a value that is not observed
    raw_parts = 1  # raw numbers that a network emits per element
    num_shared = 0  # learned numbers that all elements and examples share

    def __init__(self, shape):
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if any(not isinstance(size, int) or size < 1 for size in self.shape):
            raise ValueError(
                f"{type(self).__name__} needs a shape of positive integers; received {shape!r}."
            )

    @property
    def raw_shape(self):
        """Shape of the raw network output per example: parts side by side on the last axis."""
        if self.raw_parts > 1 and not self.shape:
            return (self.raw_parts,)
        return (*self.shape[:-1], self.raw_parts * self.shape[-1]) if self.shape else ()

    @property
    def feature_shape(self):
        """Shape of `features(value)` per example."""
        return self.shape

    @property
    def size(self):
        """Number of elements of one value (its dimensions)."""
        return math.prod(self.shape)

    def natural(self, raw, shared=None):
        """Returns natural parameters, float32, for any finite raw output [B, *raw_shape].

        `shared` [num_shared] are parameters that all elements and examples have in common.
        """
        raise NotImplementedError

    def distribution(self, eta):
        """Returns the `tfd.Distribution` with batch shape [B] and event shape `shape`."""
        raise NotImplementedError

    def features(self, value):
        """Returns what networks read, float32 [B, *feature_shape].

        The sufficient statistic, standardised under the member that raw zeros name, so that a bit
        is read as -1 or +1 and never as 0 or 1.
        """
        raise NotImplementedError

    def log_prob(self, eta, value):
        """Returns log p(value; eta) in nats, float32 [B]."""
        return self.distribution(eta).log_prob(tf.cast(value, self.dtype))

    def sample(self, eta, seed):
        """Draws a value [B, *shape] with a stateless seed [2]; a constant to any tape."""
        return tf.stop_gradient(self.distribution(eta).sample(seed=seed))

    def rsample(self, eta, seed, *, estimator=None):
        """Draws a value whose gradient with respect to `eta` flows through the draw."""
        del estimator  # only discrete families need one
        return self.distribution(eta).sample(seed=seed)

    def mean(self, eta):
        """Returns the mean [B, *shape] (of a categorical: the mode)."""
        return self.distribution(eta).mean()

    def mode(self, eta):
        """Returns the most probable value [B, *shape] (of a continuous family: the mean)."""
        return self.mean(eta)

    def kl(self, eta, other):
        """Returns KL(p(eta) || p(other)) in nats, float32 [B]."""
        return self.distribution(eta).kl_divergence(self.distribution(other))

    def missing(self, value):
        """Returns bool [B]: the examples whose elements all are the `marker`."""
        axes = list(range(1, len(self.shape) + 1))
        return tf.reduce_all(tf.math.is_nan(tf.cast(value, tf.float32)), axis=axes)

    def merged(self, known, value, other):
        """Returns `value` [B, *shape] in the examples that are `known` [B], else `other`."""
        known = tf.reshape(known, [-1] + [1] * (other.shape.rank - 1))
        return tf.where(known, value, other)

    @property
    def neutral(self):
        """A valid value [1, *shape] that may stand where none is known."""
        return self.mode(self.natural(tf.zeros([1, *self.raw_shape]), tf.zeros([self.num_shared])))

    def check(self, name, value):
        """Refuses an array [N, *shape] that this family cannot have produced.

        Raises:
            ValueError: names the variable, what was received and what to do.
        """
        value = np.asarray(value)
        kind = type(self).__name__
        if value.shape[1:] != self.shape:
            hint = ""
            if value.shape[1:] + (1,) == self.shape:
                hint = f" Add the channel axis: {name}[..., None]."
            raise ValueError(
                f"'{name}' has shape {value.shape}; {kind} expects (n, *{self.shape}).{hint}"
            )
        if value.dtype.kind not in "biuf":
            raise ValueError(f"'{name}' has dtype {value.dtype}; {kind} needs numbers.")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ValueError(f"'{name}' holds NaN or infinite values; remove or mend them first.")
        if value.size and (value.min() < self.low or value.max() > self.high):
            hint = " Divide by 255?" if self.high == 1.0 and value.max() > 1 else ""
            raise ValueError(
                f"'{name}' ranges over [{value.min()}, {value.max()}]; {kind} expects values in "
                f"[{self.low}, {self.high}].{hint}"
            )

    @property
    def dtype(self):
        """The `tf.DType` of a value."""
        return tf.float32

    def get_config(self):
        return {"shape": self.shape}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash((type(self), str(self.get_config())))

    def __repr__(self):
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def _parts(self, raw):
        """Casts, clips and splits the raw output into `raw_parts` tensors [B, *shape]."""
        raw = tf.clip_by_value(tf.cast(raw, tf.float32), -RAW_LIMIT, RAW_LIMIT)
        if self.raw_parts == 1:
            return raw
        if not self.shape:
            return tf.unstack(raw, axis=-1)
        return tf.split(raw, self.raw_parts, axis=-1)

    def _independent(self, distribution):
        return tfd.Independent(distribution, reinterpreted_batch_ndims=len(self.shape))


def positive(raw):
    """A smooth positive number that is 1 where raw is 0."""
    return tf.nn.softplus(raw + math.log(math.e - 1.0)) + SMALLEST
