"""A shape: points in the plane, each blurred by the same Gaussian, as a distribution."""

import dataclasses
import functools
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from keras_symvae import seeds

DEVIATION = 0.1  # of the Gaussian, in every shape
SPREAD = math.sqrt(2.0)  # standard deviation of a shape along an axis, the same for all
NEAR, SHARE = 3.0, 0.25  # deviations, and of its share of points: a part is covered
MOON, PIECES = 1000, 8  # points of a moon, and the parts that it is cut into


@dataclasses.dataclass(frozen=True, eq=False)
class Shape:
    """A mixture of Gaussians of deviation 0.1 around points in the plane, in equal parts.

    Args:
        points: [N, 2] float32, all of the same weight.
        parts: [N] integers from 0 to the number of parts - 1, the part of each point; all parts
            have as many points.
        kind: what a part is called, in the plural.
    """

    points: np.ndarray
    parts: np.ndarray
    kind: str

    @functools.cached_property
    def number(self) -> int:
        """How many parts there are."""
        return int(self.parts.max()) + 1

    @functools.cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.points)

    def draw(self, size: Any, seed: Any) -> dict[str, tf.Tensor]:
        """Returns `size` draws {"x": [size, 2]}, with a stateless seed [2]."""
        fork = seeds.fold(seed, 0)
        index = tf.random.stateless_uniform([size], fork, 0, len(self.points), tf.int32)
        noise = tf.random.stateless_normal([size, 2], seeds.fold(seed, 1))
        return {"x": tf.gather(tf.constant(self.points), index) + DEVIATION * noise}

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Returns the log-density of points [M, 2], in nats, [M]."""
        scores = -0.5 * cdist(x, self.points, "sqeuclidean") / DEVIATION**2
        return np.logaddexp.reduce(scores, axis=1) - math.log(
            2.0 * math.pi * DEVIATION**2 * len(self.points)
        )

    def nearest(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns (part of the nearest point, its distance in deviations) of [M, 2], [M] each."""
        distances, index = self._tree.query(x)
        return self.parts[index], distances / DEVIATION

    def coverage(self, x: np.ndarray) -> dict[str, float]:
        """Returns what of the shape points [M, 2] cover.

        Returns:
            {"covered": the number of parts that have a quarter of their share of points nearby,
            "near": the share of points within three deviations of the shape,
            "uneven": the share of these that would have to move for all parts to have as many;
            1 where there are none}.
        """
        part, distance = self.nearest(x)
        near = distance < NEAR
        counts = np.bincount(part[near], minlength=self.number)
        shares = counts / max(1, np.sum(near))
        return {
            "covered": float(np.sum(counts >= SHARE * len(x) / self.number)),
            "near": float(np.mean(near)),
            "uneven": float(np.sum(np.maximum(0.0, 1.0 / self.number - shares))),
        }


def _ring() -> Shape:
    angle = 2.0 * math.pi * np.arange(8) / 8
    points = 2.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Shape(points.astype("float32"), np.arange(8), "modes")


def _grid() -> Shape:
    axis = np.arange(-2.0, 3.0)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return Shape(points.astype("float32"), np.arange(25), "modes")


def _moons() -> Shape:
    angle = math.pi * (np.arange(MOON) + 0.5) / MOON
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.concatenate([upper, (1.0, 0.5) - upper]) - (0.5, 0.25)
    return Shape((2.0 * points).astype("float32"), np.arange(2 * MOON) * PIECES // MOON, "pieces")


# Eight Gaussians on a ring of radius 2; five times five at distance 1; the two moons of
# scikit-learn with noise 0.05, at twice the size.
SHAPES = {"ring": _ring(), "grid": _grid(), "moons": _moons()}


@keras.saving.register_keras_serializable(package="scripts")
def ring(size: Any, seed: Any) -> dict[str, tf.Tensor]:
    """Returns `size` draws {"x": [size, 2]} of the ring, with a stateless seed [2]."""
    return SHAPES["ring"].draw(size, seed)


@keras.saving.register_keras_serializable(package="scripts")
def grid(size: Any, seed: Any) -> dict[str, tf.Tensor]:
    """Returns `size` draws {"x": [size, 2]} of the grid, with a stateless seed [2]."""
    return SHAPES["grid"].draw(size, seed)


@keras.saving.register_keras_serializable(package="scripts")
def moons(size: Any, seed: Any) -> dict[str, tf.Tensor]:
    """Returns `size` draws {"x": [size, 2]} of the moons, with a stateless seed [2]."""
    return SHAPES["moons"].draw(size, seed)


SAMPLERS = {"ring": ring, "grid": grid, "moons": moons}
