"""Export: a pair's endpoints as a SavedModel that needs neither Keras nor this library."""

import inspect

import tensorflow as tf

from keras_symvae.endpoints import check_output


def save(pair, filepath, *, output=None):
    """Writes a SavedModel with signatures generate, encode, decode, reconstruct and limiting.

    Every signature takes named tensors and returns all variables as {name: [B, ...]}:

        generate(n, seed [, context...])          limiting(n, steps, seed [, context...])
        encode(x, seed)    decode(z..., seed)     reconstruct(x, seed)

    n, steps and seed are int32 scalars. Draws are those of `Pair.generate`
    and its kin for the same seed, up to `endpoints.BATCH_SIZE` examples.

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
    inputs = {
        "generate": (pair.context, ("n", "seed")),
        "encode": ((*pair.observed, *pair.context), ("seed",)),
        "decode": ((*pair.latent, *pair.context), ("seed",)),
        "reconstruct": ((*pair.observed, *pair.context), ("seed",)),
        "limiting": (pair.context, ("n", "steps", "seed")),
    }
    signatures = {
        name: _signature(pair, name, variables, integers, output)
        for name, (variables, integers) in inputs.items()
    }
    tf.saved_model.save(module, str(filepath), signatures=signatures)


def _signature(pair, name, variables, integers, output):
    shown = inspect.signature(getattr(pair, name)).parameters.get("output")
    options = {} if shown is None else {"output": output or shown.default}
    specs = {
        variable: tf.TensorSpec(
            (None, *pair.families[variable].shape), pair.families[variable].dtype, name=variable
        )
        for variable in variables
    }
    specs |= {key: tf.TensorSpec((), tf.int32, name=key) for key in integers}

    @tf.function(input_signature=[specs])
    def answer(inputs):
        values = {key: inputs[key] for key in variables}
        return pair.endpoints[name](values, **{key: inputs[key] for key in integers}, **options)

    return answer
