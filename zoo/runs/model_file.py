"""The file of a trained model: the `.keras` that training writes."""

import os

from keras_symvae import Learner, Pair, Team, saved
from zoo.trained import shipped, source


def load(
    model: str | os.PathLike, *, kinds: tuple[type[Pair] | type[Team], ...] = (Pair, Team)
) -> Learner:
    """Returns a trained learner.

    What was saved without an optimizer gets Adam, so that it can be evaluated and trained on.

    Args:
        model: the name of a model that is shipped (`zoo.presets()` lists them), the folder of a run
            or of `zoo.save`, a `.keras` file, `"hf://USER/NAME"` or `"kaggle://..."`; see
            `zoo.trained.source.model_of`.
        kinds: classes of what the learner may have trained.

    Raises:
        FileNotFoundError: there is no such model.
        ValueError: the file is damaged or hostile, or holds no model of this library, or one of
            another kind.
        ConnectionError, ImportError: a hub does not answer, or its library is not installed.
    """
    path = source.model_of(model)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no model file {path}; `keras-symvae train` writes model.keras, and shipped "
            f"models are called {', '.join(shipped.names())}"
        )
    learner = saved.load(path)
    if not isinstance(learner, Learner):
        raise ValueError(f"{path} holds a {type(learner).__name__}, not a learner of this library")
    if not isinstance(learner.pair, kinds):
        known = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"{path} holds a {type(learner.pair).__name__}, and this command needs a {known}; load "
            "it with zoo.load, or export it"
        )
    if not learner.compiled:
        learner.compile("adam")
    return learner
