"""Tests of what is in the graph of a step: nothing that only missing values would need."""

import keras
import numpy as np

from benchmarks.graph_size import kinds
from keras_symvae import Factor, Pair, Player, SymmetricEquilibrium, families

MASKS = ("IsNan", "LogicalAnd", "LogicalNot", "LogicalOr", "SelectV2")
SIZE = 8


def pair(*, context):
    """Returns p(z) p(x | z), q(z | x) over bits x, with bits c as a context of both or without."""
    known = {"x": families.Bernoulli(3), "z": families.Bernoulli(2)}
    known |= {"c": families.Bernoulli(2)} if context else {}

    def network(names, units):  # the same number of weights, which the guard looks at one by one
        inputs = [keras.Input(known[name].feature_shape) for name in names]
        joined = keras.layers.Concatenate()(inputs) if context else inputs[0]
        return keras.Model(inputs, keras.layers.Dense(units)(joined))

    beside = ("c",) if context else ()
    decoder = [Factor("z"), Factor("x", given=("z", *beside), network=network(("z", *beside), 3))]
    encoder = [Factor("z", given=("x", *beside), network=network(("x", *beside), 2))]
    return Pair(
        Player(decoder, families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
    )


def test_a_context_that_no_example_lacks_costs_the_step_no_masks():
    rng = np.random.default_rng(0)
    x, c = (rng.integers(0, 2, (SIZE, n)).astype("float32") for n in (3, 2))
    z = rng.integers(0, 2, (SIZE, 2)).astype("float32")
    plain = kinds(SymmetricEquilibrium(pair(context=False)), {"x": x})
    whole = kinds(SymmetricEquilibrium(pair(context=True)), {"x": x, "c": c})
    z[::2] = np.nan
    partly = kinds(SymmetricEquilibrium(pair(context=True)), {"x": x, "c": c, "z": z})
    for kind in MASKS:
        assert whole[kind] == plain[kind], kind
    assert sum(partly[kind] for kind in MASKS) > sum(whole[kind] for kind in MASKS)
