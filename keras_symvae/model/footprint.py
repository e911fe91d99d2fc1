"""A footprint: the places of one grid that the cells of another reach through a network."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_symvae.families import Family
from keras_symvae.model.player import Player

PROBES = 4  # random values that are compared with others in one cell
REACHED = 1e-6  # share of the largest change of a natural parameter that counts as one
CELLS = 64  # cells that are changed in one pass


def is_grid(family: Family) -> bool:
    """Returns whether values are a grid of more than one cell, [height, width, ...]."""
    return len(family.shape) >= 2 and math.prod(family.shape[:2]) > 1


def footprint(player: Player, name: str, *, cause: str) -> NDArray[np.bool_]:
    """Returns which places of `name` the cells of `cause` reach, bool [places, cells].

    The factor of `name` is asked with random values, and again with other values in one cell of
    `cause`: a place is reached if a natural parameter changes there. Places and cells are counted
    row by row.

    Args:
        player: the `Player` that draws `name`.
        name: a variable on a grid.
        cause: a variable on a grid that the factor of `name` reads.
    """
    rng = np.random.default_rng(0)
    grid = player.families[cause].shape[:2]
    cells = math.prod(grid)
    reached = np.zeros([math.prod(player.families[name].shape[:2]), cells], bool)
    for _ in range(PROBES):
        values = {each: _numbers(family, rng) for each, family in player.families.items()}
        other = _numbers(player.families[cause], rng)
        before = _parameters(player, name, values)
        changes = []
        for first in range(0, cells, CELLS):
            chosen = np.eye(cells, dtype=bool)[first : first + CELLS]
            here = chosen.reshape([len(chosen), *grid, *[1] * (other.ndim - 3)])
            changed = {each: np.repeat(v, len(chosen), axis=0) for each, v in values.items()}
            changed[cause] = np.where(here, other, changed[cause])
            changes.append(np.abs(_parameters(player, name, changed) - before).max(axis=2))
        change = np.concatenate(changes)  # [cells, places]
        reached |= (change > REACHED * change.max()).T
    return reached


def _numbers(family: Family, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns numbers in (0, 1) that networks can read in place of a value, [1, ...]."""
    shape = family.shape if family.num_classes is None else family.feature_shape
    return rng.uniform(0.05, 0.95, size=(1, *shape)).astype(np.float32)


def _parameters(player: Player, name: str, values: dict[str, Any]) -> NDArray[np.float32]:
    """Returns the natural parameters of a factor, place by place, [B, places, parameters]."""
    tensors = {each: tf.constant(value) for each, value in values.items()}
    places = math.prod(player.families[name].shape[:2])
    parts = [np.asarray(part) for part in tf.nest.flatten(player.eta(name, tensors))]
    return np.concatenate([part.reshape([len(part), places, -1]) for part in parts], axis=2)
