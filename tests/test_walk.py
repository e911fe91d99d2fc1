"""The walk of one minibatch: a real one takes the way that CONTRIBUTING.md says."""

import pathlib
import re
import sys

import pytest

from tests import test_structure
from zoo.cli import train

ROOT = pathlib.Path(__file__).parent.parent


def stations():
    """Returns the files of the walk, from the command down to the families."""
    walk = test_structure.GUIDE.split("## The walk of one minibatch")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. `([^`]+)`", walk, re.MULTILINE)


def test_the_walk_goes_strictly_downwards():
    """A station may know the next one, and no station knows one above it."""
    found = stations()
    assert len(found) >= 8 and all((ROOT / path).is_file() for path in found)
    for index, path in enumerate(found):
        assert not set(found[:index]) & test_structure.reached(path), path


@pytest.mark.usefixtures("eagerly")
def test_a_minibatch_takes_it(tmp_path):
    """Every station is entered while the one above it is at work."""
    found = [str(ROOT / path) for path in stations()]
    steps = set()

    def watch(frame, event, argument):
        del argument
        if event != "call" or frame.f_code.co_filename not in found:
            return
        here = found.index(frame.f_code.co_filename)
        above = frame.f_back
        while here and above is not None:
            if above.f_code.co_filename == found[here - 1]:
                steps.add(here)
                return
            above = above.f_back

    flags = ("--preset=digits_ladder", "--steps=1", "--batch_size=4", "--limiting_steps=1")
    sys.setprofile(watch)
    try:
        train.COMMAND(*flags, "--verbose=0", f"--out={tmp_path / 'run'}")
    finally:
        sys.setprofile(None)
    assert steps == set(range(1, len(found)))
