"""TensorBoard, with curves of epochs only."""

import os
from typing import Any

import keras

from keras_symvae import arguments


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras's TensorBoard callback without curves of single steps.

    Keras's own makes a summary of every metric in every step, even if none is written; that takes
    longer than a small step.

    Args:
        directory: folder of the event files.
    """

    def __init__(self, directory: str | os.PathLike):
        super().__init__(str(arguments.path("directory", directory)), write_graph=False)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        pass
