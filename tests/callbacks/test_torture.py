"""Torture of backups: runs that are killed, starved of disk and damaged end as if nothing had been.

    make torture RUNS=140

treats so many runs badly: each is killed at a random moment, one in seven meets a full disk before,
and one in seven finds its newest state cut off. Then each goes to its end and is compared, bit by
bit, with a run that nobody disturbed. Learners and forms of data take turns.
"""

import multiprocessing
import os
import random
import resource
import signal
import sys
import time
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from keras_symvae import (
    ASVAE,
    AVB,
    ELBO,
    FGAN,
    SVAE,
    WAE,
    Backup,
    Batches,
    Cooperative,
    SymmetricEquilibrium,
    families,
    testing,
)
from keras_symvae.callbacks.state import State
from tests import cases

EPOCHS, BATCH_SIZE = 5, 8
X = cases.images(16)
RUNS = int(os.environ.get("TORTURED", "10"))
SPAWN = multiprocessing.get_context("forkserver")  # which imports TensorFlow once for all processes
SPAWN.set_forkserver_preload([__name__])


def tf_data():
    return tf.data.Dataset.from_tensor_slices(X).batch(BATCH_SIZE)


def ladder():
    return cases.ladder(latents=(2,), order="reverse")


def gaussian():
    latents = (families.Normal(2),)
    return zoo.Ladder((3, 3, 1), latents=latents, likelihood="normal", width=4)


CASES = {  # {name: (learner, data)}
    "symmetric, arrays": (lambda: SymmetricEquilibrium(ladder(), seed=7), lambda: X),
    "symmetric with memory, Batches": (
        lambda: SymmetricEquilibrium(ladder(), draws=3, remember=0.5, seed=7),
        lambda: Batches({"x": X}, batch_size=BATCH_SIZE, seed=3),
    ),
    "elbo, tf.data": (lambda: ELBO(ladder(), seed=7), tf_data),
    "cooperative, arrays": (
        lambda: Cooperative(cases.team(), mixing=0.5, draws=3, remember=1.0),
        lambda: cases.conditional_data(16),
    ),
    "wae with a critic, arrays": (lambda: WAE(gaussian(), penalty="gan"), lambda: X),
    "avb, tf.data": (lambda: AVB(gaussian(), adaptive_contrast=True), tf_data),
    "as_vae, arrays": (lambda: ASVAE(gaussian()), lambda: X),
    "svae, tf.data": (lambda: SVAE(gaussian()), tf_data),
    "fgan, arrays": (lambda: FGAN(gaussian()), lambda: X),
    "cooperative, Batches": (
        lambda: Cooperative(cases.team(), mixing=0.5),
        lambda: Batches(cases.conditional_data(16), batch_size=BATCH_SIZE, seed=3),
    ),
}
TROUBLES = ("killed", "full disk", "killed", "damaged", "killed", "killed twice", "killed")
FULL, KILLED = 3, (0, -signal.SIGKILL)  # exit codes; some were done before they were killed


class FullDisk(keras.callbacks.Callback):
    """Leaves no file more than a few bytes from the end of some epoch on."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))


def train(folder, name, seed, full_from=None):
    """Trains, or goes on; writes all that training changes when it is done."""
    warnings.simplefilter("ignore")  # that a state is damaged
    keras.utils.set_random_seed(seed)
    make, data = CASES[name]
    learner = make()
    learner.compile("adam", run_eagerly=True)
    callbacks = [Backup(folder / "backup"), FullDisk(full_from)]
    try:
        learner.fit(
            data(),
            batch_size=None if name.endswith(("tf.data", "Batches")) else BATCH_SIZE,
            epochs=EPOCHS,
            callbacks=callbacks,
            verbose=0,
        )
    except OSError:
        sys.exit(FULL)
    np.savez(folder / "end.npz", *(value for _, value in testing.state(learner)))


def process(*arguments, kill_after=300.0):
    """Trains in a process of its own; returns its exit code. None hangs for ever."""
    child = SPAWN.Process(target=train, args=arguments)
    child.start()
    child.join(kill_after)
    if child.is_alive():
        child.kill()
        child.join()
    return child.exitcode


def ends(folder):
    with np.load(folder / "end.npz") as arrays:
        return [arrays[name] for name in arrays.files]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Function of the name of a case: what an undisturbed run ends with, and how long it took."""
    found = {}

    def of(name):
        if name not in found:
            folder, begun = tmp_path_factory.mktemp("whole"), time.monotonic()
            assert process(folder, name, 0) == 0
            found[name] = ends(folder), time.monotonic() - begun
        return found[name]

    return of


@pytest.mark.slow
@pytest.mark.parametrize("run", range(RUNS))
def test_a_run_that_is_treated_badly_ends_as_any_other(run, whole, tmp_path):
    draw = random.Random(run)
    name, trouble = list(CASES)[run % len(CASES)], TROUBLES[run % len(TROUBLES)]
    expected, seconds = whole(name)
    if trouble == "full disk":
        assert process(tmp_path, name, 0, draw.randrange(1, EPOCHS)) == FULL
    for _ in range(2 if trouble == "killed twice" else 1):
        assert process(tmp_path, name, 0, kill_after=draw.uniform(0.0, seconds)) in KILLED
    states = State.all_in(tmp_path / "backup")
    if trouble == "damaged" and len(states) > 1:
        content = states[0].path.read_bytes()
        states[0].path.write_bytes(content[: draw.randrange(len(content))])
    # Where a state is left, other first weights make no difference.
    assert process(tmp_path, name, 1 if states else 0) == 0
    told = f"{name}, {trouble}, {[state.epoch for state in states]}"
    for found, value in zip(ends(tmp_path), expected, strict=True):
        np.testing.assert_array_equal(found, value, err_msg=told)
    print(told)
