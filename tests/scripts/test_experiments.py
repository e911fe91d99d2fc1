"""Experiments train what is missing, once, and put it into one table."""

import json

import numpy as np
import pytest

from scripts.experiments.cooperation import experiment as cooperation
from scripts.experiments.experiment import Experiment, markdown, mean_of


class Squares(Experiment):
    """An experiment without training: the square of its number."""

    name = "squares"
    trained = 0

    def settings(self, seed):
        return {f"n-{n}-seed-{seed}": {"n": n, "seed": seed} for n in (2, 3)}

    def measure(self, settings, folder):
        self.trained += 1
        if settings["n"] == 3 and self.trained == 2:
            raise KeyboardInterrupt
        return {"square": float(settings["n"] ** 2 + settings["seed"])}

    def table(self, results):
        rows = [[label, result["found"]["square"]] for label, result in results.items()]
        return markdown(["n", "square"], rows)

    def picture(self, path, results):
        path.write_bytes(b"picture")


def test_an_interrupted_experiment_goes_on(tmp_path, capsys):
    experiment = Squares(tmp_path / "runs", data="none", seeds=[0, 1])
    with pytest.raises(KeyboardInterrupt):
        experiment.make(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    table = experiment.make(tmp_path / "out")
    assert experiment.trained == 5  # four results, one of them tried twice
    assert experiment.make(tmp_path / "out") == table and experiment.trained == 5
    assert "| n-3-seed-1 | 10.0 |" in table
    assert (tmp_path / "out" / "squares.md").read_text() == table
    kept = json.loads((tmp_path / "out" / "squares.json").read_text())
    assert kept["n-2-seed-0"]["found"] == {"square": 4.0}
    assert {"seconds", "versions", "settings"} <= kept["n-2-seed-0"].keys()
    assert "n-2-seed-0: {'square': 4.0}" in capsys.readouterr().out


def test_results_of_other_settings_are_not_mixed_in(tmp_path):
    folder = tmp_path / "n-2-seed-0"
    folder.mkdir()
    (folder / "result.json").write_text(json.dumps({"settings": {"n": 7}, "found": {}}))
    with pytest.raises(ValueError, match="was trained with"):
        Squares(tmp_path, data="none", seeds=[0]).make(tmp_path / "out")


def test_means_stand_with_their_spread():
    assert mean_of([1.0]) == "1.00"
    assert mean_of([1.0, 2.0, 3.0], digits=1) == "2.0 ± 1.0"


def test_cooperation_from_data_to_table(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    y = np.arange(80) % 4
    x = np.zeros((80, 28, 28), "float32")
    for row, label in enumerate(y):  # four classes: a bright quarter each
        top, left = divmod(int(label), 2)
        x[row, 14 * top : 14 * top + 14, 14 * left : 14 * left + 14] = 1.0
    np.savez(tmp_path / "quarters.npz", x=np.where(rng.random(x.shape) < 0.05, 1 - x, x), y=y)
    monkeypatch.setattr(cooperation, "SHARES", (0.5,))
    monkeypatch.setattr(cooperation, "STEPS", 100)
    monkeypatch.setattr(cooperation, "BATCH_SIZE", 16)
    monkeypatch.setattr(cooperation, "SEEN", 200)
    experiment = cooperation.Cooperation(
        tmp_path / "runs", data=str(tmp_path / "quarters.npz"), seeds=[0]
    )
    experiment.make(tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "cooperation.json").read_text())
    foreign = {
        label: np.mean([result["found"][f"foreign/{m}"] for m in cooperation.MEMBERS])
        for label, result in kept.items()
    }
    # Taught with a = 0.5, a third of what it makes is of classes it never saw.
    assert 0.15 < foreign["own-0.5-seed-0"] < 0.55
    assert (tmp_path / "out" / "cooperation.png").stat().st_size > 1000
