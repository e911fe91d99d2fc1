"""The tables of cases: one row for every family, learner and kind of pair."""

import keras
import numpy as np

from keras_symvae import Factor, Pair, Player, Team, Trunk, families, learners
from zoo import Ladder

FAMILIES = {
    "bernoulli": families.Bernoulli((2, 1)),
    "bernoulli_scalar": families.Bernoulli(()),
    "categorical": families.Categorical((), num_classes=3),
    "categorical_map": families.Categorical((2, 2), num_classes=4),
    "normal_element": families.Normal((2, 2)),
    "normal_each": families.Normal((2, 2), scale="each", spread=2.0),
    "normal_shared": families.Normal(3, scale="shared", center=0.5, spread=0.5),
    "normal_fixed": families.Normal(3, scale=0.3, center=-1.0, spread=2.0),
    "poisson": families.Poisson(2),
    "poisson_rate": families.Poisson(2, rate=30.0),
    "gamma": families.Gamma(2),
    "gamma_scalar": families.Gamma(()),
    "beta": families.Beta(2),
    "von_mises": families.VonMises((2, 1)),
    "logistic": families.DiscretizedLogistic((2, 1)),
    "logistic_scalar": families.DiscretizedLogistic((), components=2),
    "logistic_mixture": families.DiscretizedLogistic((2, 3), components=3),
    "logistic_coupled": families.DiscretizedLogistic((1, 3), coupled=True),
    "logistic_coupled_mixture": families.DiscretizedLogistic((2, 3), components=2, coupled=True),
    "record_of_one": families.Record([families.Normal(2)]),
    "record": families.Record(
        [
            families.Normal(2, scale="each"),
            families.Categorical((1,), num_classes=3),
            families.Poisson(1, rate=4.0),
            families.Gamma(1),
            families.Beta(2),
            families.VonMises(1),
        ]
    ),
}

LEARNERS = {name: learners.get(name) for name in ("symmetric", "elbo")}
TEAM_LEARNERS = {"cooperative": learners.get("cooperative")}
OF_CRITICS = ("avb", "as_vae", "svae", "wae", "fgan")
ADVERSARIAL_LEARNERS = {name: learners.get(name) for name in OF_CRITICS}


def images(size=32, shape=(3, 3, 1)):
    """Returns bits [size, *shape]: vertical or horizontal stripes with noise."""
    rng = np.random.default_rng(0)
    stripes = np.indices(shape)[rng.integers(0, 2, size)[:, None]][:, 0] % 2
    return np.where(rng.random((size, *shape)) < 0.1, 1 - stripes, stripes).astype("float32")


def ladder(**options):
    """Returns a tiny ladder over 3 x 3 bits."""
    return Ladder((3, 3, 1), **{"latents": (2, 3), "width": 4, **options})


def conditional(*, learned=True):
    """Returns a pair p(z) p(x | z, y) and q(z | x, y) with a context label y."""
    known = {
        "x": families.Normal(3, scale="shared"),
        "y": families.Categorical((), num_classes=3),
        "z": families.Normal(2),
    }
    decoder = [
        Factor("z", learned=learned),
        Factor("x", given=("z", "y"), network=joint([(2,), (3,)], 3)),
    ]
    trunk = Trunk(given=("x", "y"), network=joint([(3,), (3,)], 4, activation="a"))
    return Pair(
        Player(decoder, families=known, name="decoder"),
        Player([Factor("z", given="a", tilt=True)], families=known, trunk=trunk, name="encoder"),
    )


def conditional_data(size=32):
    """Returns values of `conditional`."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, size)
    x = rng.normal(size=(size, 3)) + labels[:, None]
    return {"x": x.astype("float32"), "y": labels.astype("int32")}


def team():
    """Returns pairs p(x | y, z) and p(y | x, u); what one of them draws is the other's context."""
    known = {
        "x": families.Normal(3, scale="shared"),
        "y": families.Categorical((), num_classes=3),
        "z": families.Bernoulli(2),
    }
    other = {"x": known["x"], "y": known["y"], "u": families.Bernoulli(2)}
    painter = Pair(
        Player(
            [Factor("z"), Factor("x", given=("z", "y"), network=joint([(2,), (3,)], 3))],
            families=known,
            name="decoder",
        ),
        Player(
            [Factor("z", given=("x", "y"), network=joint([(3,), (3,)], 2))],
            families=known,
            name="encoder",
        ),
    )
    labeller = Pair(
        Player(
            [Factor("u"), Factor("y", given=("u", "x"), network=joint([(2,), (3,)], 3))],
            families=other,
            name="decoder",
        ),
        Player(
            [Factor("u", given=("x", "y"), network=joint([(3,), (3,)], 2))],
            families=other,
            name="encoder",
        ),
    )
    return Team({"painter": painter, "labeller": labeller})


def joint(shapes, units, *, activation=None):
    """Returns a functional network of several inputs; a name makes its output an activation."""
    inputs = [keras.Input(shape) for shape in shapes]
    hidden = keras.layers.Dense(4, "tanh")(keras.layers.Concatenate()(inputs))
    output = keras.layers.Dense(units)(hidden)
    return keras.Model(inputs, {activation: output} if activation else output)


PAIRS = {
    "ladder": lambda: (ladder(), {"x": images()}),
    "reverse": lambda: (ladder(order="reverse"), {"x": images()}),
    "grey": lambda: (ladder(likelihood="normal", latents=(2,)), {"x": images()}),
    "conditional": lambda: (conditional(), conditional_data()),
}
