"""The environment: Keras on TensorFlow, and no other Keras beside it."""

import pathlib
import subprocess
import sys
import types

import keras
import pytest

from keras_symvae import SymmetricEquilibrium, environment
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.model.factors import Factor
from keras_symvae.model.trunks import Trunk
from tests import cases

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_is_refused_before_keras_looks_for_it(backend):
    result = subprocess.run(
        [sys.executable, "-c", "import keras_symvae"],
        env={"KERAS_BACKEND": backend, "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        f"ImportError: keras_symvae runs on TensorFlow, but KERAS_BACKEND is '{backend}'; unset "
        "KERAS_BACKEND or set it to 'tensorflow', in a new process."
    )


def test_a_save_makes_no_optimizer_of_its_own(tmp_path, monkeypatch):
    learner = SymmetricEquilibrium(cases.ladder())
    learner.compile("adam")
    learner.save_weights(tmp_path / "first.weights.h5")
    made, make = [], keras.optimizers.Optimizer.__init__

    def counted(optimizer, *args, **options):
        made.append(optimizer)
        make(optimizer, *args, **options)

    monkeypatch.setattr(keras.optimizers.Optimizer, "__init__", counted)
    learner.save_weights(tmp_path / "second.weights.h5")
    learner.save(tmp_path / "third.keras")
    assert not made


def test_training_needs_neither_a_home_nor_a_place_for_temporary_files_nor_stderr(tmp_path):
    command = f"exec {sys.executable} -m zoo.cli train --steps=2 --verbose=0 --out=run 2>&-"
    result = subprocess.run(
        ["/bin/sh", "-c", command],
        env={"PYTHONPATH": str(ROOT), "TMPDIR": "/nowhere", "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0
    assert (tmp_path / "run" / "model.keras").is_file()


def test_a_keras_that_was_imported_with_another_backend_is_refused(monkeypatch):
    other = types.SimpleNamespace(backend=types.SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", other)
    with pytest.raises(ImportError, match="but Keras was imported with 'jax'"):
        environment.check_backend()
    monkeypatch.setenv("KERAS_BACKEND", "")
    other.backend.backend = lambda: "tensorflow"
    environment.check_backend()


class Legacy:
    """Something of tf_keras, which the tests do without."""


Legacy.__module__ = "tf_keras.src.layers.dense"
CALLS = {
    "The network of factor 'x'": lambda: Factor("x", given="z", network=Legacy()),
    "The network of a trunk": lambda: Trunk(given="x", network=Legacy()),
    "The network of critic": lambda: Critic("x", network=Legacy()),
    "The optimizer": lambda: SymmetricEquilibrium(cases.ladder()).compile(Legacy()),
    "The optimizer of 'decoder'": lambda: SymmetricEquilibrium(cases.ladder()).compile(
        {"decoder": Legacy(), "encoder": "adam"}
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_belongs_to_tf_keras_is_refused_by_name(name):
    with pytest.raises(ValueError, match=rf"^{name} is tf_keras\..*Legacy of tf_keras, that is of"):
        CALLS[name]()
