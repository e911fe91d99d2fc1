"""Tests of the split of a set in one part into training and test examples."""

import numpy as np
import pytest

from zoo import datasets
from zoo.datasets import label_maps
from zoo.datasets.splits import choose

SIZE = 1000
NUMBERS = np.arange(SIZE)
CLASSES = np.repeat(np.arange(10), 100)  # sorted, as many sets come


def split(target, part="test", *, name="set", rule="stratified", share=0.1):
    """Returns the chosen numbers and their targets."""
    parts = {"train": (NUMBERS, target)}
    return choose(parts, part, name=name, where=name, share=share, split_rule=rule)


@pytest.mark.parametrize("rule", datasets.SPLIT_RULES)
@pytest.mark.parametrize("target", [None, CLASSES])
def test_train_and_test_are_all_examples_and_share_none(rule, target):
    (train, y_train), (test, y_test) = (
        split(target, part, rule=rule) for part in datasets.SPLITS[:2]
    )
    assert len(test) == 100
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), NUMBERS)
    if target is not None:
        np.testing.assert_array_equal(y_train, target[train])
        np.testing.assert_array_equal(y_test, target[test])


def test_the_test_split_is_fixed_and_another_one_for_every_name():
    test, _ = split(None)
    np.testing.assert_array_equal(split(None)[0], test)
    assert list(test[:5]) == [0, 23, 41, 42, 44]
    common = np.intersect1d(test, split(None, name="other")[0])
    assert len(common) < 30  # 10 are expected by chance


@pytest.mark.parametrize("seed", range(3))
def test_a_set_that_its_owner_shuffled_keeps_all_classes_in_both_splits(seed):
    """By the rule of version 0.1.0 a set shuffled with seed 0 has a test split of one class."""
    y = CLASSES[np.random.RandomState(seed).permutation(SIZE)]
    for part, count in (("test", 10), ("train", 90)):
        np.testing.assert_array_equal(np.bincount(split(y, part)[1]), np.full(10, count))
    shuffled = np.bincount(split(y, rule="shuffled")[1], minlength=10)
    assert (shuffled.max() == 100) == (seed == 0)


@pytest.mark.parametrize("share", [0.013, 0.1, 0.37])
def test_every_class_has_its_share_to_within_one_example(share):
    y = np.repeat([0, 1, 2, 3], [1, 9, 290, 700])
    counts = np.bincount(split(y, share=share)[1], minlength=4)
    assert np.all(np.abs(counts - share * np.bincount(y)) <= 1)
    assert counts.sum() == np.ceil(share * SIZE)


def test_images_with_maps_are_in_both_splits_where_maps_are_few():
    s = np.full((SIZE, 2, 2), -1)
    s[::50, 0] = 1  # 20 of them, each without labels in its lower half
    assert (split(s)[1] >= 0).any(axis=(1, 2)).sum() == 2


def test_runs_of_version_0_1_0_keep_their_split(tmp_path):
    """What they wrote: all examples whose rank in one fixed permutation is low are for testing."""
    rank = np.random.RandomState(0).permutation(SIZE)
    np.testing.assert_array_equal(split(CLASSES, rule="shuffled")[0], NUMBERS[rank < 100])
    x = np.zeros((40, 2, 2), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None]
    y, s = np.arange(40) % 4, np.zeros((40, 2, 2), int)
    np.savez(tmp_path / "images.npz", x=x, y=y)
    np.savez(tmp_path / "maps.npz", x=x, s=s)
    expected = np.flatnonzero(np.random.RandomState(0).permutation(40) < 4)
    for load, data in (
        (datasets.load, tmp_path / "images.npz"),
        (label_maps.load, tmp_path / "maps.npz"),
        (label_maps.load, f"silhouettes:{tmp_path / 'images.npz'}"),
    ):
        old, new = (
            load(data, split="test", split_rule=rule) for rule in ("shuffled", "stratified")
        )
        np.testing.assert_array_equal(np.rint(255 * old.x[:, 0, 0, 0]), expected)
        assert not np.array_equal(new.x, old.x)
        np.testing.assert_array_equal(load(data, split="test").x, new.x)
