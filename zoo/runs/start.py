"""A start: the weights of a trained model, from which a new run begins."""

import os

from keras_symvae import Learner
from zoo.runs import model_file


def begin(learner: Learner, path: str | os.PathLike) -> None:
    """Gives an untrained learner the weights of a trained one; steps and optimizer begin anew.

    Critics keep their own weights where the trained learner has none of the same structure.

    Args:
        learner: the new learner, of any game.
        path: the `.keras` file of the other, or whatever else `model_file.load` takes.

    Raises:
        FileNotFoundError, ValueError: there is no such model, or its pair is another.
    """
    trained = model_file.load(path)
    if _shapes(trained.pair) != _shapes(learner.pair):
        raise ValueError(
            f"--start={path} is a {type(trained.pair).__name__} with other weights than this "
            f"{type(learner.pair).__name__}, in number or shape; take the preset that it was "
            "trained with"
        )
    learner.pair.set_weights(trained.pair.get_weights())
    for name, critic in learner.critics.items():
        former = trained.critics.get(name)
        if former is not None and _shapes(former) == _shapes(critic):
            critic.set_weights(former.get_weights())


def _shapes(part: object) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in part.weights]  # pyright: ignore
