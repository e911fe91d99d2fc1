"""Settings and data of runs with labels, label maps and sampled priors."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_symvae import Cooperative, Pair, SymmetricEquilibrium
from tests import cases
from zoo.datasets import label_maps
from zoo.runs import data as run_data
from zoo.runs import model_file, settings

FLAGS = dict.fromkeys(settings.FLAGS) | {"seed": 3, "jit_compile": False, "batch_size": 32}


def resolved(**flags):
    return settings.resolve({**FLAGS, **flags})


def test_few_labels_stand_beside_all_images():
    chosen = resolved(preset="digits_semi", labels_per_class=5)
    data = settings.data(chosen)
    options = {"batch_size": 32, "labelled_batch_size": 20, "seed": 3}
    batch = data.batches(**options).at(0)
    known = batch["y"].numpy() >= 0
    assert known.tolist() == 20 * [True] + 32 * [False]
    rows = data.chosen(data.read("train").y, seed=3)
    np.testing.assert_array_equal(np.bincount(data.read("train").y[rows]), 10 * [5])
    assert set(rows) != set(data.chosen(data.read("train").y, seed=4))
    assert (data.held_out()["y"] >= 0).all()


def test_few_label_maps_stand_beside_all_images():
    chosen = resolved(preset="digits_silhouettes", masks=30)
    batches = settings.data(chosen).batches(batch_size=16, labelled_batch_size=4, seed=3)
    missing = (batches.at(2)["s"].numpy() == -1).all(axis=(1, 2))
    assert missing.tolist() == 4 * [False] + 16 * [True]


def test_a_class_that_is_ignored_is_pixels_without_a_label(tmp_path):
    s = np.arange(20 * 64).reshape(20, 8, 8) % 12
    np.savez(tmp_path / "maps.npz", x=np.zeros((20, 8, 8), "float32"), s=s)
    flags = {"preset": "digits_silhouettes", "data": str(tmp_path / "maps.npz")}
    with pytest.raises(ValueError, match="has 12 classes, but preset 'digits_silhouettes' knows"):
        settings.data(resolved(**flags)).held_out()
    held_out = settings.data(resolved(**flags, ignore=11)).held_out()
    kept = label_maps.load(tmp_path / "maps.npz", split="test").s
    np.testing.assert_array_equal(held_out["s"], np.where(kept == 11, -1, kept))


SCENE = {"sky": [0, 0, 255], "road": [9, 9, 9], "void": [0, 0, 0]}


def scenes(folder):
    """Gray images and masks in the colours of `SCENE`."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for index in range(20):
        gray = rng.integers(0, 255, (8, 8), np.uint8)
        mask = np.array(list(SCENE.values()), np.uint8)[rng.integers(0, 3, (8, 8))]
        Image.fromarray(gray).save(folder / f"images/{index}.png")
        Image.fromarray(mask).save(folder / f"masks/{index}.png")


def test_a_table_of_classes_decides_the_classes_of_the_model(tmp_path, monkeypatch):
    scenes(tmp_path / "scenes")
    (tmp_path / "table.json").write_text(json.dumps(SCENE))
    monkeypatch.chdir(tmp_path)
    flags = {"preset": "digits_silhouettes", "data": "scenes"}
    chosen = resolved(**flags, classes="table.json")
    assert chosen["architecture"]["num_classes"] == 2
    assert settings.learner(chosen).pair.classes == {"sky": [0, 0, 255], "road": [9, 9, 9]}
    assert set(np.unique(settings.data(chosen).held_out()["s"])) == {-1, 0, 1}
    # A run keeps what the table said.
    (tmp_path / "table.json").unlink()
    again = settings.resolve({**FLAGS, **chosen["flags"]}, former=chosen)
    assert again == chosen
    with pytest.raises(ValueError, match=r"no file .*table\.json"):
        resolved(**flags, classes="table.json")
    with pytest.raises(ValueError, match=r"images/0\.png|masks/0\.png has mode RGB of 8 bits"):
        settings.data(resolved(**flags)).held_out()
    with pytest.raises(
        ValueError, match="preset 'digits_semi' is a semi_supervised, without --cla"
    ):
        resolved(preset="digits_semi", classes="camvid")


def test_data_bring_their_classes_and_presets_know_those_of_theirs(tmp_path):
    assert resolved(preset="camvid")["classes"] == "camvid"
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (tmp_path / name).mkdir(parents=True)
    chosen = resolved(preset="camvid", data=str(tmp_path))
    assert (chosen["classes"], chosen["architecture"]["num_classes"]) == ("voc", 21)
    other = resolved(preset="camvid", data=str(tmp_path), classes="cityscapes")
    assert (other["classes"], other["architecture"]["num_classes"]) == ("cityscapes", 19)


def test_a_prior_comes_from_a_file(tmp_path, monkeypatch):
    codes = np.random.default_rng(0).integers(0, 2, size=(50, 10)).astype("float32")
    np.savez(tmp_path / "codes.npz", z0=codes)
    chosen = resolved(preset="digits_ladder", prior=str(tmp_path / "codes.npz"))
    learner = settings.learner(chosen)
    drawn = learner.generate(30)["z0"]
    assert {tuple(row) for row in drawn} <= {tuple(row) for row in codes}
    monkeypatch.chdir(tmp_path)
    relative = resolved(preset="digits_ladder", prior="codes.npz")
    assert relative == chosen
    monkeypatch.chdir("/")
    assert settings.resolve(relative["flags"], former=relative) == relative
    np.savez(tmp_path / "codes.npz", codes=codes)
    with pytest.raises(ValueError, match="have to be called z0"):
        settings.learner(chosen)


REFUSED = {
    "labels for a ladder": ({"preset": "digits_ladder", "labels_per_class": 5}, "without --labels"),
    "label maps for labels": ({"preset": "digits_semi", "masks": 5}, "without --masks"),
    "a class to ignore, of labels": ({"preset": "digits_semi", "ignore": 5}, "without --ignore"),
    "a prior for the ELBO": (
        {"preset": "digits_ladder", "learner": "elbo", "prior": "x.npz"},
        "--prior is for ladders",
    ),
    "a pair's learner for a team": (
        {"preset": "digits_silhouettes", "learner": "elbo"},
        "has recipes for cooperative",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_flags_that_contradict_each_other_are_refused(name):
    flags, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        resolved(**flags)


def test_more_labels_than_there_are_are_refused():
    data = settings.data(resolved(preset="digits_semi", labels_per_class=5000))
    with pytest.raises(ValueError, match="5000 labels were asked for, but 'digits' has"):
        data.batches(batch_size=8, seed=0)


def test_data_without_labels_are_refused(tmp_path):
    np.savez(tmp_path / "images.npz", x=np.zeros((20, 8, 8), "float32"))
    data = settings.data(resolved(preset="digits_semi", data=str(tmp_path / "images.npz")))
    with pytest.raises(ValueError, match="learns from labels, and"):
        data.batches(batch_size=8, seed=0)


def test_a_team_is_told_apart_from_a_pair(tmp_path):
    learner = Cooperative(cases.team(), mixing=1.0)
    learner.compile()
    learner.save(tmp_path / "team.keras")
    with pytest.raises(ValueError, match="holds a Team, and this command needs a Pair"):
        model_file.load(tmp_path / "team.keras", kinds=(Pair,))
    assert isinstance(model_file.load(tmp_path / "team.keras"), Cooperative)


def test_a_run_of_before_a_setting_existed_goes_on():
    chosen = resolved(preset="digits_ladder")
    former = {name: value for name, value in chosen.items() if name != "constant"}
    settings.check_same(chosen, former=former)
    with pytest.raises(ValueError, match=r"constant was None and is now \['critic'\]"):
        settings.check_same({**chosen, "constant": ["critic"]}, former=former)


def test_a_run_of_before_a_split_was_recorded_keeps_the_old_rule(monkeypatch):
    monkeypatch.setattr(settings, "SPLIT_RULE", "another")
    new = resolved(preset="digits_ladder")
    assert new["split_rule"] == "another" and settings.data(new).split_rule == "another"
    former = {name: value for name, value in new.items() if name != "split_rule"}
    resumed = settings.resolve(new["flags"], former=former)
    assert resumed["split_rule"] == run_data.OLD_SPLIT_RULE == settings.data(former).split_rule
    settings.check_same(resumed, former=former)
    settings.check_same(settings.resolve(new["flags"], former=new), former=new)
    with pytest.raises(ValueError, match="split_rule was 'shuffled' and is now 'another'"):
        settings.check_same(new, former=former)


def test_more_classes_than_a_model_knows_are_refused(tmp_path):
    x, y = np.zeros((24, 8, 8), "float32"), np.arange(24) % 12
    np.savez(tmp_path / "images.npz", x=x, y=y)
    data = settings.data(resolved(preset="digits_semi", data=str(tmp_path / "images.npz")))
    with pytest.raises(ValueError, match="has 12 classes, but preset 'digits_semi' knows 10"):
        data.batches(batch_size=8, seed=0)


def test_a_prior_is_codes_or_a_model_of_images(tmp_path):
    chosen = resolved(preset="digits_ladder", prior=str(tmp_path / "codes.txt"))
    with pytest.raises(ValueError, match=r"--prior is a \.npz with z0, a \.npy or a model\.keras"):
        settings.learner(chosen)
    learner = SymmetricEquilibrium(cases.conditional())
    learner.compile()
    learner.save(tmp_path / "labelled.keras")
    chosen = resolved(preset="digits_ladder", prior=str(tmp_path / "labelled.keras"))
    with pytest.raises(ValueError, match="is a model of x, y; take one of x alone"):
        settings.learner(chosen)
