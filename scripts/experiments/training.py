"""A training: a game on a pair, from its first weights to its last update."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras

from keras_symvae import Learner, Pair, SymmetricEquilibrium
from zoo import datasets
from zoo.presets.recipes import Recipe

L = TypeVar("L", bound=Learner)
SPLIT_RULE = "shuffled"  # the published results divided data sets of one part so


def compiled(
    make: Callable[[], L], *, optimizer: Mapping[str, Any], seed: int | None = None, group: int = 1
) -> L:
    """Returns a learner, ready to be trained.

    Args:
        make: function that makes pair and learner.
        optimizer: {key of `compile`: optimizer}, see `Recipe.optimizer` and `optimizers`.
        seed: of the weights; None where what came before decides them.
        group: steps per call of the compiled step.
    """
    if seed is not None:
        keras.utils.set_random_seed(seed)
    learner = make()
    learner.compile(optimizer, steps_per_execution=group)  # pyright: ignore[reportArgumentType]
    return learner


def fit(
    learner: Learner, batches: Any, *, steps: int, warm: int = 0, epochs: int = 1, **options: Any
) -> float:
    """Trains a learner; returns the seconds per step.

    Args:
        learner: see `compiled`.
        batches: `Minibatches`, a source or a data set.
        steps: number of updates.
        warm: first updates, of which the time does not count: Keras compiles in them.
        epochs: number of equal parts, after which callbacks are called.
        options: of `Learner.fit`.
    """
    if warm:
        learner.fit(batches, steps_per_epoch=warm, verbose=0, **options)
    rest, begun = steps - warm, time.monotonic()
    learner.fit(batches, epochs=epochs, steps_per_epoch=rest // epochs, verbose=0, **options)
    return (time.monotonic() - begun) / rest


def play(
    pair: Pair,
    batches: Any,
    *,
    rates: Mapping[str, float],
    steps: int,
    seed: int,
    beta_1: float = 0.5,
    game: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Trains a pair by the symmetric game.

    Args:
        pair: the `Pair`.
        batches: `Minibatches`.
        rates: {key of `compile`: peak rate of Adam}, which falls to 0 along a cosine.
        steps: number of updates.
        seed: of the game.
        beta_1: of Adam.
        game: arguments of `SymmetricEquilibrium`.
        options: see `fit`.
    """
    recipe = Recipe(dict(rates), beta_1=beta_1)
    learner = compiled(
        lambda: SymmetricEquilibrium(pair, seed=seed, **(game or {})),
        optimizer=recipe.optimizer(steps=steps),
        group=10,
    )
    fit(learner, batches, steps=steps, **options)


def optimizers(
    rates: Mapping[str, float], *, critic_rate: float, steps: int, critic_steps: int
) -> dict[str, Any]:
    """Returns {key of `compile`: Adam} of players and their critic, all falling along a cosine.

    The critic moves `critic_steps` times a step, so that its cosine is as much longer.
    """
    players = Recipe(dict(rates), beta_1=0.5).optimizer(steps=steps)
    critic = Recipe({"critic": critic_rate}, beta_1=0.5).optimizer(steps=critic_steps * steps)
    return players | critic


def parts(data: str) -> tuple[datasets.Images, datasets.Images]:
    """Returns training and test images, divided by the rule that the published results had."""
    train, test = (
        datasets.load(data, split=split, split_rule=SPLIT_RULE) for split in ("train", "test")
    )
    return train, test
