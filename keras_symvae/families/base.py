"""An exponential family: from a network's raw output to a distribution, without weights."""

import abc
import inspect
import math
import numbers
from typing import Any, ClassVar, Self, TypeAlias, final

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from numpy.typing import ArrayLike

from keras_symvae import arguments
from keras_symvae.config import is_plain
from keras_symvae.shapes import shaped

tfd = tfp.distributions

Eta: TypeAlias = Any  # natural parameters: a tensor [B, ...], or a tuple of such tensors
Tensor: TypeAlias = Any  # a tensor, or what TensorFlow takes for one

# Raw outputs are clipped here before any nonlinearity. No useful network comes near it, and it
# keeps every natural parameter, and the squares a log-density takes of it, finite in float32.
RAW_LIMIT = 1e6
# A positive parameter that underflowed to 0 would make the distribution improper.
SMALLEST = 1e-6
# What a family does in place of overriding one of these.
REMEDIES = {
    "raw_shape": "declare raw_parts or num_classes",
    "feature_shape": "declare feature_parts or num_classes",
    "mean": "let _distribution return a distribution that knows its mean",
    "kl": "let _distribution return a distribution that knows it, see tfd.RegisterKL",
    "entropy": "let _distribution return a distribution that knows its entropy",
    "missing": "declare the marker",
    "check": "declare low and high",
    "get_config": "keep every argument of the constructor as an attribute of the same name",
}


class Family(abc.ABC):
    """An exponential family of independent elements, without weights.

        p(value; eta) = h(value) exp(<eta, statistic(value)> - A(eta))

    Natural parameters `eta` are a tensor or a tuple of tensors with a leading batch axis. The base
    measure h is chosen so that the valid `eta` form a cone: adding two of them (the "tilt" of a
    ladder encoder, a product of densities) is valid again. A family that is no exponential family
    says so (`exponential`); its `eta` are parameters that cannot be added.

    Public methods are final. A family declares the data below and fills in `_natural`,
    `_distribution` and `_features`; `Continuous`, `Discrete` and what derives from them fill in
    some of the others. Its constructor is its config: every argument is kept under its own name.

    Args:
        shape: shape of one value without the batch axis; an int n stands for (n,).
    """

    discrete: ClassVar[bool] = False  # values come from a countable set
    exponential: ClassVar[bool] = True  # eta may be added, which multiplies densities
    reparametrised: ClassVar[bool] = True  # `rsample` has a gradient with respect to `eta`
    dtype: ClassVar[tf.DType] = tf.float32  # of a value
    marker: ClassVar[float] = math.nan  # stands for an element that is not observed
    feature_parts: ClassVar[int] = 1  # features that networks read per element
    partial: ClassVar[bool] = False  # single elements may be unknown, and features tell which
    low: Any = -math.inf  # the least valid element; of different elements one each
    high: Any = math.inf  # the greatest valid element
    raw_parts: int = 1  # raw numbers that a network emits per element
    raw_joint: int = 0  # further ones, which all elements along the last axis share
    num_shared: int = 0  # learned numbers that all elements and examples share
    num_classes: int | None = None  # of labels: raw outputs and features have one more axis
    # Where elements differ in kind: raw numbers and features of all of them.
    raw_units: int | None = None
    feature_units: int | None = None
    # The same as `_log_prob`, where there is a faster way without a gradient.
    constant_log_prob: ClassVar[Any] = None

    def __init__(self, shape: int | tuple[int, ...]):
        says = f"{type(self).__name__} needs a shape of positive integers"
        listed = (shape,) if isinstance(shape, numbers.Integral) else shape
        self.shape: tuple[int, ...] = arguments.sizes("shape", listed, says=says)
        self.eta_axes = self.shape  # what follows the batch axis of all natural parameters

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuses a family that overrides what is final, and says which hook it fills in instead.

        Raises:
            TypeError: names the method and what to do.
        """
        super().__init_subclass__(**kwargs)
        for name in vars(cls):
            theirs = inspect.getattr_static(Family, name, None)
            theirs = getattr(theirs, "fget", theirs)
            if not getattr(theirs, "__final__", False):
                continue
            hook = f"fill in _{name}" if hasattr(Family, f"_{name}") else "it serves all families"
            remedy = REMEDIES.get(name, hook)
            raise TypeError(f"{cls.__name__} overrides Family.{name}, which is final; {remedy}.")

    # What a family fills in.

    @abc.abstractmethod
    def _natural(self, raw: Any, shared: Any) -> Eta:
        """Returns eta, valid for any finite raw output.

        Args:
            raw: float32 [B, *shape], or a list of `raw_parts` of them, and of one [B, *shape[:-1],
                raw_joint] where there are such; not beyond +-RAW_LIMIT.
            shared: [num_shared] parameters that all elements and examples have in common.
        """

    @abc.abstractmethod
    def _distribution(self, eta: Eta) -> Any:
        """Returns the `tfd.Distribution` of single elements: batch shape [B, *shape]."""

    @abc.abstractmethod
    def _features(self, value: Any) -> Any:
        """Returns the features of values in the family's dtype, float32 [B, *feature_shape]."""

    @abc.abstractmethod
    def _log_prob(self, eta: Eta, value: Any) -> Any:
        """Returns the log-density of each element [B, *shape], nats."""

    @abc.abstractmethod
    def _sample(self, eta: Eta, seed: Any) -> Any:
        """Draws a value [B, *shape]."""

    @abc.abstractmethod
    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        """Draws a value whose gradient with respect to `eta` flows through the draw."""

    @abc.abstractmethod
    def _mode(self, eta: Eta) -> Any:
        """Returns the most probable value [B, *shape]; of a continuous family: the mean."""

    # What every family answers.

    @property
    @final
    def raw_shape(self) -> tuple[int, ...]:
        """Shape of the raw network output per example: parts side by side on the last axis."""
        if self.raw_units is not None:
            return (self.raw_units,)
        return self._with_parts(self.raw_parts, joint=self.raw_joint)

    @property
    @final
    def feature_shape(self) -> tuple[int, ...]:
        """Shape of `features(value)` per example."""
        units = self.feature_units
        return self._with_parts(self.feature_parts) if units is None else (units,)

    @property
    @final
    def size(self) -> int:
        """Number of elements of one value (its dimensions)."""
        return math.prod(self.shape)

    @final
    def bits_per_dim(self, nats: float) -> float:
        """Returns bits per element of a value: nats / (elements x ln 2)."""
        return nats / (self.size * math.log(2.0))

    @final
    @shaped(raw="[B, *self.raw_shape]", shared="[num_shared]", returns="[B, ...]")
    def natural(self, raw: Tensor, shared: Tensor | None = None) -> Eta:
        """Returns natural parameters, float32, for any finite raw output [B, *raw_shape].

        `shared` [num_shared] are parameters that all elements and examples have in common.
        """
        return self._natural(self._parts(raw), shared)

    @final
    @shaped(eta="[B, *self.eta_axes, ...]")
    def distribution(self, eta: Eta) -> Any:
        """Returns the `tfd.Distribution` with batch shape [B] and event shape `shape`."""
        return tfd.Independent(self._distribution(eta), reinterpreted_batch_ndims=len(self.shape))

    @final
    @shaped(value="[B, *self.shape] | [B, *self.feature_shape]", returns="[B, *self.feature_shape]")
    def features(self, value: Tensor) -> tf.Tensor:
        """Returns what networks read, float32 [B, *feature_shape].

        The sufficient statistic, standardised to mean 0 and variance 1 under the distribution that
        a zero network output gives, so that a bit is read as -1 or +1 and never as 0 or 1.
        """
        return self._features(self._typed(value))

    @final
    @shaped(
        eta="[B, *self.eta_axes, ...]",
        value="[B, *self.shape] | [B, *self.feature_shape]",
        returns="[B]",
    )
    def log_prob(self, eta: Eta, value: Tensor) -> tf.Tensor:
        """Returns log p(value; eta) in nats, float32 [B]."""
        return self._total(self._log_prob(eta, self._typed(value)))

    @final
    @shaped(
        eta="[B, *self.eta_axes, ...]",
        value="[B, *self.shape] | [B, *self.feature_shape]",
        returns="[B, *self.shape]",
    )
    def element_log_prob(self, eta: Eta, value: Tensor) -> tf.Tensor:
        """Returns the log-density of each element, nats, float32 [B, *shape]; a constant.

        `log_prob` is their sum, and has a gradient.
        """
        density = self.constant_log_prob or self._log_prob
        return tf.stop_gradient(density(eta, self._typed(value)))

    @final
    @shaped(eta="[B, *self.eta_axes, ...]", seed="[2]", returns="[B, *self.shape]")
    def sample(self, eta: Eta, seed: Tensor) -> tf.Tensor:
        """Draws a value [B, *shape] with a stateless seed [2]; a constant to any tape."""
        return tf.stop_gradient(self._sample(eta, seed))

    @final
    @shaped(
        eta="[B, *self.eta_axes, ...]",
        seed="[2]",
        returns="[B, *self.shape] | [B, *self.feature_shape]",
    )
    def rsample(self, eta: Eta, seed: Tensor, *, estimator: str | None = None) -> tf.Tensor:
        """Draws a value whose gradient with respect to `eta` flows through the draw.

        Args:
            eta: natural parameters.
            seed: stateless seed [2].
            estimator: name of a gradient estimator; only discrete families use it.

        Returns:
            [B, *shape]; of a categorical: one-hot codes [B, *feature_shape].

        Raises:
            ValueError: draws of this family have no gradient.
        """
        return self._rsample(eta, seed, estimator)

    @final
    @shaped(eta="[B, *self.eta_axes, ...]", returns="[B, *self.shape]")
    def mean(self, eta: Eta) -> tf.Tensor:
        """Returns the mean [B, *shape] (of a categorical: the mode)."""
        if self.num_classes is not None:  # labels cannot be averaged
            return self._mode(eta)
        return self._distribution(eta).mean()

    @final
    @shaped(eta="[B, *self.eta_axes, ...]", returns="[B, *self.shape]")
    def mode(self, eta: Eta) -> tf.Tensor:
        """Returns the most probable value [B, *shape] (of a continuous family: the mean)."""
        return self._mode(eta)

    @final
    @shaped(eta="[B, *self.eta_axes, ...]", other="[B, *self.eta_axes, ...]", returns="[B]")
    def kl(self, eta: Eta, other: Eta) -> tf.Tensor:
        """Returns KL(p(eta) || p(other)) in nats, float32 [B]."""
        return self._total(self._distribution(eta).kl_divergence(self._distribution(other)))

    @final
    @shaped(eta="[B, *self.eta_axes, ...]", returns="[B, *self.shape]")
    def entropy(self, eta: Eta) -> tf.Tensor:
        """Returns the entropy of each element, -E log p, in nats [B, *shape]; their sum is p's."""
        return self._distribution(eta).entropy()

    @final
    @shaped(value="[B, *self.shape] | [B, *self.feature_shape]", returns="[B]")
    def missing(self, value: Tensor) -> tf.Tensor:
        """Returns bool [B]: the examples whose elements all are the `marker`."""
        value = self._typed(value)
        if self._is_code(value):
            return tf.zeros(tf.shape(value)[:1], tf.bool)
        return tf.reduce_all(self._unknown(value), axis=self._axes)

    @final
    @shaped(value="[B, *self.shape]", returns="[B, *self.shape]")
    def unknown(self, value: Tensor) -> tf.Tensor:
        """Returns bool [B, *shape]: the elements that are the `marker`."""
        return self._unknown(self._typed(value))

    @final
    @shaped(
        known="[B]",
        value="[B, *self.shape] | [B, *self.feature_shape]",
        other="[B, ...] | [1, ...]",
        returns="[B, *self.shape] | [B, *self.feature_shape]",
    )
    def merged(self, known: Tensor, value: Tensor, other: Tensor) -> tf.Tensor:
        """Returns `value` [B, *shape] in the examples that are `known` [B], else `other`."""
        value = self._typed(value)
        if self._is_code(other):
            value = self._code(value)
        known = tf.reshape(known, [-1] + [1] * (other.shape.rank - 1))
        return tf.where(known, value, other)

    @property
    @final
    def neutral(self) -> tf.Tensor:
        """A valid value [1, *shape] that may stand where none is known."""
        return self.mode(self.natural(tf.zeros([1, *self.raw_shape]), tf.zeros([self.num_shared])))

    @final
    def check_kind(self, name: str, dtype: Any, shape: tuple[int | None, ...]) -> None:
        """Refuses a type or a shape that no value of this family has.

        Args:
            name: of the variable, for messages.
            dtype: NumPy's, of the values.
            shape: of several values, [N, *shape]; None stands for any number.

        Raises:
            ValueError: names the variable, what was received and what to do.
        """
        dtype, kind, expected = np.dtype(dtype), type(self).__name__, (None, *self.shape)
        if len(shape) != len(expected) or not _agree(shape, expected):
            received = "(" + ", ".join("n" if size is None else str(size) for size in shape) + ")"
            raise ValueError(
                f"'{name}' has shape {received}; {kind} expects (n, *{self.shape})."
                f"{self._remedy(name, shape)}"
            )
        if self.num_classes is not None and dtype.kind not in "iu":
            labels = f"labels are integers 0 ... {self.num_classes - 1}"
            cast = f" Cast them: {name}.astype('int32')." if dtype.kind in "bf" else ""
            raise ValueError(f"'{name}' has dtype {dtype}; {labels}.{cast}")
        if dtype.kind not in "biuf":
            raise ValueError(f"'{name}' has dtype {dtype}; {kind} needs numbers.")

    @final
    def check(self, name: str, value: ArrayLike) -> None:
        """Refuses an array [N, *shape] that this family cannot have produced.

        Single labels of -1 in a label map pass: they are pixels that nobody knows; so does a NaN
        where the family is `partial`.

        Raises:
            ValueError: names the variable, what was received and what to do.
        """
        value = np.asarray(value)
        self.check_kind(name, value.dtype, value.shape)
        known = ~np.isnan(value) if self.partial and value.dtype.kind == "f" else True
        if value.dtype.kind == "f" and not np.isfinite(value).all(where=known):
            raise ValueError(f"'{name}' holds NaN or infinite values; remove or mend them first.")
        if self.num_classes is not None:
            unknown = value == self.marker
            value = value[~unknown | unknown.all(axis=tuple(self._axes), keepdims=True)]
        wrong = (value < self.low) | (value > self.high)
        if wrong.any():
            low, high = self.low, self.high
            if np.ndim(low):
                place = int(np.argwhere(wrong)[0, -1])
                name, value = f"{name}[:, {place}]", value[:, place]
                low, high = low[place], high[place]
            hint = " Divide by 255?" if high == 1.0 and value.max() > 1 else ""
            if self.num_classes is not None:
                hint = " Labels count from 0; -1 stands for one that nobody knows."
            raise ValueError(
                f"'{name}' ranges over [{np.nanmin(value)}, {np.nanmax(value)}]; "
                f"{type(self).__name__} expects values in [{low}, {high}].{hint}"
            )

    @final
    def get_config(self) -> dict[str, Any]:
        return {
            name: value if is_plain(value) else keras.saving.serialize_keras_object(value)
            for name, value in self._arguments().items()
        }

    @classmethod
    @final
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))

    @final
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Family) and self._identity() == other._identity()

    @final
    def __hash__(self) -> int:
        return hash((type(self), str(self._arguments())))

    @final
    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self._arguments().items())
        return f"{type(self).__name__}({arguments})"

    # What these share.

    def _remedy(self, name: str, shape: tuple[int | None, ...]) -> str:
        """Returns what mends values of another shape, where that is clear."""
        sizes = tuple(shape[1:])
        if len(shape) == len(self.shape) and _agree(shape, self.shape):
            return f" This is one example: batch the data set, or add an axis: {name}[None]."
        if (*sizes, 1) == self.shape:
            return f" Add the channel axis: {name}[..., None]."
        if sizes == (*self.shape, 1):
            return f" Drop the last axis: {name}[..., 0]."
        if self.num_classes is not None and sizes == (*self.shape, self.num_classes):
            return f" Turn one-hot codes into labels: {name}.argmax(-1)."
        if len(sizes) > 1 and sizes == (self.shape[-1:] + self.shape[:-1]):
            return " Channels come last: move them from the second axis to the end."
        if sizes == (self.size,):
            return f" Give the pixels their places: {name}.reshape(-1, *{self.shape})."
        return ""

    @property
    def _axes(self) -> list[int]:
        """The axes of the elements of a value."""
        return list(range(1, len(self.shape) + 1))

    def _identity(self) -> tuple[type, dict[str, Any]]:
        return type(self), self._arguments()

    def _arguments(self) -> dict[str, Any]:
        """Returns the arguments that the family was made with."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def _total(self, elements: Any) -> Any:
        """Returns the sum over the elements, [B]."""
        return tf.reduce_sum(elements, axis=self._axes)

    def _with_parts(self, parts: int, *, joint: int = 0) -> tuple[int, ...]:
        if self.num_classes is not None:
            return (*self.shape, self.num_classes)
        if not self.shape:
            return (parts + joint,) if parts + joint > 1 else ()
        return (*self.shape[:-1], parts * self.shape[-1] + joint)

    def _parts(self, raw: Tensor) -> Any:
        """Casts, clips and splits the raw output, see `_natural`."""
        raw = tf.clip_by_value(tf.cast(raw, tf.float32), -RAW_LIMIT, RAW_LIMIT)
        if self.raw_parts == 1 and not self.raw_joint:
            return raw
        sizes = [self.shape[-1] if self.shape else 1] * self.raw_parts
        parts = tf.split(raw, [*sizes, *([self.raw_joint] if self.raw_joint else [])], axis=-1)
        if not self.shape:
            each = parts[: self.raw_parts]
            parts[: self.raw_parts] = [tf.squeeze(part, axis=-1) for part in each]
        return parts

    def _is_code(self, value: Any) -> bool:
        """Returns whether a value is a one-hot code that stands for labels."""
        return self.num_classes is not None and value.dtype.is_floating

    def _typed(self, value: Tensor) -> Any:
        """Returns a value as a tensor in the family's dtype; one-hot codes pass through."""
        value = tf.convert_to_tensor(value)
        return value if self._is_code(value) else tf.cast(value, self.dtype)

    def _code(self, value: Any) -> Any:
        """Returns the one-hot code of labels; codes pass through."""
        return value if self._is_code(value) else tf.one_hot(value, self.num_classes)

    def _unknown(self, value: Any) -> Any:
        """Returns bool [B, *shape]: the elements that are the marker."""
        return tf.math.is_nan(value) if math.isnan(self.marker) else value == self.marker


def positive(raw: Any) -> Any:
    """A smooth positive number that is 1 where raw is 0."""
    return tf.nn.softplus(raw + math.log(math.e - 1.0)) + SMALLEST


def _agree(sizes: tuple[int | None, ...], others: tuple[int | None, ...]) -> bool:
    """Returns whether all sizes are those of others, where None may be any number."""
    return all(None in pair or pair[0] == pair[1] for pair in zip(sizes, others, strict=True))
