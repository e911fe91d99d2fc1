"""Tests of arguments: what is taken, and what is refused by its name."""

import fractions
import math
import re

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import arguments


@pytest.mark.parametrize("value", [1, 3, np.int64(3), np.uint8(3), 2**31 - 1])
def test_an_integer_is_one_of_python_afterwards(value):
    found = arguments.integer("steps", value, least=1)
    assert type(found) is int and found == value


@pytest.mark.parametrize(
    "value", [0, -1, 2.0, True, np.bool_(True), None, "2", np.array(2), [2], math.nan]
)
def test_what_is_no_positive_integer_is_refused(value):
    with pytest.raises(ValueError, match=r"^steps is a positive integer; received"):
        arguments.integer("steps", value, least=1)


def test_an_integer_that_no_graph_counts_with_is_refused():
    for value in (2**31, 10**400):
        with pytest.raises(ValueError, match=r"^steps is an integer below 2147483648; received"):
            arguments.integer("steps", value)
    assert arguments.integer("seed", -(2**63), most=2**63 - 1) == -(2**63)


@pytest.mark.parametrize("value", [0.1, 2, np.float32(0.5), fractions.Fraction(1, 2)])
def test_a_number_is_one_of_python_afterwards(value):
    found = arguments.number("step_size", value, above=0)
    assert type(found) in (int, float) and found == value


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan, 1e39, 10**400, True, "1", None])
def test_what_is_no_positive_number_is_refused(value):
    with pytest.raises(ValueError, match=r"^step_size is a positive number; received"):
        arguments.number("step_size", value, above=0)


def test_bounds_are_told():
    with pytest.raises(ValueError, match=r"^near is a share, from 0 to 1; received 1.5"):
        arguments.number("near", 1.5, least=0, most=1)
    with pytest.raises(ValueError, match=r"^weight is a number of at least 0; received -1"):
        arguments.number("weight", -1, least=0)
    with pytest.raises(ValueError, match=r"^draws is an integer of at least 2; received 1"):
        arguments.integer("draws", 1, least=2)
    with pytest.raises(ValueError, match=r"^order is one of up, down; received 'left'"):
        arguments.one_of("order", "left", ("up", "down"))


@pytest.mark.parametrize(
    "value", ["x" * 2000, 10**400, np.zeros((9, 9)), tf.zeros([2, 3]), [[1.5] * 50], "a\nb"]
)
def test_what_was_received_is_told_in_a_few_words(value):
    told = arguments.told(value)
    assert len(told) <= arguments.SHOWN and "\n" not in told
    assert not re.search(r"0\.|1\.5", told)


def test_lists_words_and_tables():
    assert arguments.sizes("filters", [np.int64(2), 3]) == (2, 3)
    assert arguments.words("given", "x") == ("x",) and arguments.words("given", ["x"]) == ("x",)
    assert arguments.table("weights", None) == {}
    refused = {
        "filters": lambda: arguments.sizes("filters", [2, 0]),
        "image_shape": lambda: arguments.sizes("image_shape", (2, 2), count=3),
        "given": lambda: arguments.words("given", ["x", 1]),
        "weights": lambda: arguments.table("weights", {1: 2.0}),
        "scales": lambda: arguments.positives("scales", [1.0, 0.0]),
        "name": lambda: arguments.label("a/b"),
        "activation": lambda: arguments.activation("activation", "nothing"),
        "maps": lambda: arguments.array("maps", ["a"]),
        "path": lambda: arguments.path("path", 3),
        "tilt": lambda: arguments.flag("tilt", 1),
        "pair": lambda: arguments.instance("pair", 1, dict),
    }
    for name, call in refused.items():
        with pytest.raises(ValueError, match=f"^{name} .*; received"):
            call()
