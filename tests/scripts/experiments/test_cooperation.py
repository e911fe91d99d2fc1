"""The experiment of cooperative learning, from data to table."""

import dataclasses
import json

import numpy as np
import pytest

from scripts.experiments.cooperation import experiment as cooperation
from scripts.experiments.cooperation.config import Config


@pytest.mark.slow
def test_cooperation_from_data_to_table(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(80) % 4
    x = np.zeros((80, 28, 28), "float32")
    for row, label in enumerate(y):  # four classes: a bright quarter each
        top, left = divmod(int(label), 2)
        x[row, 14 * top : 14 * top + 14, 14 * left : 14 * left + 14] = 1.0
    np.savez(tmp_path / "quarters.npz", x=np.where(rng.random(x.shape) < 0.05, 1 - x, x), y=y)
    small = dataclasses.replace(Config(), shares=(0.5,), steps=100, batch_size=16, seen=200)
    data = str(tmp_path / "quarters.npz")
    experiment = cooperation.Cooperation(tmp_path / "runs", data=data, seeds=[0], config=small)
    experiment.make(tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "cooperation.json").read_text())
    foreign = {
        label: np.mean([result["found"][f"foreign/{m}"] for m in cooperation.MEMBERS])
        for label, result in kept.items()
    }
    # Taught with a = 0.5, a third of what it makes is of classes it never saw.
    assert 0.15 < foreign["own-0.5-seed-0"] < 0.55
    assert (tmp_path / "out" / "cooperation.png").stat().st_size > 1000
