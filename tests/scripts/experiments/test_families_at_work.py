"""Tests of families at work: parameters of the made table are found, and a small run."""

import numpy as np
import pytest

from scripts.experiments.families_at_work import experiment as work
from scripts.experiments.families_at_work.config import Config


def test_parameters_of_many_rows_are_those_they_were_made_with():
    found = work.parameters(work.table(40_000, seed=0))
    for index, group in enumerate(work.GROUPS):
        assert found[group]["group"] == pytest.approx([work.SHARES[index]], abs=0.01)
        assert found[group]["count"][1] == pytest.approx(1.0, abs=0.05)
        for column, truth in work.TRUTH.items():
            estimated = found[group][column][: len(truth[index])]
            np.testing.assert_allclose(estimated, truth[index], rtol=0.06, atol=0.05)


@pytest.mark.slow
def test_a_small_run_writes_table_and_picture(tmp_path):
    config = Config(rows=200, drawn=500, width=4, steps=20)
    kind = work.FamiliesAtWork(tmp_path / "runs", data="mixed table", seeds=[0], config=config)
    table = kind.make(tmp_path / "out")
    assert len(table.splitlines()) == 2 + 6 * len(work.GROUPS)
    assert (tmp_path / "out" / "families_at_work.png").stat().st_size > 1000
