"""What every test runs under: no start-up noise, no display, a fixed global seed."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # scripts that tests start inherit it
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["MPLBACKEND"] = "Agg"
os.environ["KERAS_SYMVAE_SHAPES"] = "1"  # contracts of shapes are checked
if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores; more threads only wait
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import keras
import pytest
import tensorflow as tf

QUICK = ("tests/test_structure.py",)  # of whose tests all are of the inner loop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of some files, beside those that are marked where they stand."""
    for item in items:
        if item.nodeid.startswith(QUICK):
            item.add_marker(pytest.mark.quick)


@pytest.fixture(autouse=True)
def _seeded():
    """Gives every test the same initial weights, whichever tests ran before it."""
    keras.utils.set_random_seed(0)


@pytest.fixture
def eagerly():
    """Runs all graph functions of a test as plain Python, for few steps cheaper than a trace."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
