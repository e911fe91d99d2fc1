"""A prior of z0 that lies in a file: samples, or the pair of a trained model."""

import pathlib

import numpy as np

from keras_symvae import Pair
from zoo.datasets import npz
from zoo.runs import model_file


def read(path: str | pathlib.Path) -> Pair | np.ndarray:
    """Returns the prior of z0 in a file: rows z0 of a .npz or .npy, or the pair of a model.keras.

    Raises:
        ValueError: the file is none of these.
    """
    path = pathlib.Path(path)
    if path.suffix == ".keras":
        trained = model_file.load(path, kinds=(Pair,)).pair
        names = [*trained.observed, *trained.context]
        if names != ["x"]:
            raise ValueError(
                f"--prior={path} is a model of {', '.join(names)}; take one of x alone"
            )
        return trained
    if path.suffix not in (".npz", ".npy"):
        raise ValueError(f"--prior is a .npz with z0, a .npy or a model.keras; received {path}")
    if path.suffix == ".npy":
        return npz.array(path)
    with npz.opened(path) as rows:
        if "z0" not in rows:
            raise ValueError(f"it holds {rows.files}, and latents have to be called z0")
        return rows["z0"]
