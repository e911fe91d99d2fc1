"""A source: a distribution known only by its samples."""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.config import Configured
from keras_symvae.shapes import shaped


class Source(keras.Layer, abc.ABC):
    """Draws values of some variables; nobody knows their density.

    As the prior of a pair it supplies variables that the decoder reads and does not draw.
    """

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the variables it supplies."""

    @abc.abstractmethod
    def sample(self, size: int | tf.Tensor, *, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns {name: [size, ...]}, drawn with a stateless seed [2]; a constant to any tape."""


@keras.saving.register_keras_serializable(package="keras_symvae")
class ArraySource(Source):
    """Rows of arrays, drawn with replacement; variables of one row stay together.

    The rows are weights, so that a saved or exported pair holds them.

    Args:
        values: {name: np.ndarray [N, ...]}.
    """

    def __init__(self, values: Mapping[str, Any], *, name: str = "source", **kwargs: Any) -> None:
        super().__init__(name=arguments.label(name), **kwargs)
        values = arguments.table("values", values)
        values = {name: np.asarray(value) for name, value in values.items()}
        lengths = {name: arguments.length(value) for name, value in values.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"A source needs arrays of one length above 0; received {lengths}.")
        self.size = next(iter(lengths.values()))
        self.rows = {
            name: self.add_weight(
                name=name,
                shape=value.shape,
                dtype="int32" if value.dtype.kind in "iub" else "float32",
                initializer="zeros",
                trainable=False,
            )
            for name, value in values.items()
        }
        for name, value in values.items():
            self.rows[name].assign(value)
        self.built = True

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.rows)

    @shaped(size="[]", seed="[2]", returns="{name: [size, ...]}")
    def sample(self, size: int | tf.Tensor, *, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        chosen = tf.random.stateless_uniform(tf.stack([size]), seed, 0, self.size, tf.int32)
        return {name: tf.gather(rows.value, chosen) for name, rows in self.rows.items()}

    def get_config(self) -> dict[str, Any]:
        rows = {name: [list(rows.shape), rows.dtype] for name, rows in self.rows.items()}
        return {"rows": rows, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        rows = {name: np.zeros(shape, dtype) for name, (shape, dtype) in config["rows"].items()}
        return cls(rows, name=config["name"])


@keras.saving.register_keras_serializable(package="keras_symvae")
class FunctionSource(Configured, Source):
    """A graph function (size, stateless seed [2]) -> {name: [size, ...]}, such as a simulator.

    Args:
        function: registered with `keras.saving.register_keras_serializable`, so that a saved pair
            can find it again.
        names: the variables that it returns.
    """

    def __init__(
        self,
        function: Callable[[Any, tf.Tensor], Mapping[str, tf.Tensor]],
        *,
        names: Sequence[str],
        name: str = "source",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.function = arguments.function("function", function)
        self._names = arguments.words("names", names)
        self.built = True

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @shaped(size="[]", seed="[2]", returns="{name: [size, ...]}")
    def sample(self, size: int | tf.Tensor, *, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        values = self.function(size, seed)
        if set(values) != set(self._names):
            raise ValueError(
                f"The function of a source returned {sorted(values)}; its names are {self._names}."
            )
        return {name: tf.stop_gradient(value) for name, value in values.items()}


@keras.saving.register_keras_serializable(package="keras_symvae")
class PairSource(Configured, Source):
    """The decoder of another, trained pair: a generative model as prior.

    Args:
        pair: the `Pair`; its weights are frozen.
        rename: {its variable: variable supplied}, such as {"x": "z"}.
    """

    def __init__(
        self, pair: Any, *, rename: Mapping[str, str], name: str = "source", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not hasattr(pair, "chain"):
            raise ValueError(f"pair is a Pair; received {arguments.told(pair)}.")
        rename = arguments.table("rename", rename)
        unknown = sorted(set(rename) - set(pair.families))
        if unknown:
            raise ValueError(
                f"The pair of a source has no {unknown}; it has {sorted(pair.families)}."
            )
        self.pair, self.rename = pair, dict(rename)
        self.pair.trainable = False
        self.built = True

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.rename.values())

    @shaped(size="[]", seed="[2]", returns="{name: [size, ...]}")
    def sample(self, size: int | tf.Tensor, *, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        values = self.pair.chain.dream(size, seed=seeds.fold(seed, 0))
        return {new: tf.stop_gradient(values[old]) for old, new in self.rename.items()}


def get(prior: Any, *, names: Sequence[str]) -> Source | None:
    """Returns the `Source` of variables `names` that `prior` stands for; a source, or None, itself.

    Args:
        prior: an array [N, ...] of the one variable, a dict of arrays; a finite
            `tf.data.Dataset` of single examples of either kind, which is read into memory; a
            function, see `FunctionSource`; a pair with one observed variable, see `PairSource`.
        names: of the variables to supply.

    Raises:
        ValueError: `prior` is none of these, or it is not clear which variables it supplies.
    """
    names = arguments.words("names", names)
    if prior is None or isinstance(prior, Source):
        return prior
    if isinstance(prior, tf.data.Dataset):
        if prior.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("A tf.data prior is read into memory; this one never ends: take(n).")
        rows = list(prior.as_numpy_iterator())
        prior = tf.nest.map_structure(lambda *values: np.stack(values), *rows) if rows else {}
    if isinstance(prior, dict):
        return ArraySource(prior)
    pair: Any = prior if hasattr(prior, "chain") else None
    if callable(prior) and pair is None:
        return FunctionSource(prior, names=names)  # pyright: ignore[reportArgumentType]
    if len(names) != 1 or (pair is not None and len(pair.observed) != 1):
        raise ValueError(
            f"A prior of {list(names)} needs names: pass a dict of arrays, or a PairSource that "
            "renames the variables of a pair."
        )
    if pair is not None:
        return PairSource(pair, rename={pair.observed[0]: names[0]})
    if not isinstance(prior, (np.ndarray, tf.Tensor)):
        raise ValueError(
            "A prior is an array, a dict of arrays, a tf.data.Dataset, a function or a pair; "
            f"received {type(prior).__name__}."
        )
    return ArraySource({names[0]: prior})
