"""One optimizer out of several: each player, or each factor, gets its own."""

import re

import keras


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
    for path, variable in _named_variables(pair):
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
        known = sorted({path for path, _ in _named_variables(pair)})
        raise ValueError(f"Optimizer keys {idle} fit no weight; known are {known}.")
    table = {
        "|".join(sorted(found)): keras.optimizers.get(optimizers[key])
        for key, found in patterns.items()
    }
    default = next(iter(table.values()))
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(default, table))


def _named_variables(pair):
    """Yields ("player/factor", variable) of every trainable weight."""
    for player in (pair.decoder, pair.encoder):
        for part in (*player.factors, player.trunk):
            for variable in part.trainable_variables if part is not None else ():
                yield f"{player.name}/{part.name}", variable
