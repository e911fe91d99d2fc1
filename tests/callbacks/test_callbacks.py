"""Tests of the callbacks: a run that was killed at any moment resumes exactly."""

import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_symvae import Backup, SymmetricEquilibrium, testing
from tests import cases

EPOCHS, BATCH_SIZE = 4, 8


def compiled():  # few steps, for which no trace is worth its time
    learner = SymmetricEquilibrium(cases.ladder(latents=(2,), order="reverse"), seed=7)
    learner.compile(
        {"decoder": "adam", "encoder": keras.optimizers.SGD(0.1, momentum=0.9)},
        run_eagerly=True,
    )
    return learner


def fit(learner, directory, *callbacks, epochs=EPOCHS):
    return learner.fit(
        cases.images(),
        batch_size=BATCH_SIZE,
        epochs=epochs,
        callbacks=[Backup(directory), *callbacks],
        verbose=0,
    ).history


def files_in(folder):
    return {path.name for path in folder.iterdir()}


def named(epoch):
    """Names of the files of a state."""
    return f"epoch-{epoch:06d}.weights.h5", f"epoch-{epoch:06d}.json"


KILLED = """
import os, signal, sys
import keras
from tests.callbacks import test_callbacks as run

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.steps.numpy()) == 10:  # in the middle of the third epoch
            os.kill(os.getpid(), signal.SIGKILL)

keras.utils.set_random_seed(0)
run.fit(run.compiled(), sys.argv[1], Kill())
"""


@pytest.mark.slow  # tests/test_frozen.py resumes a run that was interrupted, too
def test_a_killed_run_resumes_exactly(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed")], check=False, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    assert files_in(tmp_path / "killed") == {*named(1), *named(2), "lock"}
    keras.utils.set_random_seed(0)
    uninterrupted = compiled()
    losses = fit(uninterrupted, tmp_path / "uninterrupted")
    keras.utils.set_random_seed(1)  # the fresh weights are others; all must come from the backup
    resumed = compiled()
    later = fit(resumed, tmp_path / "killed")
    testing.assert_same_state(resumed, uninterrupted)
    for name, values in losses.items():
        np.testing.assert_array_equal(values[2:], later[name], err_msg=name)


class Stop(Exception):
    pass


class StopInEpoch(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Stop


def test_two_states_are_kept_and_a_finished_run_is_not_repeated(tmp_path):
    learner = compiled()
    with pytest.raises(Stop):
        fit(learner, tmp_path, StopInEpoch(1))
    assert files_in(tmp_path) == {*named(1)}
    fit(learner, tmp_path)
    assert files_in(tmp_path) == {*named(3), *named(4)}
    before = testing.state(learner)
    with pytest.warns(
        UserWarning, match="Nothing is left to train: .* after 4 epochs, and epochs=4"
    ):
        assert fit(learner, tmp_path) == {}
    for (path, value), (_, expected) in zip(testing.state(learner), before, strict=True):
        np.testing.assert_array_equal(value, expected, err_msg=path)


def test_a_torn_file_is_ignored(tmp_path):
    learner = compiled()
    assert Backup(tmp_path).restore(learner) == 0
    pathlib.Path(tmp_path / "unfinished.weights.h5").write_bytes(b"torn")
    assert Backup(tmp_path).restore(learner) == 0
    fit(learner, tmp_path, epochs=1)
    assert Backup(tmp_path).restore(learner) == 1


def test_the_state_of_another_architecture_is_refused(tmp_path):
    fit(compiled(), tmp_path, epochs=1)
    other = SymmetricEquilibrium(cases.ladder(latents=(3,), order="reverse"))
    other.compile("adam")
    with pytest.raises(ValueError):
        Backup(tmp_path).restore(other)
