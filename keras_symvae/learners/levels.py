"""A level: a latent, and what the choice of one of its cells looks at."""

import dataclasses
import numbers
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_symvae import arguments
from keras_symvae.model.footprint import areas, is_finer, is_grid
from keras_symvae.model.footprint import window as window_of
from keras_symvae.model.pair import Pair

MOST = 2 / 3  # of a picture: windows that show more of it, on average, are the whole of it
Window = tuple[int, int] | Mapping[str, tuple[int, int]] | None
Elements = Mapping[str, tf.Tensor]  # log-densities of single elements {name: [B, *shape]}, nats


@dataclasses.dataclass(frozen=True)
class Level:
    """A latent whose cells are chosen each by itself, or all as one.

    Args:
        name: of the latent.
        grid: (rows, columns) of its cells; (): all is one choice.
        windows: {child: float32 [places, cells]} of the decoder's variables that read the latent:
            1 where a cell's choice looks at a place; None: at all of the child.
        window: (rows, columns) of cells that it looks at, of a grid.
    """

    name: str
    grid: tuple[int, ...]
    windows: Mapping[str, NDArray[np.float32] | None]
    window: tuple[int, int] | None = None

    def scores(self, p: Elements, q: Elements) -> tf.Tensor:
        """Returns the log-weight of every cell, nats [B, cells].

        Args:
            p: of the decoder, {name: [B, *shape]} of the latent and its children.
            q: of the encoder, {name: [B, *shape]} of the latent.
        """
        depth = len(self.grid)
        score = _flat(p[self.name], depth) - _flat(q[self.name], depth)
        for child, window in self.windows.items():
            if child not in p:
                continue
            if window is None:
                score += _flat(p[child], 0)
            else:
                score += tf.matmul(_flat(p[child], 2), window)
        return score

    @property
    def seen(self) -> tuple[str, ...]:
        """Names of the variables whose factors of the decoder make up the score."""
        return (self.name, *self.windows)


class NotLocal(ValueError):
    """Codes of a pair cannot be chosen cell by cell; says why, after "Local resampling"."""


def levels_of(pair: Pair, *, window: Window = None) -> list[Level]:
    """Returns the latents of a pair that both players draw, from the lowest level up.

    Args:
        pair: the `Pair`.
        window: (rows, columns) of cells, of all latents or {latent: window}; where there is none it
            is found, see `footprint.window`.
    """
    latent = [name for name in reversed(pair.decoder.names) if name in pair.encoder.names]
    return [_level(pair, name, window=window) for name in latent]


def local_levels(pair: Pair, *, window: Window = None) -> list[Level]:
    """Returns `levels_of` a pair some of whose codes can be chosen cell by cell.

    A latent that reaches what is observed otherwise than by windows, as a label does or a high
    level whose every cell reaches most of a picture, is chosen as a whole.

    Raises:
        NotLocal: no latent that reaches what is observed is a grid, or all their cells reach most.
    """
    given = window.values() if isinstance(window, Mapping) else [window]
    for each in given:
        if each is not None and not _is_window(each):
            received = f"odd numbers of cells; received {arguments.told(each)}"
            raise NotLocal(f"takes a window of (rows, columns), {received}")
    reaching = sorted(
        (name, child)
        for child in pair.observed
        for name in pair.decoder.parents(child)
        if name in pair.encoder.names
    )
    if not reaching:
        raise NotLocal("needs a latent that reaches what is observed")
    levels, faults = levels_of(pair, window=window), {}
    found = {level.name: level for level in levels}
    for name, child in reaching:
        level = found.get(name) or _level(pair, name, window=window)
        fault = _fault(pair, level, child)
        if fault is not None:
            faults.setdefault(name, fault)
    if faults.keys() == {name for name, _ in reaching}:
        raise NotLocal(next(iter(faults.values())))
    return [_whole(level) if level.name in faults else level for level in levels]


def _fault(pair: Pair, level: Level, child: str) -> str | None:
    """Returns why the cells of a level cannot be chosen by what they change of a child, or None."""
    for each in (level.name, child):
        if not is_grid(pair.families[each]):
            return (
                f"chooses among cells of a grid [rows, columns, channels], but '{each}' is "
                f"{pair.families[each]!r}"
            )
    if is_finer(pair.families[level.name], pair.families[child]):
        return f"needs a place of '{child}' for every cell, but the grid of '{level.name}' is finer"
    places = level.windows[child]
    if places is not None and places.mean() > MOST:
        return f"looks at a part of '{child}', but every cell of '{level.name}' reaches most of it"
    return None


def _whole(level: Level) -> Level:
    """Returns a level whose cells are all taken from one draw; its window still says why."""
    return dataclasses.replace(level, grid=(), windows=dict.fromkeys(level.windows))


def _level(pair: Pair, name: str, *, window: Window) -> Level:
    decoder, families = pair.decoder, pair.families
    children = [child for child in decoder.names if name in decoder.parents(child)]
    grids = all(is_grid(families[each]) for each in (name, *children))
    if not grids or any(is_finer(families[name], families[child]) for child in children):
        return Level(name, (), dict.fromkeys(children))
    own = window.get(name) if isinstance(window, Mapping) else window
    if own is None:
        found = [window_of(decoder, child, cause=name) for child in children]
        own = max(rows for rows, _ in found), max(columns for _, columns in found)
    rows, columns = np.indices(families[name].shape[:2]).reshape(2, -1)
    near = abs(rows[:, None] - rows) <= own[0] // 2
    near &= abs(columns[:, None] - columns) <= own[1] // 2
    seen = {
        child: areas(families[child], families[name]).astype(float) @ near for child in children
    }
    windows = {child: (places > 0).astype(np.float32) for child, places in seen.items()}
    return Level(name, families[name].shape[:2], windows, window=(int(own[0]), int(own[1])))


def _is_window(window: object) -> bool:
    return (
        isinstance(window, (tuple, list))
        and len(window) == 2
        and all(isinstance(n, numbers.Integral) and n > 0 and n % 2 == 1 for n in window)
    )


def _flat(elements: tf.Tensor, depth: int) -> tf.Tensor:
    """Returns elements [B, ...] summed within the cells of their first `depth` axes, [B, cells]."""
    summed = tf.reduce_sum(elements, axis=list(range(1 + depth, elements.shape.rank)))
    return tf.reshape(summed, [tf.shape(summed)[0], -1]) if depth else summed[:, None]
