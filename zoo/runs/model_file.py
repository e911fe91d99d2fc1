"""The file of a trained model: the `.keras` that training writes."""

import os
import pathlib

from keras_symvae import Learner, Pair, Team, saved


def load(
    path: str | os.PathLike, *, kinds: tuple[type[Pair] | type[Team], ...] = (Pair,)
) -> Learner:
    """Returns the learner that `model.save` wrote.

    Args:
        path: the `.keras` file.
        kinds: classes of what the learner may have trained.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or hostile, or holds no model of this library, or one of
            another kind.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no model file {path}; `keras-symvae train` writes model.keras"
        )
    learner = saved.load(path)
    if not isinstance(learner, Learner):
        raise ValueError(f"{path} holds a {type(learner).__name__}, not a learner of this library")
    if not isinstance(learner.pair, kinds):
        known = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"{path} holds a {type(learner.pair).__name__}, and this command needs a {known}; load "
            "it with keras.saving.load_model, or export it"
        )
    return learner
