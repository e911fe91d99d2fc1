"""Folders of trained models: what is saved loads, in full and in half precision."""

import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

import zoo
from keras_symvae import AVB, ELBO, SymmetricEquilibrium, Team, families, saved
from tests import cases
from zoo.trained.card import FILE, MODEL, TEXT, Card, digest

X = cases.images(16)


def pair():
    return zoo.Ladder((3, 3, 1), latents=(2, 3), width=4)


def trained(learner):
    learner.compile("adam", run_eagerly=True)
    learner.fit(X, batch_size=16, verbose=0)
    return learner


def assert_equal(part, other, *, dtype="float32"):
    for one, two in zip(part.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two.astype(dtype).astype(two.dtype))


def test_all_of_a_learner_is_kept_where_no_precision_is_asked_for(tmp_path):
    learner = trained(SymmetricEquilibrium(pair(), draws=2, remember=0.5))
    card = zoo.save(learner, tmp_path / "m")
    assert {path.name for path in (tmp_path / "m").iterdir()} == {FILE, MODEL, TEXT}
    assert card == Card.read(tmp_path / "m") and card.files == {
        MODEL: digest(tmp_path / "m" / MODEL)
    }
    assert (card.name, card.learner, card.model) == ("m", "SymmetricEquilibrium", "Ladder")
    assert card.updates == 1 and card.parameters == learner.pair.count_params()
    again = zoo.load(tmp_path / "m")
    for one, two in zip(learner.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_players_alone_are_kept_in_the_precision_that_is_asked_for(dtype, tmp_path):
    learner = trained(SymmetricEquilibrium(pair(), draws=2, remember=0.5, seed=5))
    zoo.save(learner, tmp_path, dtype=dtype)
    with zipfile.ZipFile(tmp_path / MODEL) as file, h5py.File(file.open("model.weights.h5")) as h5:
        kinds = set()
        h5.visititems(lambda name, part: kinds.add(str(getattr(part, "dtype", ""))))
    assert kinds == {"", dtype, "int32"}
    again = zoo.load(tmp_path)
    assert_equal(again.pair, learner.pair, dtype=dtype)
    assert all(weight.dtype == "float32" for weight in again.pair.weights)
    assert (again.seed, again.draws, int(again.steps)) == (5, 2, 1)
    again.evaluate(X, verbose=0)
    again.fit(np.concatenate([X, X]), batch_size=16, verbose=0)  # it remembers no other data


def test_critics_come_along(tmp_path):
    latents = (families.Normal(2),)
    learner = AVB(zoo.Ladder((3, 3, 1), latents=latents, width=4))
    zoo.save(learner, tmp_path, dtype="float16")
    assert_equal(zoo.load(tmp_path).critics["critic"], learner.critics["critic"], dtype="float16")


def test_a_team_is_counted_member_by_member(tmp_path):
    maps = {"image_shape": (8, 8, 1), "num_classes": 3, "latent": 2, "filters": (2, 4), "width": 8}
    learner = zoo.PRESETS["digits_silhouettes"]
    team = zoo.Segmentation(**maps)
    from keras_symvae import Cooperative

    assert isinstance(team, Team) and learner.model == "segmentation"
    card = zoo.save(Cooperative(team, mixing=1.0), tmp_path, dtype="float16")
    assert card.parameters == sum(m.count_params() for m in team.members.values())
    assert_equal(zoo.load(tmp_path).pair, team, dtype="float16")


def test_weights_that_half_precision_cannot_hold_are_refused(tmp_path):
    learner = ELBO(pair())
    learner.pair.set_weights([np.full(w.shape, 1e6) for w in learner.pair.weights])
    with pytest.raises(ValueError, match="are no finite numbers as float16"):
        zoo.save(learner, tmp_path, dtype="float16")
    assert list(tmp_path.iterdir()) == []


REFUSED = {
    "no learner": ({"model": "m"}, ValueError, "model is a Learner; received 'm'"),
    "dtype": ({"dtype": "int8"}, ValueError, "dtype is one of float32, float16; received 'int8'"),
    "card": ({"card": {"colour": "red"}}, ValueError, "A card says about, .*received colour"),
    "folder": ({"folder": 3}, ValueError, "folder is a path; received 3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arguments_that_are_none_are_refused(name, tmp_path):
    changes, kind, message = REFUSED[name]
    asked = {"model": ELBO(pair()), "folder": tmp_path / "m", **changes}
    with pytest.raises(kind, match=message):
        zoo.save(asked.pop("model"), asked.pop("folder"), **asked)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_others_stays_as_it_is(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileExistsError, match=r"holds notes\.txt; choose a new or empty folder"):
        zoo.save(ELBO(pair()), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_is_sent_only_if_it_says_what_it_is(tmp_path):
    with pytest.raises(
        ValueError, match="address is hf://USER/NAME; received 'kaggle://a/b/keras/v'"
    ):
        zoo.upload(tmp_path, "kaggle://a/b/keras/v")
    with pytest.raises(FileNotFoundError, match=r"has no card\.json; zoo\.save writes it"):
        zoo.upload(tmp_path, "hf://user/name")
    zoo.save(ELBO(pair()), tmp_path, card={"data": "Bits."})
    with pytest.raises(ValueError, match="does not say its licence"):
        zoo.upload(tmp_path, "hf://user/name")
    (tmp_path / MODEL).write_bytes(b"")
    with pytest.raises(ValueError, match="its SHA-256 is not"):
        zoo.upload(tmp_path, "hf://user/name")


ALONE = """
import sys, keras, zoo
print(type(keras.saving.load_model(sys.argv[1]).pair).__name__)
"""


@pytest.mark.slow
def test_the_zoo_alone_is_enough_for_keras(tmp_path):
    zoo.save(SymmetricEquilibrium(pair()), tmp_path)
    command = [sys.executable, "-c", ALONE, str(tmp_path / MODEL)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert done.stdout == "Ladder\n"


def test_half_precision_is_loaded_by_keras_as_well(tmp_path):
    zoo.save(ELBO(pair()), tmp_path, dtype="float16")
    again, other = keras.saving.load_model(tmp_path / MODEL), saved.load(tmp_path / MODEL)
    assert_equal(again.pair, other.pair)
