"""The folder of a run, where the disk is full."""

import errno

import pytest

from keras_symvae import SymmetricEquilibrium
from tests import cases, disk
from zoo.cli import train
from zoo.runs.run import Run


def test_a_model_that_finds_no_room_leaves_the_former_one(tmp_path):
    run, learner = Run(tmp_path), SymmetricEquilibrium(cases.ladder())
    learner.compile("adam")
    run.save(learner)
    before = run.model.read_bytes()
    with disk.full(5000), pytest.raises(OSError, match=r"model\.keras") as error:
        run.save(learner)
    assert error.value.errno == errno.EFBIG
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    assert run.model.read_bytes() == before
    told = train.COMMAND._told(error.value)
    assert "\n" not in told and told.endswith("go on by --resume with the same --out")
