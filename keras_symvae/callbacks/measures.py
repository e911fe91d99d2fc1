"""Measures: what held-out data say of a model after every epoch."""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_symvae import seeds
from keras_symvae.evaluation.information import information
from keras_symvae.model.pair import Pair
from keras_symvae.model.team import Team


class Information(keras.callbacks.Callback):
    """Adds "information/z" to the metrics of an epoch: what latent z holds about held-out data.

    The sum over the elements of z, nats per example; near 0 the latent has collapsed. Put it before
    the callbacks that read this metric.

    Args:
        values: data {name: [N, ...]}.
        seed: integer.
    """

    def __init__(self, values: Mapping[str, np.ndarray], *, seed: int = 0):
        super().__init__()
        self.values, self.seed = values, seeds.checked(seed)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for prefix, pair, values in members_of(self.model.pair, self.values):
            found = information(pair, values, seed=self.seed)
            if logs is not None:
                logs |= {f"information/{prefix}{z}": float(each.sum()) for z, each in found.items()}


class Accuracy(keras.callbacks.Callback):
    """Adds "accuracy/y" to the metrics of an epoch, for models with `classify`.

    Args:
        values: held-out data {"x": [N, ...], "y": [N]}.
    """

    def __init__(self, values: Mapping[str, np.ndarray]):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        probabilities = self.model.classify(self.values["x"])
        if logs is not None:
            right = probabilities.argmax(axis=1) == self.values["y"]
            logs["accuracy/y"] = float(right.mean())


def members_of(
    model: Pair | Team, values: Any
) -> Iterator[tuple[str, Pair, dict[str, np.ndarray]]]:
    """Yields ("member/", pair, its values) of a team, or ("", pair, values)."""
    if not isinstance(model, Team):
        yield "", model, values
        return
    for member, pair in model.members.items():
        yield f"{member}/", pair, model.split(values)[member]
