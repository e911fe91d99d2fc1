"""Tests of imputation: what is hidden, what intervals are, and a small run of the whole."""

import json

import numpy as np
import pytest

from scripts.experiments.imputation import experiment as imputation
from scripts.experiments.imputation.config import Config, Training

ROWS = np.random.default_rng(0).normal(size=(4000, 5))


@pytest.mark.parametrize("mechanism", ["random", "own value"])
def test_a_share_of_cells_is_hidden_and_every_row_keeps_one(mechanism):
    found = imputation.hidden(ROWS, mechanism=mechanism, share=0.3, seed=0)
    assert found.mean() == pytest.approx(0.3, abs=0.01)
    assert not found.all(axis=1).any()
    large = ROWS[found].mean()
    assert large == pytest.approx(0.0, abs=0.05) if mechanism == "random" else large > 0.4
    again = imputation.hidden(ROWS, mechanism=mechanism, share=0.3, seed=0)
    np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize("draws", [20, 200])
def test_intervals_of_the_right_distribution_hold_nine_tenths(draws):
    """However few draws there are: quantiles at the usual places would hold less."""
    rng = np.random.default_rng(1)
    found = imputation.judged(ROWS, rng.normal(size=(draws, *ROWS.shape)), np.inf > ROWS)
    assert found["coverage"] == pytest.approx(imputation.LEVEL, abs=0.01)
    assert found["rmse"] == pytest.approx(np.sqrt(1.0 + 1.0 / draws), abs=0.02)


@pytest.mark.slow
def test_a_small_run_writes_table_numbers_and_picture(tmp_path):
    training = Training(steps=20, samples=20, chain=2, width=4, latent=2)
    config = Config(
        tables={"wine": 4},
        mechanisms=("random",),
        trees=3,
        rounds=1,
        turns=1,
        trainings={"symmetric": training},
    )
    folder = tmp_path / "runs"
    kind = imputation.Imputation(folder, data="scikit-learn", seeds=[0], config=config)
    table = kind.make(tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "imputation.json").read_text())
    assert set(kept) == {f"wine-random-{n}-seed-0" for n in ("scikit-learn", "symmetric")}
    assert kept["wine-random-scikit-learn-seed-0"]["found"]["mean/rmse"] > 0.5
    assert table.count("| wine | random |") == 2
    assert (tmp_path / "out" / "imputation.png").stat().st_size > 1000
