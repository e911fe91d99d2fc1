"""Fillers: what scikit-learn puts into the unknown cells of a table."""

import importlib
import warnings

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import KNNImputer, SimpleImputer

NEAREST, LEAF = 10, 3  # neighbours of a row; the fewest examples of a leaf
SINGLE = ("mean", "nearest", "ridge", "forest")


def filled(
    rows: np.ndarray, *, trees: int, rounds: int, draws: int, turns: int, seed: int
) -> dict[str, np.ndarray]:
    """Returns {method: imputations [S, N, D]} of standardised rows; all but the last have S = 1.

    Args:
        rows: [N, D], NaN where a cell is unknown.
        trees, rounds: of the forests, as in missForest.
        draws: S of "ridge draws".
        turns: how often each of these goes through all columns.
        seed: of forests and draws.
    """
    importlib.import_module("sklearn.experimental.enable_iterative_imputer")
    from sklearn.impute import IterativeImputer

    forest = ExtraTreesRegressor(trees, min_samples_leaf=LEAF, random_state=seed)
    single = {
        "mean": SimpleImputer(),
        "nearest": KNNImputer(n_neighbors=NEAREST, weights="distance"),
        "ridge": IterativeImputer(random_state=seed),
        "forest": IterativeImputer(forest, max_iter=rounds, random_state=seed),
    }
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        found = {name: each.fit_transform(rows)[None] for name, each in single.items()}
        found["ridge draws"] = np.stack(
            [
                IterativeImputer(
                    sample_posterior=True, max_iter=turns, random_state=1000 * seed + draw
                ).fit_transform(rows)
                for draw in range(draws)
            ]
        )
    return found
