"""The environment: Keras on TensorFlow, and no other Keras beside it."""

import contextlib
import os
import sys
from typing import Any

TENSORFLOW = "tensorflow"
SAVED = ("Operation", "Layer", "Functional", "Sequential", "Metric", "Optimizer", "Loss")


def check_backend() -> None:
    """Refuses a Keras that runs on another backend than TensorFlow, before it is imported.

    Raises:
        ImportError: says which backend was chosen, where, and what to do.
    """
    chosen, where = os.environ.get("KERAS_BACKEND") or TENSORFLOW, "KERAS_BACKEND is"
    if chosen == TENSORFLOW and "keras" in sys.modules:
        chosen, where = sys.modules["keras"].backend.backend(), "Keras was imported with"
    if chosen != TENSORFLOW:
        raise ImportError(
            f"keras_symvae runs on TensorFlow, but {where} {chosen!r}; unset KERAS_BACKEND or set "
            f"it to {TENSORFLOW!r}, in a new process."
        )


def refuse_legacy(thing: Any, name: str) -> None:
    """Refuses what belongs to tf_keras, the Keras 2 that `TF_USE_LEGACY_KERAS` brings.

    Args:
        thing: an optimizer, a layer, or anything else.
        name: what it is, for the message.

    Raises:
        ValueError: names its type.
    """
    for kind in type(thing).__mro__:
        if kind.__module__.split(".")[0] == "tf_keras":
            raise ValueError(
                f"{name} is {type(thing).__module__}.{type(thing).__name__} of tf_keras, that is "
                "of Keras 2; make it with Keras 3, of `import keras`."
            )


def keep_models_of_saving() -> None:
    """Keeps what Keras compares the parts of a model with when it saves them.

    Keras means to make these once. Up to 3.15 it looks for them under another name than it keeps
    them by, and so makes them at every save, an optimizer with its variables among them, of which
    TensorFlow never lets go: 0.2 MiB for each save of a small learner.
    """
    # What is private may be elsewhere in another version, which then saves as it likes.
    with contextlib.suppress(ImportError, AttributeError, ValueError):
        from keras.src.backend.common import global_state
        from keras.src.saving import saving_lib

        for kind in SAVED:
            name = f"saving_attr_skiplist_{kind}"
            if global_state.get_global_attribute(name) is None:
                global_state.set_global_attribute(name, saving_lib.get_attr_skipset(kind))
