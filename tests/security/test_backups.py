"""Backups of strangers: weights and records of a run that somebody else began."""

import hashlib
import json
import os

import numpy as np
import pytest

import keras_symvae as sv
import zoo
from keras_symvae.callbacks.state import State
from tests.security import watch
from tests.security import weights as hostile

X = np.zeros((8, 8, 8, 1), "float32")
NAME = "epoch-000001"


def learner():
    model = sv.SymmetricEquilibrium(zoo.Ladder((8, 8, 1), latents=(2, 3), width=4))
    model.compile("adam")
    return model


def fitted(folder, epochs):
    model = learner()
    model.fit(X, batch_size=4, epochs=epochs, verbose=0, callbacks=[sv.Backup(folder)])
    return model


@pytest.fixture
def backup(tmp_path, eagerly):
    """An honest backup after one epoch."""
    fitted(tmp_path / "backup", 1)
    return tmp_path / "backup"


def state(backup):
    return backup / f"{NAME}.weights.h5", backup / f"{NAME}.json"


def with_weights(backup, content):
    """Puts other weights there, with their checksum."""
    weights, record = state(backup)
    weights.write_bytes(content)
    told = json.loads(record.read_text()) | {"sha256": hashlib.sha256(content).hexdigest()}
    record.write_text(json.dumps(told))


@pytest.mark.parametrize(
    "write",
    [hostile.external_link, hostile.external_storage, hostile.never_stored],
    ids=lambda write: write.__name__,
)
def test_weights_lie_in_the_file_itself(write, backup):
    with_weights(backup, hostile.h5(write))
    model = learner()
    before = model.get_weights()
    with watch.over(backup), pytest.raises(ValueError, match=rf"{NAME}.*as Keras writes them"):
        sv.Backup(backup).restore(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_of_another_model_change_nothing(backup):
    with_weights(
        backup, hostile.h5(lambda file: file.create_dataset("vars/0", data=np.ones(4, "f4")))
    )
    with watch.over(backup), pytest.raises(ValueError, match="is no state of this"):
        sv.Backup(backup).restore(learner())


RECORDS = [b"", b"[]", b"1", b"{", b"\xff", b"{}", b'{"sha256": 1}', b'{"identity": {}}']
RECORDS += [b'{"a":' * 5_000 + b"1" + b"}" * 5_000]


@pytest.mark.parametrize("content", RECORDS, ids=lambda content: ascii(content[:16]))
def test_records_of_another_kind_make_a_state_damaged(content, backup):
    state(backup)[1].write_bytes(content)
    for whole in (False, True):
        if whole:  # an older one that is not damaged is taken
            (backup / "epoch-000000.weights.h5").write_bytes(state(backup)[0].read_bytes())
        with watch.over(backup):
            if content == b"{}":  # as of former versions, which wrote none
                assert sv.Backup(backup).restore(learner()) == 1
            elif not whole:
                with pytest.raises(ValueError, match="holds damaged states only") as refused:
                    sv.Backup(backup).restore(learner())
                assert "\n" not in str(refused.value)
            else:
                with pytest.warns(UserWarning, match=f"{NAME}.* is damaged"):
                    sv.Backup(backup).restore(learner())


@pytest.mark.parametrize(
    "identity",
    [1, [], "text", {"learner": 1}, {"learner": None, "version": []}, {"optimizer": [1, {}]}],
    ids=ascii,
)
def test_identities_of_another_kind_are_refused(identity, backup):
    record = state(backup)[1]
    record.write_text(json.dumps(json.loads(record.read_text()) | {"identity": identity}))
    with watch.over(backup), pytest.raises(ValueError) as refused:
        sv.Backup(backup).restore(learner())
    assert str(backup) in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
@pytest.mark.parametrize("part", [0, 1], ids=["weights", "record"])
def test_what_is_no_file_is_not_waited_for(kind, part, backup):
    path = state(backup)[part]
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with watch.over(backup):
        if part == 0:
            assert State.all_in(backup) == [] and sv.Backup(backup).epochs == 0
        else:
            with pytest.raises(ValueError, match="holds damaged states only"):
                sv.Backup(backup).restore(learner())


def test_links_are_replaced_and_not_followed(backup, tmp_path):
    (tmp_path / "secret").write_text("precious")
    for name in ("epoch-000002.weights.h5", "epoch-000002.json"):
        (backup / f"unfinished-{name}").symlink_to(tmp_path / "secret")
        (backup / name).symlink_to(tmp_path / "secret")
    with pytest.warns(UserWarning, match=r"epoch-000002.* is damaged"):
        fitted(backup, 2)
    assert (tmp_path / "secret").read_text() == "precious"
    assert not any(path.is_symlink() for path in backup.iterdir())
