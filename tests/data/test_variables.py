"""Tests of variables: data by their names, whatever form a user or Keras gives them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import families
from keras_symvae.data.variables import Variables, joined, unwrapped

FAMILIES = {
    "x": families.Normal(3),
    "s": families.Bernoulli(2),
    "y": families.Categorical((), num_classes=4),
    "z": families.Normal(2),
}
VARIABLES = Variables(FAMILIES, observed=("x",), latent=("y", "z"), context=("s",), read=("x", "s"))
X, S, Y = np.zeros((5, 3)), np.ones((5, 2), int), np.arange(5) % 4

FORMS = {
    "an array": (X, {"x": X}),
    "a tuple of one": ((X,), {"x": X}),
    "what Keras hands over": ((X, None, None), {"x": X}),
    "a list of one": ([X], {"x": X}),
    "observed, context": ((X, S), {"x": X, "s": S}),
    "observed, context, label": ((X, S, Y), {"x": X, "s": S, "y": Y}),
    "no context": ((X, None, Y), {"x": X, "y": Y}),
    "nothing at the end": ((X, S, None, None, None), {"x": X, "s": S}),
    "a tuple inside of Keras's": (((X, S, Y), None, None), {"x": X, "s": S, "y": Y}),
    "a dict": ({"y": Y, "x": X}, {"y": Y, "x": X}),
    "a dict inside of Keras's": (({"y": Y, "x": X}, None, None), {"y": Y, "x": X}),
}


@pytest.mark.parametrize(("data", "expected"), FORMS.values(), ids=FORMS)
def test_every_form_of_data_has_names(data, expected):
    found = VARIABLES.named(data)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] is value


def test_a_label_that_is_observed_has_its_place_once():
    both = Variables(FAMILIES, observed=("x", "y"), context=("s",))
    assert list(both.named((X, Y, S))) == ["x", "y", "s"]
    with pytest.raises(ValueError, match=r"4 parts, but at most 3 are known: \['x', 'y', 's'\]"):
        both.named((X, Y, S, Y))


def test_strangers_are_refused_by_name():
    with pytest.raises(ValueError, match=r"4 parts, but at most 3 are known: \['x', 's', 'y'\]"):
        VARIABLES.named((X, S, Y, X))
    with pytest.raises(
        ValueError, match=r"\['w'\], which are no variables.*\['s', 'x', 'y', 'z'\]"
    ):
        VARIABLES.named({"x": X, "w": X})


def test_a_target_that_is_x_is_told_from_what_is_a_variable():
    """`fit(x, x)` is x; with a second variable only what equals x and cannot be that one."""
    alone = Variables({"x": FAMILIES["x"]}, observed=("x",))
    for data in ((X, X), (X, X.copy(), None), ({"x": X}, None)):
        assert alone.named(data).keys() == {"x"}
    values = {"x": X}
    assert alone.named((values, values)).keys() == {"x"}
    unknown = np.where(X == 0, np.nan, X)
    assert alone.named((unknown, unknown.copy())).keys() == {"x"}
    assert VARIABLES.named((X, X)).keys() == {"x"}
    assert VARIABLES.named((X, X + 1)).keys() == {"x", "s"}
    spec = tf.TensorSpec((None, 3))
    assert alone.target((spec, spec)) is spec and VARIABLES.target((spec, spec)) is None
    with pytest.raises(ValueError, match="The targets differ from x"):
        alone.named((X, X + 1))
    with pytest.raises(ValueError, match="A dict of variables stands alone"):
        VARIABLES.named((values, Y))


def test_a_list_of_examples_is_their_array():
    for data in (list(X), X.tolist()):
        np.testing.assert_array_equal(VARIABLES.named(data)["x"], X)
    assert VARIABLES.named([X, S, Y]).keys() == {"x", "s", "y"}
    with pytest.raises(ValueError, match=r"'x' is a list whose parts differ.* shape \(3,\)\."):
        VARIABLES.named([[1.0, 2.0, 3.0], [1.0]])


def test_values_have_the_types_of_their_variables():
    typed = VARIABLES.typed({"x": X.astype("float64"), "y": Y.astype("int64"), "s": S})
    assert {name: value.dtype for name, value in typed.items()} == {
        name: FAMILIES[name].dtype for name in ("x", "y", "s")
    }
    assert FAMILIES["x"].dtype == tf.float32 and FAMILIES["y"].dtype == tf.int32
    np.testing.assert_array_equal(typed["y"], Y)


def test_unwrapping_takes_one_layer_off_and_no_more():
    one, two = (X,), (X, Y)
    assert unwrapped(one) is X and unwrapped((X, None)) is X and unwrapped([X]) is X
    assert unwrapped(two) is two and unwrapped((two, None)) is two
    assert unwrapped(X) is X and unwrapped(()) == ()
    assert unwrapped({"x": X}).keys() == {"x"}


def test_variables_of_one_name_are_joined():
    other = Variables({"y": FAMILIES["y"], "u": families.Normal(1)}, observed=("y",), latent=("u",))
    both = joined([VARIABLES, other])
    assert both.families.keys() == {"x", "s", "y", "z", "u"}
    assert both.observed == ("x", "y")
    assert joined([other, VARIABLES]).observed == ("y", "x")
    assert joined([other, other]).observed == ("y",)
    # Who draws what differs between members, so that it is not said of all together.
    assert (both.latent, both.context, both.read) == ((), (), ())
