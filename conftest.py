"""What every test runs under: no start-up noise, no display, a fixed global seed."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # scripts that tests start inherit it
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["MPLBACKEND"] = "Agg"
os.environ["KERAS_SYMVAE_SHAPES"] = "1"  # contracts of shapes are checked

import keras
import pytest


@pytest.fixture(autouse=True)
def _seeded():
    """Gives every test the same initial weights, whichever tests ran before it."""
    keras.utils.set_random_seed(0)
