"""Pictures: samples and reconstructions in TensorBoard after every epoch."""

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments, pictures, seeds
from keras_symvae.callbacks.measures import members_of
from keras_symvae.model.pair import Pair


class Pictures(keras.callbacks.Callback):
    """Writes samples and reconstructions to TensorBoard after every epoch.

    Args:
        directory: folder of the event files.
        values: held-out data {name: [N, ...]} to reconstruct.
        n: number of samples; half as many reconstructions.
        seed: integer.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        values: Mapping[str, np.ndarray],
        *,
        n: int = 50,
        seed: int = 0,
    ):
        super().__init__()
        self.directory = str(arguments.path("directory", directory))
        self.values, self.seed = values, seeds.checked(seed)
        self.n = arguments.integer("n", n, least=1)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._writer = tf.summary.create_file_writer(self.directory)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._writer.close()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        with self._writer.as_default(step=epoch):
            for prefix, pair, values in members_of(self.model.pair, self.values):
                self._write(prefix, pair, values)

    def _write(self, prefix: str, pair: Pair, values: Mapping[str, np.ndarray]) -> None:
        originals = {name: value[: self.n // 2] for name, value in values.items()}
        context = {name: values[name][: self.n] for name in pair.context}
        n = None if context else self.n
        samples = pair.generate(n, seed=self.seed, output="mean", **context)
        answers = pair.reconstruct(originals, seed=self.seed)
        for name in pair.observed:
            if len(pair.families[name].shape) != 3:
                continue
            tf.summary.image(f"{prefix}samples/{name}", pictures.grid(samples[name])[None])
            both = pictures.pairs(originals[name], answers[name])
            tf.summary.image(f"{prefix}reconstructions/{name}", both[None])
