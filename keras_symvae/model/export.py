"""Export: a pair's endpoints as a SavedModel that needs neither Keras nor this library."""

import inspect

import tensorflow as tf

from keras_symvae.model.questions import check_output


def save(pair, filepath, *, output=None):
    """Writes a SavedModel with one signature per endpoint of the pair.

    Every signature takes named tensors; those of all pairs return all variables {name: [B, ...]}:

        generate(n, seed [, context...])          limiting(n, steps, seed [, context...])
        encode(x, seed)    decode(z..., seed)     reconstruct(x, seed)

    Architectures of the zoo may have more, such as `classify`. n, steps and seed are int32
    scalars. Draws are those of `Pair.generate` and its kin for the same seed, up to
    `endpoints.BATCH_SIZE` examples.

    Args:
        pair: the `Pair`.
        filepath: folder to write.
        output: "mean", "mode" or "sample" of the observed variables; None: what the method of this
            name shows by default.
    """
    if output is not None:
        check_output(output)
    module = tf.Module()
    # The weights as plain variables: saved once, restored without Keras.
    weights = [variable.value for variable in pair.variables]
    module.weights = weights  # pyright: ignore[reportAttributeAccessIssue]
    signatures = {
        name: _signature(pair, name, endpoint, output) for name, endpoint in pair.endpoints.items()
    }
    tf.saved_model.save(module, str(filepath), signatures=signatures)


def _signature(pair, name, endpoint, output):
    shown = inspect.signature(getattr(pair, name)).parameters.get("output")
    options = {} if shown is None else {"output": output or shown.default}
    specs = {
        variable: tf.TensorSpec(
            (None, *pair.families[variable].shape), pair.families[variable].dtype, name=variable
        )
        for variable in endpoint.variables
    }
    specs |= {key: tf.TensorSpec((), tf.int32, name=key) for key in endpoint.integers}

    @tf.function(input_signature=[specs])
    def answer(inputs):
        values = {key: inputs[key] for key in endpoint.variables}
        return endpoint(values, **{key: inputs[key] for key in endpoint.integers}, **options)

    return answer
