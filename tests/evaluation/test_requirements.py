"""Tests of what a measurement asks of numbers; pairs and data are in the tests of measurements."""

import math

import pytest

from keras_symvae.evaluation.requirements import check_counts, check_positive


@pytest.mark.parametrize("number", [0, -1, math.nan, math.inf])
def test_numbers_that_are_not_positive_are_refused_by_name(number):
    check_positive(step_size=1e-9)
    with pytest.raises(ValueError, match=f"step_size is a positive number; received {number}"):
        check_positive(chunk=1, step_size=number)


def test_counts_have_no_fraction():
    check_counts(chunk=1)
    for number in (0.5, 1.0, 2.5):
        with pytest.raises(ValueError, match=f"chunk is .* without fraction; received {number}"):
            check_counts(chunk=number)
    with pytest.raises(ValueError, match="chunk is a positive number; received 0"):
        check_counts(chunk=0)
