"""Export: a model's endpoints as a SavedModel that needs neither Keras nor this library."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING

import tensorflow as tf

from keras_symvae.model.questions import Endpoint, check_output

if TYPE_CHECKING:
    from keras_symvae.model.model import Model

FORMATS = ("tf_saved_model",)


def save(
    model: Model,
    filepath: str | os.PathLike,
    *,
    format: str = "tf_saved_model",
    output: str | None = None,
) -> None:
    """Writes a SavedModel with one signature per endpoint of a pair or team.

    Every signature takes named tensors; those of all pairs return all variables {name: [B, ...]}:

        generate(n, seed [, context...])          limiting(n, steps, seed [, context...])
        encode(x, seed)    decode(z..., seed)     reconstruct(x, seed)

    Architectures of the zoo may have more, such as `classify`. n, steps and seed are int32
    scalars. Draws are those of `Pair.generate` and its kin for the same seed, up to
    `questions.BATCH_SIZE` examples.

    Args:
        model: the `Pair` or `Team`.
        filepath: folder to write.
        format: "tf_saved_model", the one format that carries draws by a seed.
        output: "mean", "mode" or "sample" of the observed variables; None: what the method of this
            name shows by default.

    Raises:
        ValueError: another format or output was asked for, or there is nothing to export.
    """
    if format not in FORMATS:
        raise ValueError(
            f"export writes {', '.join(FORMATS)}; received format={format!r}. Leave format out; "
            "other formats cannot carry draws by a seed."
        )
    if output is not None:
        check_output(output)
    if not model.endpoints:
        model.single("export")
    module = tf.Module()
    # The weights as plain variables: saved once, restored without Keras.
    weights = [variable.value for variable in model.variables]
    module.weights = weights  # pyright: ignore[reportAttributeAccessIssue]
    signatures = {
        name: _signature(model, name, endpoint, output)
        for name, endpoint in model.endpoints.items()
    }
    tf.saved_model.save(module, str(filepath), signatures=signatures)


def _signature(model: Model, name: str, endpoint: Endpoint, output: str | None):
    shown = inspect.signature(getattr(model, name)).parameters.get("output")
    options = {} if shown is None else {"output": output or shown.default}
    specs = {
        variable: tf.TensorSpec(
            (None, *model.families[variable].shape), model.families[variable].dtype, name=variable
        )
        for variable in endpoint.variables
    }
    specs |= {key: tf.TensorSpec((), tf.int32, name=key) for key in endpoint.integers}

    @tf.function(input_signature=[specs])
    def answer(inputs):
        values = {key: inputs[key] for key in endpoint.variables}
        return endpoint(values, **{key: inputs[key] for key in endpoint.integers}, **options)

    return answer
