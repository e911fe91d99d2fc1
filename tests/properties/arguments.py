"""Odd arguments: what somebody may give in place of a number, a name or an object."""

import decimal
import math
import pathlib

import keras
import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from keras_symvae import families

NUMBERS = [0, -1, 1, 2, 3, 0.0, 0.5, 1.0, 2.5, -0.5, 1e-30, 1e308, math.nan, math.inf, -math.inf]
HUGE = [2**31, 2**40, 2**63, -(2**63) - 1, 10**30, 10**400, -(10**400)]
TYPED = [
    np.int64(2),
    np.int8(-1),
    np.uint8(3),
    np.float32(0.5),
    np.float64("nan"),
    np.bool_(True),
    np.array(2),
    np.array(0.5),
    tf.constant(2),
    tf.constant(0.5),
    decimal.Decimal("0.5"),
    True,
    False,
    1j,
]
TEXTS = ["", "x", "y", "z0", "mean", "auto", "adam", "naïve", "1", "x" * 2000, b"x", "a\nb", "../x"]
NESTS = [
    (),
    [],
    {},
    (2,),
    [1, 2],
    (2, 2, 1),
    (0,),
    (2, -1),
    (2, None, 1),
    [None],
    ["x"],
    ("x", "z0"),
    [[1, 2], [3]],
    {"x": 1},
    {"x": None},
    {1: 2},
    {"decoder": "adam", "encoder": "sgd"},
    {"nobody": 1.0},
    range(3),
    frozenset({"x"}),
]
ARRAYS = [
    np.zeros(0),
    np.zeros(3),
    np.zeros((2, 3)),
    np.arange(4),
    np.array(["a", "b"]),
    np.array([None, 1], object),
    np.zeros((2, 3, 3, 1), "float32"),
    np.full((2, 3), np.nan),
    tf.zeros([2, 3]),
    tf.constant(["a"]),
    tf.ragged.constant([[1, 2], [3]]),
]
OBJECTS = [
    None,
    ...,
    object(),
    int,
    len,
    lambda *args, **kwargs: None,
    slice(2),
    pathlib.Path("x"),
    families.Normal(2),
    keras.layers.Dense(2),
    np.datetime64("2026-01-01"),
    tf.float32,
]

INTEGERS = st.sampled_from([*NUMBERS, *TYPED, *HUGE, "2", None])
REALS = st.sampled_from([*NUMBERS, *TYPED, *HUGE, "0.5", None])
ANYTHING = st.one_of(
    *map(st.sampled_from, (NUMBERS, TYPED, HUGE, TEXTS, NESTS, ARRAYS, OBJECTS)),
    st.builds(lambda: iter([1])),
)
SEEDS = st.sampled_from([0, 1, 7, -3, np.int64(5), 2**31 - 1])
