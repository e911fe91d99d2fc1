"""Tests of the feed: order, split and gaps of what `fit` takes, decided before the first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import Batches, families, seeds
from keras_symvae.data import feed
from keras_symvae.data.batches import Draws, Minibatches, Mixture, Together
from keras_symvae.data.gate import Gate
from keras_symvae.data.sources import ArraySource
from keras_symvae.data.variables import Variables, unwrapped

FAMILIES = {"x": families.Normal(1), "y": families.Categorical((), num_classes=9)}
NUMBERS = np.arange(10, dtype="float32")[:, None]
LABELS = np.arange(10, dtype="int32") % 9


class Model:
    """What a gate knows of a pair with a label y, or of a team of such pairs."""

    schema = Variables(FAMILIES, observed=("x",), latent=("y",), read=("x",))

    def named(self, data):
        data = unwrapped(data)
        if isinstance(data, dict) and not data.keys() <= FAMILIES.keys():
            return {member: self.schema.named(part) for member, part in data.items()}
        return self.schema.named(data)

    def schemas(self, named):
        if named.keys() <= FAMILIES.keys():
            return [(self.schema, named)]
        return [(self.schema, part) for part in named.values()]


def checked(data, *, full=True):
    """Returns data as they are: what a pair would check is not the point here."""
    del full
    return data


def gate(check=checked):
    return Gate(Model(), check=check, may_lack=("x", "y"))


def of(data, **options):
    defaults = {
        "gate": gate(),
        "families": FAMILIES,
        "batch_size": 5,
        "seed": 0,
        "start": 0,
        "steps_per_epoch": None,
        "shuffle": None,
        "validation_split": 0.0,
    }
    return feed.of(data, **{**defaults, **options})


def seen(found, *, epochs=1):
    """Returns the x of each epoch [epochs, N]."""
    steps = found.steps_per_epoch * epochs
    batches = [batch["x"][:, 0] for batch in found.data.take(steps).as_numpy_iterator()]
    return np.concatenate(batches).reshape(epochs, -1)


def test_without_shuffling_every_epoch_has_the_order_of_the_arrays():
    found = of({"x": NUMBERS}, shuffle=False)
    np.testing.assert_array_equal(seen(found, epochs=3), np.tile(NUMBERS[:, 0], (3, 1)))
    assert found.endless and found.steps_per_epoch == 2
    # A run that goes on begins where the order was left.
    later = of({"x": NUMBERS}, shuffle=False, start=3)
    np.testing.assert_array_equal(next(iter(later.data))["x"][:, 0], NUMBERS[5:, 0])


@pytest.mark.parametrize("shuffle", [None, True])
def test_arrays_are_shuffled_anew_in_every_epoch(shuffle):
    epochs = seen(of({"x": NUMBERS}, shuffle=shuffle), epochs=3)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(NUMBERS[:, 0], (3, 1)))
    assert len({tuple(order) for order in epochs}) == 3


class Watched(keras.Model):
    """Keras's own `fit`, which notes the numbers that it trained and was judged with."""

    def __init__(self):
        super().__init__()
        self.trained, self.judged = [], []

    def call(self, x):
        return x

    def train_step(self, data):
        self.trained += [float(number) for number in tf.reshape(data[0], [-1])]
        return {"loss": tf.zeros([])}

    def test_step(self, data):
        self.judged += [float(number) for number in tf.reshape(data[0], [-1])]
        return {"loss": tf.zeros([])}


@pytest.mark.parametrize("share", [0.2, 0.25, 0.5, 0.8])
def test_the_split_is_that_of_keras(share):
    """Keras takes the last examples before any shuffling; whoever changes over keeps the split."""
    model = Watched()
    model.compile("sgd", run_eagerly=True)
    model.fit(NUMBERS, validation_split=share, batch_size=1, verbose=0)
    found = of({"x": NUMBERS, "y": LABELS}, validation_split=share, batch_size=1)
    np.testing.assert_array_equal(found.held_out["x"][:, 0], model.judged)
    np.testing.assert_array_equal(found.held_out["y"], LABELS[-len(model.judged) :])
    np.testing.assert_array_equal(np.sort(seen(found)[0]), np.sort(model.trained))
    assert found.steps_per_epoch == len(model.trained)


def test_members_of_a_team_are_split_alike():
    data = {"one": {"x": NUMBERS}, "two": {"x": NUMBERS[:4], "y": LABELS[:4]}}
    found = of(data, validation_split=0.5, batch_size=2)
    np.testing.assert_array_equal(found.held_out["one"]["x"], NUMBERS[5:])
    np.testing.assert_array_equal(found.held_out["two"]["y"], LABELS[2:4])


def test_what_was_held_out_does_not_count_as_lacking():
    """A step is made for the examples that it meets."""
    labels = np.where(np.arange(10) < 8, LABELS, -1)
    whole = {"x": NUMBERS, "y": labels}
    assert of(whole).lacking == {"y"}
    assert of(whole, validation_split=0.2).lacking == frozenset()


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5])
def test_a_share_is_below_one(share):
    with pytest.raises(ValueError, match=rf"from 0 to below 1; got {share}"):
        of({"x": NUMBERS}, validation_split=share)


def test_a_split_needs_examples_on_both_sides():
    with pytest.raises(ValueError, match=r"validation_split=0\.5 of 1 examples leaves none"):
        of({"x": NUMBERS[:1]}, validation_split=0.5)
    with pytest.raises(ValueError, match=r"validation_split=0\.99 of 10 examples leaves none"):
        of({"x": NUMBERS}, validation_split=0.99)


DECIDED = {  # {name of the type: data that decide order and division on their own}
    "Batches": lambda: Batches({"x": NUMBERS}, batch_size=5),
    "Mixture": lambda: Mixture([Batches({"x": NUMBERS}, batch_size=5)]),
    "Together": lambda: Together({"one": Batches({"x": NUMBERS}, batch_size=5)}),
    "Draws": lambda: Draws(ArraySource({"x": NUMBERS}), batch_size=5),
    "ArraySource": lambda: ArraySource({"x": NUMBERS}),
    "_BatchDataset": lambda: tf.data.Dataset.from_tensor_slices(NUMBERS).batch(5),
    "generator": lambda: (NUMBERS for _ in range(2)),
}


@pytest.mark.parametrize("kind", DECIDED)
def test_order_and_split_are_refused_where_data_decide(kind):
    options = {"steps_per_epoch": 2}
    with pytest.raises(ValueError, match=rf"data are {kind}; give validation_data"):
        of(DECIDED[kind](), validation_split=0.5, **options)
    with pytest.raises(ValueError, match=rf"shuffle=True is about arrays; the data are {kind},"):
        of(DECIDED[kind](), shuffle=True, **options)
    assert of(DECIDED[kind](), **options).steps_per_epoch == 2


@pytest.mark.parametrize("kind", ["Batches", "Mixture", "Together", "Draws", "ArraySource"])
def test_the_order_of_minibatches_is_not_switched_off_from_outside(kind):
    with pytest.raises(ValueError, match=rf"shuffle=False is about arrays; the data are {kind},"):
        of(DECIDED[kind](), shuffle=False, steps_per_epoch=2)


@pytest.mark.parametrize("kind", ["_BatchDataset", "generator"])
def test_a_dataset_has_its_own_order_anyway(kind):
    found = of(DECIDED[kind](), shuffle=False)
    assert not found.endless and found.lacking is None


def test_a_source_is_told_its_steps():
    with pytest.raises(ValueError, match="no end; say how many steps_per_epoch"):
        of(ArraySource({"x": NUMBERS}))
    assert of(ArraySource({"x": NUMBERS}), steps_per_epoch=3).endless


def test_a_first_batch_is_checked_before_training():
    asked = []

    def check(data, *, full=True):
        asked.append((full, sorted(data), {name: type(value) for name, value in data.items()}))
        return data

    of({"x": NUMBERS}, gate=gate(check))
    assert asked == [(full, ["x"], {"x": np.ndarray}) for full in (True, False)]
    asked.clear()
    of(Batches({"x": NUMBERS}, batch_size=5), gate=gate(check))
    assert [full for full, *_ in asked] == [False]


def test_arrays_are_told_from_what_brings_its_own_batches():
    for data in (
        NUMBERS,
        (NUMBERS, None),
        {"x": tf.constant(NUMBERS)},
        {"one": {"x": NUMBERS}},
        [1.0, 2.0],
        {"x": NUMBERS, "y": [1, 2]},
        (NUMBERS, ["a", "b"]),
    ):
        assert feed.holds_arrays(data)
    for data in (None, "x", object(), *(make() for make in DECIDED.values())):
        assert not feed.holds_arrays(data)
    assert not feed.holds_arrays((DECIDED["_BatchDataset"](), LABELS))


MISSING = np.where(NUMBERS > 7, np.nan, NUMBERS)
UNKNOWN = np.where(LABELS > 3, -1, LABELS)


def batches(**values):
    return Batches(values, batch_size=2)


def source():
    return Draws(ArraySource({"x": NUMBERS, "y": LABELS}), batch_size=2)


LACKING = {
    "whole": (lambda: batches(x=NUMBERS, y=LABELS), set()),
    "labels": (lambda: batches(x=NUMBERS, y=UNKNOWN), {"y"}),
    "both": (lambda: batches(x=MISSING, y=UNKNOWN), {"x", "y"}),
    "one last example": (lambda: batches(x=MISSING[:9]), {"x"}),
    "a draw": (source, None),
    "a mixture of whole parts": (
        lambda: Mixture([batches(x=NUMBERS, y=LABELS), batches(x=NUMBERS, y=LABELS)]),
        set(),
    ),
    "a part without labels": (
        lambda: Mixture([batches(x=NUMBERS, y=LABELS), batches(x=NUMBERS)]),
        {"y"},
    ),
    "a part with gaps": (
        lambda: Mixture([batches(x=NUMBERS, y=UNKNOWN), batches(x=MISSING, y=LABELS)]),
        {"x", "y"},
    ),
    "members": (
        lambda: Together({"one": batches(x=NUMBERS), "two": batches(x=NUMBERS, y=UNKNOWN)}),
        {"y"},
    ),
    "whole members": (
        lambda: Together({"one": batches(x=NUMBERS), "two": batches(x=NUMBERS, y=LABELS)}),
        set(),
    ),
    "a member that is drawn": (
        lambda: Together({"one": batches(x=MISSING), "two": source()}),
        None,
    ),
}


@pytest.mark.parametrize(("make", "expected"), LACKING.values(), ids=LACKING)
def test_minibatches_say_what_some_example_lacks(make, expected):
    found = make()
    assert found.lacking(FAMILIES) == expected
    steps = {"steps_per_epoch": 2}
    assert of(found, **steps).lacking == expected


def test_the_table_holds_every_kind_of_minibatches():
    kinds = {type(make()) for make, _ in LACKING.values()}
    assert kinds == set(Minibatches.__subclasses__())


def test_nobody_knows_what_a_transform_takes_away():
    """Batches look at their arrays; a transform may put markers into a batch that had none."""

    def forget(values, seed):
        dropped = tf.random.stateless_uniform(tf.shape(values["y"]), seed) < 0.5
        return values | {"y": tf.where(dropped, -1, values["y"])}

    found = Batches({"x": NUMBERS, "y": LABELS}, batch_size=10, transform=forget)
    assert (found.at(0)["y"].numpy() == -1).any()
    assert found.lacking(FAMILIES) is None
    assert Mixture([found, batches(x=NUMBERS, y=LABELS)]).lacking(FAMILIES) is None
    forget.keeps_known = True  # a promise is believed
    assert found.lacking(FAMILIES) == frozenset()


def test_batches_of_draws_are_functions_of_seed_and_step():
    draws = source()
    root = seeds.fold(seeds.make(0), seeds.DATA)
    expected = draws.source.sample(2, seed=seeds.fold(root, 4))
    np.testing.assert_array_equal(draws.at(4)["x"], expected["x"])
