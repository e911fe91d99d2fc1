"""Two moons: points in the plane, as the codes of a prior without a density."""

import numpy as np
from sklearn.datasets import make_moons


def moons(n: int, *, noise: float | None, seed: int) -> np.ndarray:
    """Returns n independent points [n, 2] of two moons; without noise, evenly spaced ones."""
    many = n if noise is None else 20 * n  # scikit-learn spaces evenly: few of many are independent
    points, _ = make_moons(many, shuffle=False, noise=noise, random_state=seed)
    points = (points - (0.5, 0.25)) / (0.87, 0.5)  # mean and standard deviation of moons
    return points[np.random.RandomState(seed).permutation(many)[:n]].astype("float32")


def apart(points: np.ndarray) -> dict[str, np.ndarray]:
    """Returns points [n, 2] as codes {"z0": [n, 1], "z1": [n, 1]}."""
    return {"z0": points[:, :1], "z1": points[:, 1:]}
