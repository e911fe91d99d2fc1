"""The size of a training step's graph: what missing values, contexts and teams add to it.

    python -m benchmarks.graph_size

The last line is JSON: {case: number of operations}.
"""

import collections
import json
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import app

from keras_symvae import (
    Cooperative,
    Factor,
    Learner,
    Pair,
    Player,
    SymmetricEquilibrium,
    Team,
    families,
)

SIZE, CLASSES = 32, 3
KNOWN: Mapping[str, families.Family] = {
    "x": families.Normal(3, scale="shared"),
    "y": families.Categorical((), num_classes=CLASSES),
    "z": families.Normal(2),
}


def plain() -> Pair:
    """Returns a pair p(z) p(x | z), q(z | x)."""
    known = {name: KNOWN[name] for name in ("x", "z")}
    decoder = [Factor("z"), Factor("x", given="z", network=network(["z"], 3))]
    encoder = [Factor("z", given="x", network=network(["x"], 4))]
    return pair_of(decoder, encoder, known)


def conditional() -> Pair:
    """Returns a pair p(z) p(x | z, y), q(z | x, y) with a context y."""
    decoder = [Factor("z"), Factor("x", given=("z", "y"), network=network(["z", "y"], 3))]
    encoder = [Factor("z", given=("x", "y"), network=network(["x", "y"], 4))]
    return pair_of(decoder, encoder, KNOWN)


def team() -> Team:
    """Returns p(x | y, z) and p(y | x, z): what one of them draws is the context of the other."""
    decoder = [Factor("z"), Factor("y", given=("z", "x"), network=network(["z", "x"], CLASSES))]
    encoder = [Factor("z", given=("x", "y"), network=network(["x", "y"], 4))]
    other = pair_of(decoder, encoder, KNOWN)
    return Team({"painter": conditional(), "labeller": other})


def pair_of(
    decoder: list[Factor], encoder: list[Factor], known: Mapping[str, families.Family]
) -> Pair:
    """Returns the `Pair` of two lists of factors."""
    players = {"decoder": decoder, "encoder": encoder}
    return Pair(*(Player(each, families=known, name=name) for name, each in players.items()))


def network(given: list[str], units: int) -> keras.Model:
    """Returns an MLP of these variables."""
    inputs = [keras.Input(KNOWN[name].feature_shape) for name in given]
    hidden = keras.layers.concatenate(inputs) if len(inputs) > 1 else inputs[0]
    output = keras.layers.Dense(units)(keras.layers.Dense(4, "tanh")(hidden))
    return keras.Model(inputs, output)


def values(*names: str, missing: bool = False) -> dict[str, np.ndarray]:
    """Returns data of these variables.

    If some are missing, half of the examples lack the latent z, and some of the others lack x.
    """
    rng = np.random.default_rng(0)
    found = {"x": rng.normal(size=(SIZE, 3)), "y": rng.integers(0, CLASSES, SIZE)}
    found["z"] = rng.normal(size=(SIZE, 2))
    if missing:
        found["z"][::2] = found["x"][1::4] = np.nan
    return {name: found[name].astype(KNOWN[name].dtype.as_numpy_dtype) for name in names}


CASES: dict[str, Callable[[], tuple[Learner, dict[str, np.ndarray]]]] = {
    "pair": lambda: (SymmetricEquilibrium(plain()), values("x")),
    "pair with a context, nothing missing": lambda: (
        SymmetricEquilibrium(conditional()),
        values("x", "y"),
    ),
    "pair with a context, examples missing": lambda: (
        SymmetricEquilibrium(conditional()),
        values("x", "y", "z", missing=True),
    ),
    "team of two": lambda: (Cooperative(team(), mixing=0.5), values("x", "y")),
}


def operations(learner: Learner, data: Any) -> int:
    """Returns the number of operations in the graph that `fit` runs for one step."""
    return sum(kinds(learner, data).values())


def kinds(learner: Learner, data: Any) -> collections.Counter[str]:
    """Returns {kind: number} of the operations in the graph that `fit` runs for one step."""
    graphs, step = [], learner.train_step

    def recorded(batch: Any) -> Any:
        graphs.append(tf.compat.v1.get_default_graph())
        return step(batch)

    learner.compile("adam")
    learner.train_step = recorded  # pyright: ignore[reportAttributeAccessIssue]
    learner.fit(data, batch_size=SIZE, steps_per_epoch=1, verbose=0)
    whole = graphs[-1].as_graph_def()
    bodies = [whole.node, *(function.node_def for function in whole.library.function)]
    return collections.Counter(node.op for body in bodies for node in body)


def main(argv: list[str]) -> None:
    """Prints the number of operations of every case."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    found = {}
    for case, make in CASES.items():
        keras.utils.set_random_seed(0)
        found[case] = operations(*make())
        print(f"{case:38} {found[case]:6,d} operations", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    app.run(main)
