"""A footprint: what the cells of one grid change of another through a network."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_symvae.families import Family
from keras_symvae.model.player import Player

PROBES = 8  # random values that are compared with others in one cell
REACHED = 1e-6  # share of the largest change of a natural parameter that counts as one
FELT = 0.4  # share of what a cell changes of its own area that makes another area its window
CELLS = 64  # cells that are changed in one pass


def is_grid(family: Family) -> bool:
    """Returns whether values are a grid of more than one cell, [height, width, ...]."""
    return len(family.shape) >= 2 and math.prod(family.shape[:2]) > 1


def is_finer(grid: Family, other: Family) -> bool:
    """Returns whether a grid has more cells along a side than another."""
    return any(a > b for a, b in zip(grid.shape[:2], other.shape[:2], strict=True))


def footprint(player: Player, name: str, *, cause: str) -> NDArray[np.bool_]:
    """Returns which places of `name` the cells of `cause` reach at all, bool [places, cells].

    Args:
        player, name, cause: see `changes`.
    """
    found = changes(player, name, cause=cause)
    return found > REACHED**2 * found.max()


def window(player: Player, name: str, *, cause: str) -> tuple[int, int]:
    """Returns how many rows and columns of cells around a cell of `cause` it is chosen by.

    To every cell belongs an area of `name`. The window reaches as far as a cell changes, on
    average, at least 0.4 of what it changes in its own area. All that it reaches would be too much:
    a network of convolutions reaches far and says little there, and every place brings the noise of
    the codes of other cells (docs/recipes).

    Args:
        player, name, cause: see `changes`.

    Returns:
        (rows, columns), odd numbers.
    """
    own = areas(player.families[name], player.families[cause])  # [places, cells]
    rows, columns = player.families[cause].shape[:2]
    felt = (own / own.sum(axis=0)).T @ changes(player, name, cause=cause)  # [areas, cells]
    felt = felt.reshape(rows, columns, rows, columns)
    here = np.einsum("ijij->", felt) / (rows * columns)

    def margin(size: int, line: NDArray[np.float64]) -> int:
        """The largest distance at which `line` [size, size] is felt, on average over its cells."""
        means = [np.mean(np.diagonal(line, d) + np.diagonal(line, -d)) / 2 for d in range(size)]
        return max(d for d in range(size) if d == 0 or means[d] >= FELT * here)

    above = margin(rows, np.einsum("iaja->ij", felt) / columns)
    beside = margin(columns, np.einsum("aiaj->ij", felt) / rows)
    return 2 * above + 1, 2 * beside + 1


def areas(family: Family, grid: Family) -> NDArray[np.bool_]:
    """Returns which cell of a grid, which is not finer, every place belongs to, [places, cells]."""
    sides = [
        (np.arange(length) * size // length)[:, None] == np.arange(size)[None]
        for length, size in zip(family.shape[:2], grid.shape[:2], strict=True)
    ]
    return np.kron(*sides)


def changes(player: Player, name: str, *, cause: str) -> NDArray[np.float64]:
    """Returns how much the cells of `cause` change every place of `name`, [places, cells].

    The factor of `name` is asked with random values, and again with other values in one cell of
    `cause`: the squared change of its natural parameters at a place, summed over these and averaged
    over some values. Places and cells are counted row by row.

    Args:
        player: the `Player` that draws `name`.
        name: a variable on a grid.
        cause: a variable on a grid that the factor of `name` reads.
    """
    rng = np.random.default_rng(0)
    grid = player.families[cause].shape[:2]
    cells = math.prod(grid)
    total = 0.0
    for _ in range(PROBES):
        values = {each: _numbers(family, rng) for each, family in player.families.items()}
        other = _numbers(player.families[cause], rng)
        before = _parameters(player, name, values)
        found = []
        for first in range(0, cells, CELLS):
            chosen = np.eye(cells, dtype=bool)[first : first + CELLS]
            here = chosen.reshape([len(chosen), *grid, *[1] * (other.ndim - 3)])
            changed = {each: np.repeat(v, len(chosen), axis=0) for each, v in values.items()}
            changed[cause] = np.where(here, other, changed[cause])
            difference = _parameters(player, name, changed).astype(np.float64) - before
            found.append(np.sum(difference**2, axis=2))
        total = total + np.concatenate(found).T / PROBES
    return np.asarray(total)


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
