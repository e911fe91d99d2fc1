"""Several devices make the steps of one, in processes of their own; see `mirrored`."""

import subprocess
import sys

import pytest

from keras_symvae.learners import registry

NAMES = (
    "symmetric",
    "symmetric draws",
    "elbo",
    "elbo draws",
    "cooperative",
    "avb",
    "as_vae",
    "svae",
    "wae",
    "wae gan",
    "fgan",
)


def test_every_learner_is_compared():
    assert {name.split()[0] for name in NAMES} == set(registry.LEARNERS)


@pytest.mark.slow  # a process that traces a step for two devices
@pytest.mark.parametrize("name", [*NAMES, "refusals", "odd batches"])
def test_two_devices_make_the_step_of_one(name):
    program = [sys.executable, "-m", "tests.learners.mirrored", name]
    result = subprocess.run(program, check=False, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr[-3000:]
