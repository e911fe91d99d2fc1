"""Tests of batches: every epoch is a permutation, and a step is a function of its number."""

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import Batches, seeds
from keras_symvae.data.batches import Mixture
from keras_symvae.data.feed import batches

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
NUMBERS = {"x": np.arange(10, dtype="float32"), "y": np.arange(10, dtype="int32") * 2}


def epoch(batches, index):
    """Returns the x of one epoch, in order."""
    first = index * batches.steps_per_epoch
    steps = range(first, first + batches.steps_per_epoch)
    return np.concatenate([batches.at(step)["x"] for step in steps])


@pytest.mark.parametrize("batch_size", [1, 2, 5, 10])
def test_every_epoch_is_another_permutation(batch_size):
    batches = Batches(NUMBERS, batch_size=batch_size)
    epochs = [epoch(batches, index) for index in range(4)]
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), NUMBERS["x"])
    assert len({tuple(order) for order in epochs}) == 4


def test_rows_stay_together():
    batch = Batches(NUMBERS, batch_size=4).at(7)
    np.testing.assert_array_equal(batch["y"], 2 * batch["x"].numpy().astype(int))
    assert batch["y"].dtype == tf.int32


def test_a_rest_waits_for_another_epoch():
    batches = Batches(NUMBERS, batch_size=4)
    assert batches.steps_per_epoch == 2
    epochs = [epoch(batches, index) for index in range(12)]
    assert all(len(np.unique(order)) == 8 for order in epochs)
    assert set(np.concatenate(epochs)) == set(NUMBERS["x"])


def test_the_dataset_is_the_function_from_any_start():
    batches = Batches(NUMBERS, batch_size=3, seed=5)
    for start in (0, 4):
        for step, batch in zip(range(start, start + 7), batches.dataset(start=start), strict=False):
            np.testing.assert_array_equal(batch["x"], batches.at(step)["x"])


def test_seeds_order_differently():
    orders = {tuple(epoch(Batches(NUMBERS, batch_size=5, seed=seed), 0)) for seed in range(5)}
    assert len(orders) == 5


def test_orders_are_fair():
    """Every example comes first equally often."""
    size, rounds = 4, 800
    batches = Batches({"x": np.arange(size)}, batch_size=1)

    @tf.function
    def first():
        steps = tf.range(rounds) * size
        return tf.map_fn(lambda step: batches.at(step)["x"][0], steps, fn_output_signature=tf.int64)

    counts = np.bincount(first(), minlength=size)
    assert np.all(np.abs(counts - rounds / size) < 5 * np.sqrt(rounds / size))


def test_transforms_are_functions_of_seed_and_step():
    def jitter(values, seed):
        return {"x": values["x"] + tf.random.stateless_uniform([5], seed)}

    def noise(batches, step):
        """The jitter alone, since the numbers themselves are whole."""
        return batches.at(step)["x"].numpy() % 1.0

    batches = Batches(NUMBERS, batch_size=5, seed=1, transform=jitter)
    np.testing.assert_array_equal(noise(batches, 3), noise(batches, 3))
    assert np.any(noise(batches, 3) != noise(batches, 4))
    other = Batches(NUMBERS, batch_size=5, seed=2, transform=jitter)
    assert np.any(noise(batches, 3) != noise(other, 3))
    for step, batch in zip(range(3), batches.dataset(), strict=False):
        np.testing.assert_array_equal(batch["x"], batches.at(step)["x"])


def test_at_most_all_examples_fill_a_batch():
    batches = Batches(NUMBERS, batch_size=64)
    assert batches.batch_size == 10 and batches.steps_per_epoch == 1


@pytest.mark.parametrize(
    ("values", "batch_size", "match"),
    [
        ({"x": np.zeros(3), "y": np.zeros(2)}, 1, "one length above 0.*'x': 3, 'y': 2"),
        ({"x": np.zeros(0)}, 1, "one length above 0"),
        ({}, 1, "one length above 0"),
        ({"x": np.zeros(3)}, 0, "batch_size is a positive integer; received 0"),
    ],
)
def test_wrong_arguments_are_refused(values, batch_size, match):
    with pytest.raises(ValueError, match=match):
        Batches(values, batch_size=batch_size)


def test_seeds_fold_every_number():
    root = seeds.make(1)
    folded = {
        tuple(seeds.fold(root, *data).numpy()) for data in [(0,), (1,), (0, 0), (0, 1), (1, 0)]
    }
    assert len(folded) == 5
    assert len({int(seeds.integer(seeds.fold(root, n))) for n in range(50)}) == 50


def test_a_mixture_puts_batches_below_each_other_and_marks_what_is_missing():
    labelled = Batches({"x": X[:5], "y": np.arange(5, dtype="int32")}, batch_size=2, seed=1)
    images = Batches({"x": X}, batch_size=4, seed=2)
    angles = Batches({"x": X, "a": X[:, 0]}, batch_size=3, seed=3)
    mixture = Mixture([labelled, images, angles])
    assert (mixture.batch_size, mixture.steps_per_epoch) == (9, angles.steps_per_epoch)
    batch = mixture.at(5)
    expected = np.concatenate([part.at(5)["x"] for part in (labelled, images, angles)])
    np.testing.assert_array_equal(batch["x"], expected)
    np.testing.assert_array_equal(batch["y"], [*labelled.at(5)["y"], *(7 * [-1])])
    assert np.isnan(batch["a"][:6]).all() and np.isfinite(batch["a"][6:]).all()
    streamed = next(iter(mixture.dataset(start=5).as_numpy_iterator()))
    np.testing.assert_array_equal(streamed["x"], batch["x"])


def test_members_of_a_team_have_batches_of_their_own():
    together = batches({"one": {"x": X}, "two": {"x": X[:6]}}, batch_size=3, seed=4)
    assert together.steps_per_epoch == len(X) // 3
    for member, size in (("one", len(X)), ("two", 6)):
        alone = Batches({"x": X[:size]}, batch_size=3, seed=4)
        np.testing.assert_array_equal(together.at(7)[member]["x"], alone.at(7)["x"])
