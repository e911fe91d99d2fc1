"""Tests of records: they are their parts side by side, and elements that nobody knows."""

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import families, seeds
from tests import cases

RECORD = cases.FAMILIES["record"]
SIZE = 30


def member():
    """Returns natural parameters of random raw outputs."""
    raw = np.random.default_rng(0).normal(size=(SIZE, *RECORD.raw_shape)).astype("float32")
    return RECORD.natural(raw, tf.fill([RECORD.num_shared], 0.2))


def holed(value):
    """Returns values some of whose elements are NaN, and which those are."""
    unknown = np.random.default_rng(1).random(value.shape) < 0.4
    return np.where(unknown, np.nan, value).astype("float32"), unknown


def columns():
    """Yields (part, its columns)."""
    start = 0
    for part in RECORD.parts:
        yield part, slice(start, start + part.size)
        start += part.size


def test_a_record_is_its_parts_side_by_side():
    eta = member()
    value = RECORD.sample(eta, seeds.make(0)).numpy()
    for own, (part, where) in zip(eta, columns(), strict=True):
        elements = tf.cast(value[:, where], part.dtype)
        part.check("part", elements.numpy())
        np.testing.assert_allclose(
            RECORD.element_log_prob(eta, value)[:, where],
            part.element_log_prob(own, elements),
            rtol=1e-5,
        )
        np.testing.assert_allclose(RECORD.entropy(eta)[:, where], part.entropy(own), rtol=1e-5)
        np.testing.assert_allclose(RECORD.mean(eta)[:, where], part.mean(own), rtol=1e-5)


def test_elements_that_nobody_knows_cost_nothing_and_are_read_as_zeros():
    """The score is the sum over the known ones, whatever stood in the other places."""
    eta = member()
    value = RECORD.sample(eta, seeds.make(0)).numpy()
    some, unknown = holed(value)
    RECORD.check("row", some)
    each = RECORD.element_log_prob(eta, value).numpy()
    np.testing.assert_array_equal(
        RECORD.element_log_prob(eta, some), np.where(unknown, np.float32(0), each)
    )
    np.testing.assert_array_equal(RECORD.unknown(some), unknown)
    features = RECORD.features(some).numpy()
    np.testing.assert_array_equal(features[:, -RECORD.size :], unknown)
    complete = RECORD.features(value).numpy()
    np.testing.assert_array_equal(
        ((features == complete) | (features == 0.0))[:, : -RECORD.size], True
    )
    nothing = RECORD.features(np.full((1, RECORD.size), np.nan, "float32")).numpy()
    np.testing.assert_array_equal(nothing[:, : -RECORD.size], 0.0)


def test_scores_of_records_with_holes_have_finite_gradients():
    raw = np.random.default_rng(2).normal(size=(SIZE, *RECORD.raw_shape))
    raw = tf.Variable(raw.astype("float32"))
    some, _ = holed(RECORD.sample(member(), seeds.make(0)).numpy())
    with tf.GradientTape() as tape:
        score = RECORD.log_prob(RECORD.natural(raw, tf.zeros([RECORD.num_shared])), some)
    gradient = tape.gradient(score, raw).numpy()
    assert np.isfinite(gradient).all() and np.any(gradient)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: families.Record([]), "Record's parts are families"),
        (lambda: families.Record([families.Normal((2, 2))]), "of shapes"),
        (lambda: families.Record(families.Normal(2)), "received Normal"),
        (
            lambda: RECORD.check("row", np.full((1, RECORD.size), -1.0)),
            r"'row\[:, 2\]' ranges over",
        ),
        (lambda: RECORD.check("row", np.full((1, RECORD.size), np.inf)), "NaN or infinite"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ValueError, match=words):
        make()
