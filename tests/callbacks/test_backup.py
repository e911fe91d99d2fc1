"""Tests of backups: whose a state is, and what happens to damaged, full and busy folders."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import ELBO, Backup, Batches, SymmetricEquilibrium, interruption, lock, testing
from keras_symvae.callbacks import fingerprint, identity
from keras_symvae.data.batches import Mixture
from keras_symvae.data.sources import ArraySource
from keras_symvae.learners.step.optimizers import Optimizers
from tests import cases, disk

OPTIMIZER = {"decoder": "adam", "encoder": "sgd"}
X = cases.images(16)


def compiled(optimizer=None, *, kind=SymmetricEquilibrium, latents=(2,), seed=7, **options):
    learner = kind(cases.ladder(latents=latents, order="reverse"), seed=seed, **options)
    learner.compile(OPTIMIZER if optimizer is None else optimizer, run_eagerly=True)
    return learner


def fit(learner, callbacks, x=X, *, batch_size=8, epochs=2, **options):
    options = {"batch_size": batch_size, "epochs": epochs, "verbose": 0, **options}
    return learner.fit(x, callbacks=callbacks, **options).history


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder of a run after two epochs, and the learner it left."""
    folder = tmp_path_factory.mktemp("kept")
    learner = compiled()
    fit(learner, [Backup(folder)])
    return folder, learner


@pytest.fixture
def folder(kept, tmp_path):
    """A copy of that folder."""
    return pathlib.Path(shutil.copytree(kept[0], tmp_path / "backup"))


def rate(value):
    return {"decoder": keras.optimizers.Adam(value), "encoder": "sgd"}


OTHER_LEARNERS = {
    "learner": (lambda: compiled("adam", kind=ELBO), "learner was SymmetricEquilibrium and is now"),
    "option of a learner": (lambda: compiled(draws=3), "learner.draws was 1 and is now 3"),
    "width": (lambda: compiled(latents=(3,)), "pair.latents was .* and is now"),
    "seed": (lambda: compiled(seed=8), "seed was 7 and is now 8"),
    "rate": (
        lambda: compiled(rate(0.01)),
        "optimizer.decoder.learning_rate was 0.001 and is now 0.01",
    ),
    "schedule": (
        lambda: compiled(rate(keras.optimizers.schedules.CosineDecay(0.001, 10))),
        "optimizer.decoder.learning_rate was 0.001 and is now CosineDecay",
    ),
    "one optimizer for all": (lambda: compiled("adam"), "optimizer was Optimizers and is now Adam"),
    "optimizer of a player": (
        lambda: compiled({"decoder": "sgd", "encoder": "sgd"}),
        "optimizer.decoder was Adam and is now SGD",
    ),
}


@pytest.mark.parametrize("name", OTHER_LEARNERS)
def test_the_state_of_another_learner_is_refused_by_name(name, folder):
    make, message = OTHER_LEARNERS[name]
    learner = make()
    before = testing.state(learner)
    for ask in (lambda: fit(learner, Backup(folder)), lambda: Backup(folder).restore(learner)):
        with pytest.raises(ValueError, match=message) as error:
            ask()
        assert "changed='allow'" in str(error.value) and "\n" not in str(error.value)
    for (path, value), (_, former) in zip(testing.state(learner), before, strict=True):
        np.testing.assert_array_equal(value, former, err_msg=path)


def test_a_warm_up_with_a_frozen_player_is_another_training(tmp_path):
    """What follows it begins from its weights, in another folder or as a change that is allowed."""
    learner = compiled()
    learner.pair.encoder.trainable = False
    learner.compile(OPTIMIZER, run_eagerly=True)
    fit(learner, Backup(tmp_path), epochs=1)
    learner.pair.encoder.trainable = True
    learner.compile(OPTIMIZER, run_eagerly=True)
    with pytest.raises(
        ValueError, match=r"is another: pair\.frozen was \[8, .*\] and is now None\. "
    ):
        fit(learner, Backup(tmp_path))
    assert len(fit(learner, Backup(tmp_path, changed="allow"))["loss"]) == 1


OTHER_DATA = {
    "values": ({"x": 1 - X}, "data holds other values"),
    "number": ({"x": X[:12]}, r"data.shape was \[16, 3, 3, 1\] and is now \[12, 3, 3, 1\]"),
    "batch size": ({"batch_size": 4}, "batch_size was 8 and is now 4"),
    "steps": ({"steps_per_epoch": 1}, "steps_per_epoch was 2 and is now 1"),
    "order": ({"shuffle": False}, "shuffle was True and is now False"),
    "a share held out": ({"validation_split": 0.25}, "validation_split was 0 and is now 0.25"),
    "Batches": (
        {"x": Batches({"x": X}, batch_size=8), "batch_size": None},
        "data was array and is now Batches",
    ),
}


@pytest.mark.parametrize("name", OTHER_DATA)
@pytest.mark.parametrize("epochs", [2, 3], ids=["finished", "unfinished"])
def test_the_state_of_other_data_is_refused_by_name(name, epochs, folder):
    changes, message = OTHER_DATA[name]
    learner = compiled()
    with pytest.raises(ValueError, match=message):
        fit(learner, Backup(folder), epochs=epochs, **changes)
    assert int(learner.steps.numpy()) == 0
    assert not (folder / "lock").exists()


def test_a_second_fit_of_the_same_object_on_other_data_is_refused(folder, kept):
    with pytest.raises(ValueError, match="that is another: data holds other values"):
        fit(kept[1], Backup(folder), 1 - X)


@pytest.mark.parametrize("changed", ["allow", ("batch_size", "steps_per_epoch")])
def test_what_may_differ_is_taken(changed, folder):
    learner = compiled()
    history = fit(learner, Backup(folder, changed=changed), batch_size=4, epochs=3)
    assert len(history["loss"]) == 1 and int(learner.steps.numpy()) == 2 * 2 + 4
    with pytest.raises(ValueError, match=r"changed is 'allow' or names .* received \['all'\]"):
        Backup(folder, changed="all")


def test_the_same_run_goes_on_for_more_epochs(folder):
    for epochs, x in enumerate((X, (X,), {"x": X}), start=3):
        assert len(fit(compiled(), Backup(folder), x, epochs=epochs)["loss"]) == 1


def test_a_network_of_ones_own_is_known_again_in_the_same_process():
    first, second = (
        keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2, activation="tanh")])
        for _ in range(2)
    )
    configs = [keras.saving.serialize_keras_object(network) for network in (first, second)]
    assert configs[0] != configs[1]
    numbered = [identity._plain(identity._unnumbered(config)) for config in configs]
    assert list(identity._flat(numbered[0], "x")) == list(identity._flat(numbered[1], "x"))


def test_rates_that_callbacks_change_are_no_difference(tmp_path):
    def falling():
        return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)

    learner = compiled("adam")
    fit(learner, [falling(), Backup(tmp_path)], epochs=1)
    assert float(learner.optimizer.learning_rate) == pytest.approx(0.0005)
    fit(learner, [falling(), Backup(tmp_path)], epochs=2)
    fresh = compiled("adam")
    fit(fresh, [falling(), Backup(tmp_path)], epochs=3)
    assert float(fresh.optimizer.learning_rate) == pytest.approx(0.001 / 8)
    with pytest.raises(ValueError, match=r"optimizer\.learning_rate was 0.001 and is now"):
        Backup(tmp_path).restore(compiled(keras.optimizers.Adam(0.01)))


def test_lists_are_told_apart_as_arrays_are():
    found = [fingerprint._described(list(x)) for x in (X, X.copy(), 1 - X)]
    assert found[0] == found[1] == fingerprint._described(X) != found[2]
    assert fingerprint._described([X, X[:3]]) == {"class_name": "list", "config": {"length": 2}}


DATA = {
    "Batches": lambda x: Batches({"x": x}, batch_size=8),
    "Mixture": lambda x: Mixture(
        [Batches({"x": x[:4]}, batch_size=2), Batches({"x": x}, batch_size=6)]
    ),
    "Source": lambda x: ArraySource({"x": x}),
}


@pytest.mark.parametrize("kind", DATA)
def test_data_of_every_kind_are_told_apart(kind, tmp_path):
    options = {"batch_size": 8 if kind == "Source" else None, "steps_per_epoch": 1}
    fit(compiled(), Backup(tmp_path), DATA[kind](X), epochs=1, **options)
    fit(compiled(), Backup(tmp_path), DATA[kind](X), epochs=2, **options)
    with pytest.raises(ValueError, match="holds other values"):
        fit(compiled(), Backup(tmp_path), DATA[kind](1 - X), epochs=3, **options)


def test_a_tf_data_set_is_known_by_its_spec(tmp_path):
    def batched(size, count=16):
        return tf.data.Dataset.from_tensor_slices(X[:count]).batch(size, drop_remainder=True)

    options = {"batch_size": None}
    fit(compiled(), Backup(tmp_path), batched(8), epochs=1, **options)
    fit(compiled(), Backup(tmp_path), batched(8), epochs=2, **options)
    with pytest.raises(
        ValueError, match=r"spec was .'\(8, 3, 3, 1\) float32'. and is now .'\(4, 3"
    ):
        fit(compiled(), Backup(tmp_path), batched(4), epochs=3, **options)
    with pytest.raises(ValueError, match=r"data\.batches was 2 and is now 1"):
        fit(compiled(), Backup(tmp_path), batched(8, 8), epochs=3, **options)


def test_only_so_much_of_large_arrays_is_read(monkeypatch):
    monkeypatch.setattr(fingerprint, "READ", X.nbytes // 4)
    first, tenth = X.copy(), X.copy()
    first[0], tenth[9] = 1 - X[0], 1 - X[9]
    found = [fingerprint._digest([x]) for x in (X, first, tenth)]
    assert found[0] == found[2] != found[1]


def test_a_state_of_a_former_version_is_taken(folder, kept):
    for record in folder.glob("*.json"):
        record.unlink()
    learner = compiled()
    assert Backup(folder).restore(learner) == 2
    testing.assert_same_state(learner, kept[1])


def test_a_state_of_a_former_version_is_refused_where_it_does_not_fit(folder):
    for record in folder.glob("*.json"):
        record.unlink()
    for other, message in {
        compiled("adam"): "is the state of another optimizer",
        compiled(latents=(3,)): "is no state of this SymmetricEquilibrium",
    }.items():
        before = testing.state(other)
        with pytest.raises(ValueError, match=message) as error:
            Backup(folder).restore(other)
        assert "\n" not in str(error.value)
        for (path, value), (_, former) in zip(testing.state(other), before, strict=True):
            np.testing.assert_array_equal(value, former, err_msg=path)


def damage(path):
    path.write_bytes(path.read_bytes()[:1000])


def test_the_state_before_a_damaged_one_is_taken(folder, kept):
    damage(folder / "epoch-000002.weights.h5")
    learner = compiled()
    with pytest.warns(UserWarning, match="epoch-000002.weights.h5 is damaged; .* after 1 epochs"):
        fit(learner, Backup(folder))
    testing.assert_same_state(learner, kept[1])
    assert Backup(folder).restore(compiled()) == 2  # written anew


def test_damaged_states_only_are_refused(folder):
    for path in folder.glob("*.weights.h5"):
        damage(path)
    with pytest.raises(ValueError, match=r"holds damaged states only .* Remove the folder"):
        Backup(folder).restore(compiled())
    for record in folder.glob("*.json"):  # as those of former versions
        record.unlink()
    with pytest.raises(ValueError, match="holds damaged states only"):
        Backup(folder).restore(compiled())


def test_a_full_disk_leaves_the_last_state(folder, kept):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with (
        disk.full(20_000),
        pytest.raises(OSError, match="state after epoch 3 cannot be written") as error,
    ):
        fit(compiled(), Backup(folder), epochs=4)
    assert "\n" not in str(error.value)
    assert "The state after epoch 2 is kept" in error.value.__notes__[0]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(fit(compiled(), Backup(folder), epochs=4)["loss"]) == 2


class Interrupt(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


def test_an_interrupted_fit_says_what_is_kept(folder):
    with pytest.raises(KeyboardInterrupt) as error:
        fit(compiled(), [Backup(folder), Interrupt()], epochs=3)
    assert error.value.__notes__ == [
        f"The state after epoch 2 is kept in {folder}; the same training, started again, goes on "
        "from there."
    ]
    assert not (folder / "lock").exists()


class Terminate(keras.callbacks.Callback):
    """What a batch system does in the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_ends_a_fit_as_ctrl_c_does(folder):
    with pytest.raises(KeyboardInterrupt, match="terminated by SIGTERM") as error:
        fit(compiled(), [Backup(folder), Terminate()], epochs=4)
    assert error.value.__notes__[0].startswith(f"The state after epoch 2 is kept in {folder}; ")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_handlers_of_others_and_other_threads_are_left_alone():
    mine = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        handler = signal.getsignal(signal.SIGTERM)
        with interruption.raised():
            assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, mine)

    def elsewhere():
        with interruption.raised():
            found.append(signal.getsignal(signal.SIGTERM))

    found = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


HOLD = """
import sys, time
from keras_symvae import lock
with lock.locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_is_locked_until_its_process_has_died(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(BlockingIOError, match=f"in use: process {process.pid} on "):
            fit(compiled(), Backup(tmp_path), epochs=1)
    finally:
        process.kill()
        process.communicate()
    assert (tmp_path / "lock").exists()
    fit(compiled(), Backup(tmp_path), epochs=1)
    assert not (tmp_path / "lock").exists()


def test_a_process_does_not_take_its_own_folder_twice(tmp_path):
    with (
        lock.locked(tmp_path),
        pytest.raises(BlockingIOError, match="in use: this process"),
        lock.locked(tmp_path / "."),
    ):
        pass
    with lock.locked(tmp_path):
        pass


def test_a_folder_of_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Backup("~/runs/x").directory == tmp_path / "runs" / "x"


@pytest.mark.parametrize("of", [list, tuple, keras.callbacks.CallbackList, lambda each: each[0]])
def test_callbacks_come_alone_or_in_any_list(of, tmp_path):
    assert len(fit(compiled(), of([Backup(tmp_path)]), epochs=1)["loss"]) == 1
    assert Backup(tmp_path).restore(compiled()) == 1


def test_the_backup_of_keras_is_said_to_be_inexact(tmp_path):
    inexact = keras.callbacks.BackupAndRestore(tmp_path / "keras")
    with pytest.warns(UserWarning, match="keras_symvae.Backup resumes exactly"):
        fit(compiled(), inexact, epochs=1)
    fit(compiled(), [inexact, Backup(tmp_path / "exact")], epochs=1)


def test_every_slot_of_an_optimizer_stands_once_in_a_file(folder, kept):
    learner = kept[1]
    elements = 0

    def count(name, part):
        nonlocal elements
        if isinstance(part, h5py.Dataset) and "optimizer" in name:
            elements += 1

    with h5py.File(folder / "epoch-000002.weights.h5") as file:
        file.visititems(count)
    assert isinstance(learner.optimizer, Optimizers)
    assert elements == len(learner.optimizer.variables)


def test_a_file_that_holds_every_slot_twice_loads(kept, tmp_path, monkeypatch):
    """As those of version 0.2.0 and before do."""
    twice = keras.optimizers.MultiOptimizer.save_own_variables
    with monkeypatch.context() as former:
        former.setattr(Optimizers, "save_own_variables", twice)
        kept[1].save(tmp_path / "twice.keras")
    kept[1].save(tmp_path / "once.keras")
    assert os.path.getsize(tmp_path / "once.keras") < os.path.getsize(tmp_path / "twice.keras")
    for name in ("twice", "once"):
        testing.assert_same_state(keras.saving.load_model(tmp_path / f"{name}.keras"), kept[1])


def test_a_record_holds_no_data(folder):
    record = json.loads((folder / "epoch-000002.json").read_text())
    assert record["identity"]["data"]["config"].keys() == {"shape", "dtype", "content"}
    assert len(json.dumps(record)) < 20_000 and str(os.getpid()) not in record
