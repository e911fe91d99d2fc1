"""Tests of the chunks of data: every example once and in its place, each chunk with its seed."""

import numpy as np
import pytest

from keras_symvae import seeds
from keras_symvae.evaluation.chunks import chunks, length
from keras_symvae.shapes import ShapeError
from tests import cases


@pytest.mark.parametrize(("rows", "sizes"), [(5, [5, 5, 2]), (12, [12]), (50, [12])])
def test_chunks_are_the_data_in_their_order(rows, sizes):
    pair, data = cases.conditional(), cases.conditional_data(12)
    found = list(chunks(pair, data, rows=rows, seed=3))
    assert [len(values["x"]) for values, _ in found] == sizes and length(data) == 12
    for name, array in data.items():
        joined = np.concatenate([values[name] for values, _ in found])
        np.testing.assert_array_equal(joined, array)
        assert joined.dtype == pair.families[name].dtype.as_numpy_dtype
    for index, (_, seed) in enumerate(found):
        np.testing.assert_array_equal(seed, seeds.fold(seeds.make(3), index))
    assert len({tuple(seed.numpy()) for _, seed in found}) == len(sizes)


def test_variables_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match=r"arrays\['y'\] has shape \[3\].*N = 4"):
        next(chunks(cases.conditional(), {"x": np.zeros((4, 3)), "y": np.zeros(3)}, rows=2))
