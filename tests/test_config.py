"""Tests of configurations: whatever a constructor takes makes the same object again."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    ASVAE,
    AVB,
    ELBO,
    FGAN,
    SVAE,
    WAE,
    Cooperative,
    Critic,
    Factor,
    ImplicitFactor,
    Player,
    SymmetricEquilibrium,
    Trunk,
    families,
)
from keras_symvae.config import Configured, arguments
from keras_symvae.data.sources import ArraySource, FunctionSource, PairSource
from keras_symvae.learners.step.optimizers import Optimizers
from tests import cases
from tests.gaussians import GaussianPair

KNOWN = {"x": families.Normal(2), "z": families.Normal(2, scale="shared")}


@keras.saving.register_keras_serializable(package="tests.config")
def simulated(size, seed):
    return {"z": tf.random.stateless_normal([size, 2], seed)}


def dense(units=4):
    return keras.layers.Dense(units)


def gaussian():
    """Returns a pair of Gaussians, which every game with one critic may train."""
    return GaussianPair().pair


MADE = {  # one object of every public class, by arguments that are not the defaults
    **{type(family).__name__: (lambda family=family: family) for family in cases.FAMILIES.values()},
    "Factor": lambda: Factor("z", given=("x",), network=dense(), tilt=True),
    "ImplicitFactor": lambda: ImplicitFactor("z", given="x", network=dense(2), noise_shape=3),
    "Trunk": lambda: Trunk(given=["x"], network=dense(), name="stem"),
    "Player": lambda: Player([Factor("z")], families=KNOWN, name="decoder"),
    "Pair": lambda: cases.conditional(),
    "Team": lambda: cases.team(),
    "Critic": lambda: Critic(("x", "z"), widths=(3, 2), activation="relu", offset="z", name="c"),
    "ArraySource": lambda: ArraySource({"z": np.zeros((3, 2)), "y": np.arange(3)}, name="rows"),
    "FunctionSource": lambda: FunctionSource(simulated, names=("z",), name="simulator"),
    "PairSource": lambda: PairSource(gaussian(), rename={"x": "z"}),
    "Optimizers": lambda: Optimizers({"decoder": "adam", "encoder": keras.optimizers.SGD(0.3)}),
    "SymmetricEquilibrium": lambda: SymmetricEquilibrium(
        cases.ladder(),
        weights={"encoder/paired": 2.0},
        information={"z0": 0.5},
        seed=3,
        nonfinite="raise",
        patience=4,
        name="game",
    ),
    "ELBO": lambda: ELBO(
        cases.ladder(), estimator="gumbel_softmax:0.5", kl_weight=2, warmup_steps=3, free_bits=0.1
    ),
    "Cooperative": lambda: Cooperative(cases.team(), mixing=0.75, weights={"decoder/paired": 3.0}),
    "AVB": lambda: AVB(gaussian(), critic=Critic(("x", "z"), widths=(3,)), critic_steps=2),
    "ASVAE": lambda: ASVAE(gaussian(), critic_codes=Critic(("x", "z")), reconstruction=0.5),
    "SVAE": lambda: SVAE(gaussian(), critic_steps=3, seed=5),
    "WAE": lambda: WAE(gaussian(), penalty="gan", pretraining_steps=1),
    "FGAN": lambda: FGAN(gaussian(), divergence="pearson", gradient_penalty=1.0),
}


def registered():
    """Returns {name: class} of all that the library enters in Keras's registry."""
    objects = keras.saving.get_custom_objects()
    return {
        key.split(">")[1]: kind for key, kind in objects.items() if key.startswith("keras_symvae>")
    }


def test_the_table_holds_every_public_class():
    assert MADE.keys() == registered().keys()
    for name, make in MADE.items():
        assert type(make()) is registered()[name]


@pytest.mark.parametrize("name", MADE)
def test_a_configuration_is_plain_and_makes_the_object_again(name):
    original = MADE[name]()
    config = original.get_config()
    told = json.loads(json.dumps(config))  # plain values alone: nothing is lost in a file
    twin = type(original).from_config(told)
    assert type(twin) is type(original)
    assert json.dumps(twin.get_config()) == json.dumps(config)
    through_keras = keras.saving.deserialize_keras_object(
        json.loads(json.dumps(keras.saving.serialize_keras_object(original)))
    )
    assert json.dumps(through_keras.get_config()) == json.dumps(config)


@pytest.mark.parametrize("name", [n for n in MADE if issubclass(registered()[n], Configured)])
def test_a_configuration_names_every_argument_that_a_user_may_give(name):
    kind = registered()[name]
    own = inspect.signature(kind.__init__).parameters.values()
    visible = {
        each.name for each in own if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    }
    config = MADE[name]().get_config()
    config.pop("frozen", None)  # which `from_config` sees to
    assert visible - {"self"} <= config.keys()
    assert "name" in config or not issubclass(kind, keras.Layer)
    assert not config.keys() & set(kind.given_by_subclasses)
    kind(**keras.saving.deserialize_keras_object(config))  # nothing that the constructor refuses


class Root(Configured):
    def __init__(self, first, *, second=2):
        self.first, self.second = first, second


class Middle(Root):
    def __init__(self, *, own=3, **kwargs):
        super().__init__(**kwargs)
        self.own = own


class Silent(Middle):
    """Takes what its parents take."""


class Leaf(Silent):
    kept = {"hidden": lambda leaf: leaf.elsewhere}

    def __init__(self, *, hidden, **kwargs):
        super().__init__(**kwargs)
        self.elsewhere = hidden


class Closed(Middle):
    def __init__(self, *, only=1):
        super().__init__(first=1)
        self.only = only


class Given(Leaf):
    given_by_subclasses = ("own",)

    def __init__(self, **kwargs):
        super().__init__(own=7, **kwargs)


def test_arguments_are_those_of_all_parents_that_receive_them():
    assert arguments(Root) == ["first", "second"]
    assert arguments(Middle) == arguments(Silent) == ["own", "first", "second"]
    assert arguments(Leaf) == ["hidden", "own", "first", "second"]
    assert arguments(Closed) == ["only"]  # it hands nothing on
    assert arguments(Factor)[0] == "name" and arguments(Factor).count("name") == 1
    assert "name" in arguments(ELBO) and "kwargs" not in arguments(ELBO)
    assert "self" not in arguments(ELBO)


def test_what_is_kept_elsewhere_is_found_and_what_subclasses_give_is_left_out():
    leaf = Leaf(hidden=5, first=1)
    assert leaf.get_config() == {"hidden": 5, "own": 3, "first": 1, "second": 2}
    assert Leaf.from_config(leaf.get_config()).elsewhere == 5
    given = Given(hidden=5, first=1)
    assert given.get_config() == {"hidden": 5, "first": 1, "second": 2}
    assert Given.from_config(given.get_config()).own == 7


def test_an_argument_that_is_kept_nowhere_is_named():
    class Forgetful(Root):
        def __init__(self, *, lost, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(AttributeError, match="lost"):
        Forgetful(lost=1, first=1).get_config()


def test_plain_values_stay_and_others_are_as_keras_writes_them():
    plain = {"a": [1, 2.5, None], "b": ("x", True), "c": {"d": "e"}}
    assert Root(plain).get_config()["first"] is plain
    mixed = Root([families.Normal(2), 3], second=np.float32(0.5))
    told = json.loads(json.dumps(mixed.get_config()))
    twin = Root.from_config(told)
    assert twin.first == [families.Normal(2), 3] and twin.second == 0.5


def test_a_configuration_can_be_used_twice():
    for name in ("ArraySource", "Factor", "Player", "ELBO"):
        config = MADE[name]().get_config()
        before = json.dumps(config)
        registered()[name].from_config(config)
        assert json.dumps(config) == before, name
