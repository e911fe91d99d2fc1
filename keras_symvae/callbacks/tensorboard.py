"""TensorBoard, with curves of epochs only."""

import keras


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras's, with curves of epochs only.

    Keras's own makes a summary of every metric in every step, to throw it away if no step is to be
    written; that takes longer than a small step.

    Args:
        directory: folder of the event files.
    """

    def __init__(self, directory):
        super().__init__(str(directory), write_graph=False)

    def on_train_batch_end(self, batch, logs=None):
        pass
