"""One optimizer out of several: each player, or each factor, gets its own."""

import re

import keras
import tensorflow as tf


def per_player(optimizers, pair):
    """Returns a `MultiOptimizer` that gives each weight to the longest key it lies under.

    Args:
        optimizers: {"decoder": ..., "encoder": ..., "decoder/z1": ...} of anything that
            `keras.optimizers.get` takes.
        pair: the `Pair` whose weights they train.

    Raises:
        ValueError: a key fits no weight, or a weight fits no key.
    """
    patterns = {key: set() for key in optimizers}
    for path, variable in named_variables(pair):
        fitting = [key for key in optimizers if f"{path}/".startswith(f"{key}/")]
        if not fitting:
            raise ValueError(
                f"No optimizer for '{path}'; keys received: {sorted(optimizers)}. Name both "
                "'decoder' and 'encoder'."
            )
        # Networks that were built before they joined a factor keep the paths they had.
        inside = variable.path.startswith(f"{path}/")
        pattern = f"{re.escape(path)}/.*" if inside else re.escape(variable.path)
        patterns[max(fitting, key=len)].add(pattern)
    idle = sorted(key for key, found in patterns.items() if not found)
    if idle:
        known = sorted({path for path, _ in named_variables(pair)})
        raise ValueError(f"Optimizer keys {idle} fit no weight; known are {known}.")
    table = {
        "|".join(sorted(found)): keras.optimizers.get(optimizers[key])
        for key, found in patterns.items()
    }
    default = next(iter(table.values()))
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(default, table))


def named_variables(pair):
    """Yields ("player/part", variable) of every trainable weight."""
    for name, part in pair.parts:
        for variable in part.trainable_variables:
            yield name, variable


def apply_if(finite, optimizer, gradients, variables):
    """One update of all variables, or none: the optimizer's state stays untouched as well."""

    def across_replicas(strategy, finite, gradients):
        def apply():
            strategy.extended.call_for_each_replica(optimizer.apply, args=(gradients, variables))

        # Keras's optimizers merge replicas themselves, so the condition has to stand outside.
        tf.cond(strategy.experimental_local_results(finite)[0], apply, lambda: None)

    context = tf.distribute.get_replica_context()
    context.merge_call(across_replicas, args=(finite, gradients))
