"""The environment: Keras on TensorFlow, and no other Keras beside it."""

import os
import sys
from typing import Any

TENSORFLOW = "tensorflow"


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
