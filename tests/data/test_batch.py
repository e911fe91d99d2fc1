"""Tests of the batch: what nobody lacks costs nothing, and the rest is a mask per example."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import families
from keras_symvae.data.batch import (
    Batch,
    all_of,
    any_of,
    kinds,
    none_of,
    of_values,
    share,
    size_of,
)
from keras_symvae.data.variables import Variables

FAMILIES = {
    "x": families.Normal(2),
    "y": families.Categorical((), num_classes=3),
    "z": families.Bernoulli(2),
}
VARIABLES = Variables(FAMILIES, observed=("x",), latent=("y", "z"), read=("x",))
X = tf.constant([[1.0, 2.0], [np.nan, np.nan], [5.0, 6.0], [7.0, 8.0]])
Y = tf.constant([0, 2, -1, -1])
MASKS = {
    "all": True,
    "none": False,
    "left": tf.constant([True, True, False, False]),
    "odd": tf.constant([False, True, False, True]),
}


def rows(mask):
    """Returns a mask as bool [4]."""
    return np.broadcast_to(np.asarray(mask), (4,))


def test_what_no_example_may_lack_costs_the_graph_nothing():
    @tf.function
    def whole(x, y):
        batch = Batch.of(VARIABLES, {"x": x, "y": y})
        assert batch.whole and batch.known("x") is True and batch.known("y") is True
        return dict(batch)

    def operations(lacking):
        @tf.function
        def made(x, y):
            return dict(Batch.of(VARIABLES, {"x": x, "y": y}, lacking=lacking))

        return len(made.get_concrete_function(X, Y).graph.get_operations())

    found = whole(X, Y)
    np.testing.assert_array_equal(found["y"], Y)  # markers stay where nobody was asked to look
    assert operations(()) < operations(("y",)) < operations(("x", "y"))


def test_markers_become_masks_and_something_neutral():
    batch = Batch.of(VARIABLES, {"x": X, "y": Y}, lacking=("x", "y", "z"))
    assert not batch.whole and batch.keys() == {"x", "y"}
    np.testing.assert_array_equal(batch.known("x"), [True, False, True, True])
    np.testing.assert_array_equal(batch.known("y"), [True, True, False, False])
    assert batch.known("z") is False
    assert np.isfinite(batch["x"]).all()
    np.testing.assert_array_equal(batch["x"][0], X[0])
    np.testing.assert_array_equal(batch["y"][:2], Y[:2])
    for name, neutral in (("x", batch["x"][1]), ("y", batch["y"][2])):
        FAMILIES[name].check(name, np.asarray(neutral)[None])


def test_only_those_that_may_be_lacking_are_looked_at():
    batch = Batch.of(VARIABLES, {"x": X, "y": Y}, lacking=("y",))
    assert batch.known("x") is True and not batch.whole
    assert np.isnan(batch["x"][1]).all()


def test_the_one_variable_of_an_example_is_never_missing():
    batch = Batch.of(VARIABLES, {"x": X[:1]}, lacking=("x",))
    assert batch.whole and batch.known("x") is True


def test_a_batch_is_a_mapping_with_a_size():
    batch = Batch({"x": X, "y": Y}, known={"y": MASKS["left"]})
    assert list(batch) == ["x", "y"] and len(batch) == 2 and dict(batch).keys() == {"x", "y"}
    assert int(batch.size) == int(size_of(batch)) == 4
    assert of_values(batch) is batch
    assert of_values({"x": X}).whole and of_values({"x": X}).known("y") is False
    assert Batch({}, size=7).size == 7 and of_values(None, size=3).size == 3
    with pytest.raises(ValueError, match="needs to be told its size"):
        _ = Batch({}).size
    with pytest.raises(TypeError):
        batch["x"] = Y


def test_whole_is_said_of_names_that_are_there():
    assert Batch({"x": X}, known={"x": True, "y": False}).whole
    assert not Batch({"x": X}, known={"x": False}).whole
    # A tensor is unknown while a graph is traced, so that one of nothing but True is no "whole".
    assert not Batch({"x": X}, known={"x": tf.fill([4], True)}).whole


def test_where_keeps_what_some_example_knows():
    batch = Batch({"x": X, "y": Y}, known={"y": MASKS["left"]})
    part = batch.where({"y": MASKS["odd"], "z": True})
    assert list(part) == ["y"]
    assert part.known("y") is MASKS["odd"] and part.known("x") is False
    nothing = batch.where({"x": False})
    assert not nothing and int(nothing.size) == 4 and nothing.whole
    assert Batch({}, size=5).where({"x": True}).size == 5


def test_stopped_values_are_constants_with_the_same_masks():
    with tf.GradientTape() as tape:
        x = tf.ones([4, 2])
        tape.watch(x)
        stopped = Batch({"x": 2.0 * x}, known={"x": MASKS["odd"]}, size=4).stopped()
        total = tf.reduce_sum(stopped["x"])
    assert tape.gradient(total, x) is None and float(total) == 16.0
    assert stopped.known("x") is MASKS["odd"]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_masks_are_joined_as_sets_are(count):
    for names in itertools.product(MASKS, repeat=count):
        masks = [MASKS[name] for name in names]
        table = np.array([rows(mask) for mask in masks]).reshape(count, 4)
        np.testing.assert_array_equal(rows(all_of(masks)), table.all(axis=0), err_msg=str(names))
        np.testing.assert_array_equal(rows(any_of(masks)), table.any(axis=0), err_msg=str(names))
        np.testing.assert_array_equal(rows(none_of(masks)), ~table.any(axis=0), err_msg=str(names))


def test_masks_are_decided_before_the_graph_where_they_can_be():
    left, odd = MASKS["left"], MASKS["odd"]
    assert all_of([]) is True and any_of([]) is False and none_of([]) is True
    assert all_of([left, False]) is False and any_of([left, True]) is True
    assert none_of([left, True]) is False
    assert all_of([True, left]) is left and any_of([False, left, False]) is left
    assert all_of(iter([True, True])) is True and any_of(iter([False])) is False
    assert isinstance(all_of([left, odd]), tf.Tensor)


KINDS = {  # {what is known of x, y, z: the kinds of the examples}
    (True, False, False): {"paired": False, "observed": True, "latent": False},
    (True, True, False): {"paired": True, "observed": False, "latent": False},
    (True, True, True): {"paired": True, "observed": False, "latent": False},
    (False, True, False): {"paired": False, "observed": False, "latent": True},
    (False, False, True): {"paired": False, "observed": False, "latent": True},
    (False, False, False): {"paired": False, "observed": False, "latent": False},
}


@pytest.mark.parametrize(("known", "expected"), KINDS.items())
def test_kinds_of_a_whole_batch_are_known_before_the_graph(known, expected):
    values = {"x": X, "y": Y, "z": tf.zeros([4, 2])}
    held = {name: value for (name, value), has in zip(values.items(), known, strict=True) if has}
    found = kinds(VARIABLES, Batch(held, size=4))
    assert found == expected and all(isinstance(mask, bool) for mask in found.values())


def test_every_example_is_of_the_kind_of_what_it_knows():
    every = [has for has in KINDS if any(has)]
    columns = dict(zip(("x", "y", "z"), map(tf.constant, zip(*every, strict=True)), strict=True))
    count = len(every)
    values = {"x": tf.zeros([count, 2]), "y": tf.zeros([count], tf.int32)}
    values["z"] = tf.zeros([count, 2])
    found = kinds(VARIABLES, Batch(values, known=columns))
    for kind, mask in found.items():
        np.testing.assert_array_equal(mask, [KINDS[has][kind] for has in every], err_msg=kind)


def test_shares_turn_the_mean_of_a_batch_into_the_mean_of_its_part():
    scores = tf.constant([1.0, 2.0, 4.0, 8.0])
    for name, mask in MASKS.items():
        chosen = scores.numpy()[rows(mask)]
        expected = chosen.mean() if len(chosen) else 0.0
        found = tf.reduce_mean(share(mask) * scores)
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=name)
    assert share(True) == 1.0 and isinstance(share(True), float)
    assert share(False) == 0.0 and isinstance(share(False), float)
    np.testing.assert_array_equal(share(tf.fill([4], False)), np.zeros(4))  # no division by 0
