"""The script that makes trained models that are shipped."""

import pytest

from scripts import ship
from zoo import PRESETS


def test_a_command_is_told_without_paths_of_the_machine():
    flags = {"steps": 20, "batch_size": None, "seed": 0, "data": "/home/me/data"}
    told = ship.command({"preset": "digits_ladder", "flags": flags})
    assert told == "keras-symvae train --preset=digits_ladder --steps=20"


@pytest.mark.parametrize("assignment", ["digits_ladder", "nothing=runs/x", "=runs/x"])
def test_models_that_are_not_described_are_refused(assignment, tmp_path):
    with pytest.raises(ValueError, match=r"--model is NAME=RUN of .*digits_ladder"):
        ship.COMMAND(f"--model={assignment}", f"--out={tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_models_are_called_as_presets_are():
    assert set(ship.CARDS) <= PRESETS.keys()
