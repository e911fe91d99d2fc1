"""Variables: the names of what a model is about, their families, and who draws them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

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
    """

    families: Mapping[str, Family]
    observed: tuple[str, ...]
    latent: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    def named(self, data: Any) -> dict[str, Any]:
        """Returns data as {name: array}: from an array x, a tuple (x, y) or such a dict.

        A tuple names the observed variables, then the context, then "y" where that is a variable; a
        tuple of one thing, as Keras hands it over, stands for that thing.

        Raises:
            ValueError: the data hold more than there are variables for.
        """
        data = unwrapped(data)
        if isinstance(data, Mapping):
            values = dict(data)
        elif isinstance(data, (tuple, list)):
            names = list(dict.fromkeys((*self.observed, *self.context, "y")))
            if any(part is not None for part in data[len(names) :]):
                raise ValueError(
                    f"The data have {len(data)} parts, but at most {len(names)} are known: {names}."
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
