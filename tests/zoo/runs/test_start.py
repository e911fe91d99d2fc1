"""New runs that begin with trained weights."""

import json

import keras
import numpy as np
import pytest

from keras_symvae import AVB, ELBO, Learner, SymmetricEquilibrium, families
from tests import cases
from zoo import PRESETS, Ladder, Preset
from zoo.cli import train
from zoo.runs import start
from zoo.trained import source

X = cases.images(16)


def pair(size=2):
    return Ladder((3, 3, 1), latents=(families.Normal(size),), width=4)


def trained(learner: Learner, path):
    """Saves a learner after an update; returns it."""
    learner.compile("adam", run_eagerly=True)
    learner.fit(X, batch_size=16, verbose=0)
    learner.save(path)
    return learner


def fresh(learner: Learner):
    learner.compile("adam", run_eagerly=True)
    return learner


def assert_equal(part, other):
    for one, two in zip(part.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("kind", [ELBO, SymmetricEquilibrium])
def test_any_game_begins_with_the_weights_of_another(kind, tmp_path):
    former = trained(ELBO(pair()), tmp_path / "model.keras")
    learner = fresh(kind(pair()))
    start.begin(learner, source.model_of(tmp_path))
    assert_equal(learner.pair, former.pair)
    assert int(learner.steps) == 0 == int(learner.optimizer.iterations)


def test_a_critic_is_taken_over_where_there_is_one(tmp_path):
    former = trained(AVB(pair()), tmp_path / "avb.keras")
    learner = fresh(AVB(pair()))
    start.begin(learner, tmp_path / "avb.keras")
    assert_equal(learner.critics["critic"], former.critics["critic"])
    trained(ELBO(pair()), tmp_path / "elbo.keras")
    before = learner.critics["critic"].get_weights()
    start.begin(learner, tmp_path / "elbo.keras")
    for one, two in zip(learner.critics["critic"].get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_start_that_does_not_fit_is_refused(tmp_path):
    trained(ELBO(pair()), tmp_path / "model.keras")
    with pytest.raises(ValueError, match="is a Ladder with other weights than this Ladder"):
        start.begin(fresh(ELBO(pair(3))), tmp_path / "model.keras")
    with pytest.raises(FileNotFoundError, match="no model file"):
        start.begin(fresh(ELBO(pair())), tmp_path / "none.keras")
    (tmp_path / "interrupted").mkdir()
    with pytest.raises(FileNotFoundError, match="is finished by --resume --out="):
        source.model_of(tmp_path / "interrupted")


@pytest.mark.usefixtures("eagerly")
def test_a_run_begins_from_another(tmp_path, monkeypatch):
    small = {"image_shape": (8, 8, 1), "latents": (2, 3), "width": 4}
    usual = vars(PRESETS["digits_ladder"])
    monkeypatch.setitem(PRESETS, "digits_ladder", Preset(**{**usual, "architecture": small}))
    flags = (
        "--preset=digits_ladder",
        "--steps=2",
        "--epoch_steps=2",
        "--steps_per_execution=1",
        "--limiting_steps=2",
    )
    flags = (*flags, "--verbose=0", "--batch_size=32")
    first, second = tmp_path / "first", tmp_path / "second"
    train.COMMAND(*flags, f"--out={first}")
    train.COMMAND(
        *flags, f"--start={first}", "--seed=1", "--learning_rate=1e-12", f"--out={second}"
    )
    assert json.loads((second / "settings.json").read_text())["start"] == str(first / "model.keras")
    models = [keras.saving.load_model(folder / "model.keras") for folder in (first, second)]
    for one, two in zip(*(model.pair.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    assert int(models[1].steps) == 2
    (first / "model.keras").unlink()  # a run with a state of its own does without
    train.COMMAND("--resume", f"--out={second}", "--limiting_steps=2", "--verbose=0")
    with pytest.raises(FileExistsError, match="holds a run"):
        train.COMMAND(*flags, f"--out={second}")
