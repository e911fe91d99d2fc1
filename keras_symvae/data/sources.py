"""A source: a distribution known only by its samples."""

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import seeds


class Source(keras.Layer):
    """Draws values of some variables; nobody knows their density.

    As the prior of a pair it supplies variables that the decoder reads and does not draw.
    """

    @property
    def names(self):
        """Names of the variables it supplies."""
        raise NotImplementedError

    def sample(self, size, *, seed):
        """Returns {name: [size, ...]}, drawn with a stateless seed [2]; a constant to any tape."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="keras_symvae")
class ArraySource(Source):
    """Rows of arrays, drawn with replacement; variables of one row stay together.

    The rows are weights, so that a saved or exported pair holds them.

    Args:
        values: {name: np.ndarray [N, ...]}.
    """

    def __init__(self, values, *, name="source", **kwargs):
        super().__init__(name=name, **kwargs)
        values = {name: np.asarray(value) for name, value in values.items()}
        lengths = {name: len(value) for name, value in values.items()}
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
    def names(self):
        return tuple(self.rows)

    def sample(self, size, *, seed):
        chosen = tf.random.stateless_uniform([size], seed, 0, self.size, tf.int32)
        return {name: tf.gather(rows.value, chosen) for name, rows in self.rows.items()}

    def get_config(self):
        rows = {name: [list(rows.shape), rows.dtype] for name, rows in self.rows.items()}
        return {"rows": rows, "name": self.name}

    @classmethod
    def from_config(cls, config):
        rows = config.pop("rows")
        return cls(
            {name: np.zeros(shape, dtype) for name, (shape, dtype) in rows.items()}, **config
        )


@keras.saving.register_keras_serializable(package="keras_symvae")
class FunctionSource(Source):
    """A graph function (size, stateless seed [2]) -> {name: [size, ...]}, such as a simulator.

    Args:
        function: registered with `keras.saving.register_keras_serializable`, so that a saved pair
            can find it again.
        names: the variables that it returns.
    """

    def __init__(self, function, *, names, name="source", **kwargs):
        super().__init__(name=name, **kwargs)
        self.function, self._names = function, tuple(names)
        self.built = True

    @property
    def names(self):
        return self._names

    def sample(self, size, *, seed):
        values = self.function(size, seed)
        if set(values) != set(self._names):
            raise ValueError(
                f"The function of a source returned {sorted(values)}; its names are {self._names}."
            )
        return {name: tf.stop_gradient(value) for name, value in values.items()}

    def get_config(self):
        function = keras.saving.serialize_keras_object(self.function)
        return {"function": function, "names": self._names, "name": self.name}

    @classmethod
    def from_config(cls, config):
        function = keras.saving.deserialize_keras_object(config["function"])
        return cls(**{**config, "function": function})


@keras.saving.register_keras_serializable(package="keras_symvae")
class PairSource(Source):
    """The decoder of another, trained pair: a generative model as prior.

    Args:
        pair: the `Pair`; its weights are frozen.
        rename: {its variable: variable supplied}, such as {"x": "z"}.
    """

    def __init__(self, pair, *, rename, name="source", **kwargs):
        super().__init__(name=name, **kwargs)
        unknown = sorted(set(rename) - set(pair.families))
        if unknown:
            raise ValueError(
                f"The pair of a source has no {unknown}; it has {sorted(pair.families)}."
            )
        self.pair, self.rename = pair, dict(rename)
        self.pair.trainable = False
        self.built = True

    @property
    def names(self):
        return tuple(self.rename.values())

    def sample(self, size, *, seed):
        values = self.pair.dream(size, seed=seeds.fold(seed, 0))
        return {new: tf.stop_gradient(values[old]) for old, new in self.rename.items()}

    def get_config(self):
        pair = keras.saving.serialize_keras_object(self.pair)
        return {"pair": pair, "rename": self.rename, "name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "pair": keras.saving.deserialize_keras_object(config["pair"])})


def get(prior, *, names):
    """Returns the `Source` of variables `names` that `prior` stands for; a source, or None, itself.

    Args:
        prior: an array [N, ...] of the one variable, a dict of arrays; a finite
            `tf.data.Dataset` of single examples of either kind, which is read into memory; a
            function, see `FunctionSource`; a pair with one observed variable, see `PairSource`.
        names: of the variables to supply.

    Raises:
        ValueError: `prior` is none of these, or it is not clear which variables it supplies.
    """
    if prior is None or isinstance(prior, Source):
        return prior
    if isinstance(prior, tf.data.Dataset):
        if prior.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("A tf.data prior is read into memory; this one never ends: take(n).")
        rows = list(prior.as_numpy_iterator())
        prior = tf.nest.map_structure(lambda *values: np.stack(values), *rows) if rows else {}
    if isinstance(prior, dict):
        return ArraySource(prior)
    is_pair = hasattr(prior, "dream")
    if callable(prior) and not is_pair:
        return FunctionSource(prior, names=names)
    if len(names) != 1 or (is_pair and len(prior.observed) != 1):
        raise ValueError(
            f"A prior of {list(names)} needs names: pass a dict of arrays, or a PairSource that "
            "renames the variables of a pair."
        )
    if is_pair:
        return PairSource(prior, rename={prior.observed[0]: names[0]})
    if not isinstance(prior, (np.ndarray, tf.Tensor)):
        raise ValueError(
            "A prior is an array, a dict of arrays, a tf.data.Dataset, a function or a pair; "
            f"received {type(prior).__name__}."
        )
    return ArraySource({names[0]: prior})
