"""Tests of the shape contracts: what fits, what is refused in which words, and that they are on."""

import os
import runpy

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import shapes
from keras_symvae.families import Family
from keras_symvae.shapes import ShapeError, shaped


class Ruler:
    """Something with a shape."""

    shape, size = (3,), 3

    @shaped(checked=True, eta="[B, ...]", value="[B, *self.shape]", returns="[B]")
    def log_prob(self, eta, value):
        return tf.reduce_sum(eta, axis=1) + tf.reduce_sum(value, axis=1)

    @shaped(checked=True, value="[B, self.size, 2]")
    def measure(self, *, value=None):
        return value


@shaped(checked=True, values="{name: [B, ...]}", returns="({name: [B]}, [B, n, n])")
def walk(values, *, rows=None, sides=(2, 2)):
    x = next(iter(values.values()))
    return {"x": x[:rows, 0]}, tf.zeros([x.shape[0] or 1, *sides])


@shaped(checked=True, value="[B, 3] | [B, 3, K]", other="[B, ..., K]")
def either(value, other=None):
    return value


def refused(match, function, *args, **kwargs):
    with pytest.raises(ShapeError, match=match):
        function(*args, **kwargs)


def test_what_fits_is_returned_unchanged():
    ruler, a = Ruler(), tf.ones([4, 3])
    np.testing.assert_array_equal(ruler.log_prob(a, a), np.full(4, 6.0))
    assert ruler.measure() is None
    assert walk({"x": np.ones((4, 3)), "y": tf.ones([4])})[1].shape == (4, 2, 2)
    code = np.zeros((4, 3, 5))
    assert either(code, np.zeros((4, 2, 2, 5))) is code
    assert ruler.log_prob(a, [[1.0, 2.0, 3.0]] * 4).shape == (4,)  # lists of numbers are arrays


def test_a_refusal_names_function_argument_expectation_and_what_came():
    ruler, a = Ruler(), tf.ones([4, 3])
    words = r"Ruler\.log_prob: value has shape \[5, 3\], expected \[B, \*self\.shape\] with "
    refused(words + r".*B = 4 \(from eta\)", ruler.log_prob, a, tf.ones([5, 3]))
    refused(r"self\.shape = \(3,\)", ruler.log_prob, a, tf.ones([4, 2]))
    refused(r"eta\[1\] has shape \[5, 3\]", ruler.log_prob, (a, tf.ones([5, 3])), a)
    refused(
        r"measure: value has shape \[2, 4, 2\].*self\.size = 3",
        ruler.measure,
        value=[[[0] * 2] * 4] * 2,
    )
    refused(
        r"walk: values\['y'\] has shape \[3\].*B = 4 \(from values\['x'\]\)",
        walk,
        {"x": a, "y": a[:3, 0]},
    )
    refused(r"values has shape \[4, 3\], expected \{name: ", walk, a)
    refused(r"returns\[0\]\['x'\] has shape \[2\]", walk, {"x": a}, rows=2)
    refused(r"returns\[1\] has shape \[4, 2, 3\].*n = 2", walk, {"x": a}, sides=(2, 3))
    refused(
        r"either: value has shape \[4\], expected \[B, 3\] \| \[B, 3, K\]\.", either, np.zeros(4)
    )
    refused(r"other has shape \[4, 6\].*K = 5", either, np.zeros((4, 3, 5)), np.zeros((4, 6)))
    refused("value has a dict of", either, {"x": a})


def test_traces_are_checked_with_unknown_axes_and_errors_stay_readable():
    ruler = Ruler()

    @tf.function
    def total(eta, value):
        if tf.reduce_sum(eta) > 0.0:  # AutoGraph still converts what calls and is called
            return ruler.log_prob(eta, value)
        return ruler.log_prob(eta, -value)

    unknown = tf.TensorSpec([None, 3])
    graph = total.get_concrete_function(unknown, unknown)
    np.testing.assert_array_equal(graph(tf.ones([2, 3]), tf.ones([2, 3])), [6.0, 6.0])
    with pytest.raises(ShapeError, match=r"log_prob: value has shape \[None, 4\]") as caught:
        total.get_concrete_function(unknown, tf.TensorSpec([None, 4]))
    assert "total" in str(caught.value)
    total.get_concrete_function(tf.TensorSpec(None), tf.TensorSpec(None))


def test_autograph_converts_what_is_decorated():
    @shaped(checked=True, value="[B]", returns="[B]")
    def doubled(value):
        if tf.reduce_sum(value) > 0.0:
            value = 2.0 * value
        return value

    np.testing.assert_array_equal(tf.function(doubled)(tf.ones([3])), [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(tf.function(doubled)(-tf.ones([3])), [-1.0, -1.0, -1.0])


def test_a_contract_that_nobody_can_read_is_refused():
    with pytest.raises(TypeError, match="no parameters"):
        shaped(checked=True, valeu="[B]")(lambda value: value)
    with pytest.raises(TypeError, match="Cannot read the contract 'B'"):
        shaped(checked=True, value="B")(lambda value: value)(1)
    for axes in ("[-1]", "[*(1, 2)]"):
        with pytest.raises(TypeError, match="Cannot read"):
            shaped(checked=True, value=axes)(lambda value: value)(np.zeros(2))


def test_a_wrong_call_is_refused_by_python_itself():
    with pytest.raises(TypeError, match="unexpected keyword argument 'lenght'"):
        walk({}, lenght=2)


def test_contracts_cost_nothing_unless_switched_on(monkeypatch):
    assert shapes.CHECKED and os.environ[shapes.SWITCH] == "1"  # conftest.py

    def function(value):
        return value

    assert shaped(checked=False, value="[B]")(function) is function
    assert hasattr(Family.log_prob, "__wrapped__")
    for switch in ("0", "1"):
        monkeypatch.setenv(shapes.SWITCH, switch)
        again = runpy.run_path(shapes.__file__)
        assert (again["shaped"](value="[B]")(function) is function) == (switch == "0")
    monkeypatch.delenv(shapes.SWITCH)
    assert not runpy.run_path(shapes.__file__)["CHECKED"]
