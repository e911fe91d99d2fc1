"""Variables: the names of what a model is about, their families, and who draws them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_symvae.families import Family

# Beside the variables, a batch of `fit` may hold the numbers of its examples under this name.
ROWS = "@rows"


@dataclasses.dataclass(frozen=True)
class Variables:
    """The variables of a pair or a team.

    Args:
        families: {name: Family} of all.
        observed: those that the decoder alone draws.
        latent: those that both players draw.
        context: those that neither draws and both read.
        read: those that the encoder reads and does not draw.
        translated: function that returns data of a form of its own as values by name, and anything
            else as it is; None: there is no such form.
    """

    families: Mapping[str, Family]
    observed: tuple[str, ...]
    latent: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    translated: Callable[[Any], Any] | None = None

    def named(self, data: Any) -> dict[str, Any]:
        """Returns data as {name: array}: from an array x, a tuple (x, y) or such a dict.

        A tuple names the observed variables, then the context, then "y" where that is a variable; a
        tuple of one thing, as Keras hands it over, stands for that thing. A list of examples is
        their array, and (x, x) is x: a model learns x itself, so that it is its own target.

        Raises:
            ValueError: the data hold more than there are variables for.
        """
        data = unwrapped(self._stacked(data))
        target = self.target(data)
        if target is not None:
            if not _same(data[0], target):
                raise ValueError(
                    "The targets differ from x; a model learns x itself. Pass x alone, or dicts "
                    f"with the names of the variables {sorted(self.families)}."
                )
            data = data[0]
        data = unwrapped(self._stacked(data))
        if self.translated is not None:
            data = self.translated(data)
        if isinstance(data, Mapping):
            values = dict(data)
        elif isinstance(data, (tuple, list)):
            names = self._places
            if any(part is not None for part in data[len(names) :]):
                raise ValueError(
                    f"The data have {len(data)} parts, but at most {len(names)} are known: {names}."
                )
            if any(isinstance(part, Mapping) for part in data):
                raise ValueError(
                    "A dict of variables stands alone; put everything into it, also 'y'. Known "
                    f"names are {sorted(self.families)}."
                )
            parts = zip(names, data, strict=False)
            values = {name: part for name, part in parts if part is not None}
        else:
            values = {self.observed[0]: data}
        unknown = sorted(values.keys() - self.families.keys() - {ROWS})
        if unknown:
            raise ValueError(
                f"The data hold {unknown}, which are no variables of this pair; its variables are "
                f"{sorted(self.families)}. Drop them, or pass a dict with the right names."
            )
        return values

    def target(self, data: Any) -> Any:
        """Returns t of data (x, t) where it can only stand for x, as in an autoencoder; or None.

        Args:
            data: as in `named`; arrays, tensors or their specs.
        """
        if not isinstance(data, (tuple, list)) or len(data) < 2:
            return None
        x, t, *others = data
        if x is None or t is None or any(part is not None for part in others):
            return None
        if isinstance(x, Mapping) or isinstance(t, Mapping):
            return t if t is x else None
        if _shape(x) != _shape(t):
            return None
        if not _fits(_shape(x), self.families[self.observed[0]].shape):
            return None
        second = self.families.get(next(iter(self._places[1:]), ""))
        if second is None:
            return t
        # Where there is a variable to stand for, only what is seen to be x is taken for it.
        certain = not _fits(_shape(t), second.shape) and _same(x, t)
        return t if certain else None

    @property
    def _places(self) -> list[str]:
        """The names of the parts of a tuple."""
        return list(dict.fromkeys((*self.observed, *self.context, "y")))

    def _stacked(self, data: Any) -> Any:
        """Returns a list of examples as the array of these, anything else as it is."""
        if not isinstance(data, list) or not data or any(tf.is_tensor(part) for part in data):
            return data
        name = self.observed[0]
        try:
            if not _fits((None, *np.shape(data[0])), self.families[name].shape):
                return data
            return np.asarray(data)
        except ValueError:  # NumPy's, about lists of several lengths
            raise ValueError(
                f"'{name}' is a list whose parts differ in shape; every example has the shape "
                f"{self.families[name].shape}."
            ) from None

    def typed(self, data: Any) -> dict[str, tf.Tensor]:
        """Returns data as {name: tensor} in the types of the variables, rows as they are."""
        return {
            name: value if name == ROWS else tf.cast(value, self.families[name].dtype)
            for name, value in self.named(data).items()
        }


def unwrapped(data: Any) -> Any:
    """Returns what a tuple of one thing holds, as Keras hands data over; anything else as it is."""
    single = isinstance(data, (tuple, list)) and all(part is None for part in data[1:])
    return data[0] if single and data else data


def joined(members: Sequence[Variables]) -> Variables:
    """Returns the variables of several models together; those of one name are the same."""
    return Variables(
        families={name: family for each in members for name, family in each.families.items()},
        observed=tuple(dict.fromkeys(name for each in members for name in each.observed)),
    )


def _shape(value: Any) -> tuple[int | None, ...] | None:
    """Returns the shape of an array, a tensor or its spec; None where its rank is not known."""
    try:
        shape = value.shape if hasattr(value, "shape") else np.shape(value)
    except ValueError:  # NumPy's, about lists of several lengths
        return None
    if isinstance(shape, tf.TensorShape):
        return None if shape.rank is None else tuple(shape.as_list())
    return tuple(shape)


def _fits(shape: tuple[int | None, ...] | None, expected: tuple[int, ...]) -> bool:
    """Returns whether values of this shape may be several of the expected one."""
    if shape is None or len(shape) != len(expected) + 1:
        return shape is None
    return all(size in (None, other) for size, other in zip(shape[1:], expected, strict=True))


def _same(value: Any, other: Any) -> bool:
    """Returns whether two arrays are equal, unknown elements included."""
    if isinstance(value, tf.TensorSpec):
        return False
    if value is other:
        return True
    try:
        value, other = np.asarray(value), np.asarray(other)
    except NotImplementedError:  # nobody knows the values of a graph's tensors
        return False
    return np.array_equal(value, other, equal_nan=value.dtype.kind == other.dtype.kind == "f")
