"""Files, draws, losses and runs of former versions: all load, and all go on as they did.

On the machine that froze them, `FROZEN=exact` asks for equality to the last bit, in one process:
the sums of convolutions depend on the number of threads, and workers have one each.
"""

import json
import os
import zipfile

import keras
import numpy as np
import pytest

import zoo
from tests.frozen import freeze, run

FOLDER = freeze.FOLDER / "0.1.0"
NUMBERS = json.loads((FOLDER / "numbers.json").read_text(encoding="utf-8"))
EXACT = os.environ.get("FROZEN") == "exact"
TOLERANCE = {} if EXACT else {"rtol": 1e-5, "atol": 1e-5}
# To the last bit the numbers are those of graphs, as they were frozen.
fast = (lambda test: test) if EXACT else pytest.mark.usefixtures("eagerly")
FEW = 3  # updates, of which every one asks for all gradients and all slots


def first_of_its_kind():
    """Names of the files, without those that another preset of the same structure stands for."""
    kinds = {}
    for name, numbers in NUMBERS.items():
        kinds.setdefault((name.rsplit("-")[-1], str(numbers["losses"])), name)
    return sorted(kinds.values())


def equal(found, expected, message):
    if TOLERANCE:
        np.testing.assert_allclose(found, expected, **TOLERANCE, err_msg=message)
    else:
        np.testing.assert_array_equal(found, expected, err_msg=message)


def test_every_preset_and_learner_that_was_frozen_is_still_there():
    assert NUMBERS.keys() <= {f"{name}-{learner}" for name, learner in freeze.CASES}


def loaded(name):
    """Returns the model of a file, in which every weight and slot is the one that was frozen."""
    model = keras.saving.load_model(FOLDER / f"{name}.keras")
    assert freeze.digests(model) == NUMBERS[name]["arrays"]
    assert all(keras.saving.get_registered_object(key) for key in registered(name))
    return model


FIRST = first_of_its_kind()
OTHERS = [name for name in NUMBERS if name not in FIRST]
QUICK = {  # one file of every learner, and of every kind of model
    "digits_ladder-symmetric",
    "digits_semi-elbo",
    "digits_silhouettes-cooperative",
    *(f"digits_gaussian-{learner}" for learner in ("as_vae", "svae", "fgan")),
    *(f"digits_implicit-{learner}" for learner in ("avb", "wae")),
}


def assert_unchanged(name, *, updates):
    model = loaded(name)
    found, expected = freeze.measured(model, updates=updates), NUMBERS[name]
    assert found["metrics"] == expected["metrics"]
    for variable, values in expected["draws"].items():
        equal(found["draws"][variable], values, f"draws of {variable}")
    assert len(found["losses"]) == updates
    equal(found["losses"], expected["losses"][:updates], "losses")


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_loads_with_every_weight_and_slot(name):
    loaded(name)


def registered(name):
    """Yields the registered names that a file holds, such as "keras_symvae>Pair"."""

    def found(config):
        if isinstance(config, dict):
            if config.get("registered_name"):
                yield config["registered_name"]
            config = list(config.values())
        if isinstance(config, list):
            for part in config:
                yield from found(part)

    with zipfile.ZipFile(FOLDER / f"{name}.keras") as archive:
        names = found(json.loads(archive.read("config.json")))
    return {name for name in names if name.startswith(("keras_symvae>", "zoo>"))}


@fast
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.quick] * (name in QUICK)) for name in FIRST]
)
def test_a_file_loads_and_its_first_draws_and_updates_are_those_of_before(name):
    assert_unchanged(name, updates=FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIRST)
def test_draws_and_updates_are_those_of_before(name):
    assert_unchanged(name, updates=freeze.UPDATES)


def test_quick_files_are_of_all_learners_and_kinds_of_models():
    def kinds(names):
        presets, learners = zip(*(name.split("-") for name in names), strict=True)
        return set(learners), {zoo.PRESETS[name].model for name in presets}

    assert kinds(QUICK) == kinds(NUMBERS) and set(FIRST) >= QUICK


def test_a_run_resumes(tmp_path):
    with zipfile.ZipFile(FOLDER / "run.zip") as archive:
        archive.extractall(tmp_path)
    run.train(tmp_path, "--resume", "--preset=frozen")
    lines = [
        (tmp_path / name).read_text().splitlines() for name in ("metrics.jsonl", "whole.jsonl")
    ]
    for resumed, whole in zip(*lines, strict=True):
        resumed, whole = json.loads(resumed), json.loads(whole)
        assert (resumed["epoch"], resumed["step"]) == (whole["epoch"], whole["step"])
        assert resumed["metrics"].keys() == whole["metrics"].keys()
        for name, value in whole["metrics"].items():
            equal(resumed["metrics"][name], value, name)
    assert (tmp_path / "model.keras").is_file() and "frozen" not in zoo.PRESETS
