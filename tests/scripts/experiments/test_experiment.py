"""Experiments train what is missing, once, and put it into one table."""

import json

import pytest

from scripts.experiments.experiment import Experiment
from scripts.experiments.tables import markdown


class Squares(Experiment):
    """An experiment without training: the square of its number."""

    name = "squares"
    defaults = None
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

    def picture(self, place, results):
        place.picture().write_bytes(b"picture")


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
