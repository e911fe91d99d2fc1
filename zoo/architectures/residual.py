"""The residual body of an architecture: convolutions between an image and grids of codes."""

import math
from collections.abc import Mapping, Sequence

import keras

from keras_symvae.families import Family
from zoo.networks.mlp import MLP
from zoo.networks.residual_net import ResidualNet

STRIDE = 4  # of the image's sides: no network reads a vector from a finer grid, or starts from one


class ResidualBody:
    """The networks of factors whose variables are an image, grids of codes and vectors.

    Grids have the sides of the image, divided by a power of 2. On a quarter of these sides and
    below, networks have `width` channels, on a half of them half as many, and on the image's own a
    quarter. What vectors alone make of each other is an MLP.

    Args:
        families: {name: Family} of all variables, of which "x" is the image.
        width: number of channels.
        depth: residual blocks on every grid.

    Raises:
        ValueError: sides of the image are no multiples of 4, or a grid does not fit them.
    """

    def __init__(self, families: Mapping[str, Family], *, width: int, depth: int) -> None:
        self.families, self.width, self.depth = families, width, depth
        self.sides = _grid(families["x"].feature_shape)
        if not self.sides or any(side % STRIDE for side in self.sides):
            raise ValueError(
                "body='residual' needs images whose sides 4 divides; received "
                f"{families['x'].shape}. Pad them, or take body='mlp'."
            )
        for name, family in families.items():
            grid = _grid(family.feature_shape)
            if grid and grid not in self._grids:
                raise ValueError(
                    f"body='residual' halves the sides of the image {self.sides}; the grid of "
                    f"'{name}', {grid}, is not among {self._grids}."
                )

    @property
    def _grids(self) -> list[tuple[int, ...]]:
        """The image's own grid, and those that halving makes of it."""
        found = [self.sides]
        while all(side % 2 == 0 for side in found[-1]):
            found.append(tuple(side // 2 for side in found[-1]))
        return found

    def network(self, name: str, given: Sequence[str], *, activation: str = "tanh") -> keras.Layer:
        """Returns the network of a factor `name | given`, which emits raw outputs.

        Args:
            name: of the variable that is drawn.
            given: names of those that are read.
            activation: of all layers.
        """
        target = self.families[name].raw_shape
        grids = [_grid(self.families[each].feature_shape) for each in given]
        start, end = max(grids), _grid(target)
        if not start and not end:
            hidden = 2 * [self.width]
            return MLP(hidden, math.prod(target), activation=activation, skip=True)
        if name == "x":
            start = start or self._coarse
        elif end > start:
            start = end
        return self._net(target, start, end or min(start, self._coarse), activation=activation)

    def head(self, name: str, hidden: Sequence[int]) -> keras.Layer:
        """Returns the network from an activation [*hidden], and others, to raw outputs."""
        target, grid = self.families[name].raw_shape, _grid(hidden)
        if not grid:
            return MLP([self.width], math.prod(target), skip=True)
        return self._net(target, grid, grid)

    def features(self, names: Sequence[str]) -> keras.Model:
        """Returns the pass from the image up, whose activation "h0" belongs to the first name.

        The activation of a grid lies on it, [B, rows, columns, channels], that of a vector is one;
        "h", a vector, has seen all.

        Args:
            names: the latents, from the highest level down to that next to the image.
        """
        pixels = keras.Input(self.families["x"].feature_shape)
        h, grid, found = pixels, self.sides, {}
        for index, name in reversed(list(enumerate(names))):
            end = _grid(self.families[name].feature_shape)
            if end:
                h, grid = self._net(None, grid, end)(h), end
            else:
                h, grid = self._vector(grid)(h), ()
            found[f"h{index}"] = h
        found["h"] = self._vector(grid)(h) if grid else h
        return keras.Model(pixels, found, name="features")

    @property
    def _coarse(self) -> tuple[int, ...]:
        return tuple(side // STRIDE for side in self.sides)

    def _vector(self, grid: tuple[int, ...]) -> keras.Layer:
        """Returns the network from a grid, or from a vector, to a vector of `width` numbers."""
        if not grid:
            return MLP(2 * [self.width])
        squeeze = self._net((self.width,), grid, min(grid, self._coarse))
        return keras.Sequential([squeeze, keras.layers.Activation("tanh")])

    def _net(
        self,
        shape: Sequence[int] | None,
        start: tuple[int, ...],
        end: tuple[int, ...],
        *,
        activation: str = "tanh",
    ) -> ResidualNet:
        """Returns the network from one grid to another; a vector is read from the latter."""
        grids = self._grids
        first, last = grids.index(start), grids.index(end)
        path = grids[first : last + 1] if first <= last else grids[last : first + 1][::-1]
        if shape is not None and len(shape) != 3:
            shape = (math.prod(shape),)
        return ResidualNet(
            shape,
            grid=start,
            filters=[self._channels(grid) for grid in path],
            depth=self.depth,
            activation=activation,
        )

    def _channels(self, grid: tuple[int, ...]) -> int:
        ratio = self.sides[0] // grid[0]
        return max(1, self.width * min(ratio, STRIDE) // STRIDE)


def _grid(shape: Sequence[int]) -> tuple[int, ...]:
    """Returns (rows, columns) of a map [rows, columns, channels], and () of anything else."""
    return tuple(shape[:2]) if len(shape) == 3 else ()
