"""Tests of former names: what version 0.1 called differently is found, with a warning."""

import importlib
import json
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

from keras_symvae import former, seeds
from keras_symvae.former import MODULES, REMOVED_IN, Finder, install
from tests import cases

ROOT = pathlib.Path(__file__).parent.parent
FRESH = """
import importlib, json, sys, warnings
from keras_symvae import former
import zoo

found = {"modules": {}, "names": {}}
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for name, now in former.MODULES.items():
        before = len(told)
        module = importlib.import_module(name)
        # A package that imports its own former names would warn of them too.
        own = [w for w in told[before:] if f"The module {name} is now {now};" in str(w.message)]
        found["modules"][name] = [
            module is importlib.import_module(now),
            sys.modules[name] is sys.modules[now],
            (module.__name__, module.__spec__.name) == (now, now),
            [w.category.__name__ for w in own],
        ]
        again = len(told)
        importlib.import_module(name)
        found["modules"][name].append(len(told) - again)
    from keras_symvae.pair import Pair
    from keras_symvae.players import Player
    from keras_symvae.learners.base import Learner
    from keras_symvae.learners.avb import AVB
    from keras_symvae.critics import Critic
    import keras_symvae.team
    from zoo.ladder import Ladder
    from zoo.unet import UNet
import keras_symvae
for kind in (Pair, Player, Learner, AVB, Critic):
    found["names"][kind.__name__] = kind is getattr(keras_symvae, kind.__name__)
found["names"]["Team"] = keras_symvae.team.Team is keras_symvae.Team
found["names"]["Ladder"] = Ladder is zoo.Ladder
found["names"]["UNet"] = UNet is zoo.UNet if hasattr(zoo, "UNet") else UNet.__name__ == "UNet"
print(json.dumps(found))
"""


def test_every_former_module_is_the_present_one_in_a_fresh_process():
    done = subprocess.run(
        [sys.executable, "-c", FRESH], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["modules"].keys() == MODULES.keys()
    for name, (same, entered, named, warned, again) in found["modules"].items():
        assert same and entered and named, name
        assert warned == ["DeprecationWarning"], name
        assert again == 0, f"{name} warned again"
    assert found["names"] and all(found["names"].values()), found["names"]


def test_present_modules_are_there_and_former_ones_have_no_file():
    """A file of a former name would be found first, and be another module."""
    for name, now in MODULES.items():
        assert importlib.import_module(now).__name__ == now
        path = ROOT.joinpath(*name.split("."))
        assert not path.with_suffix(".py").exists() and not path.is_dir(), name
        assert now not in MODULES, f"{name} leads to another former name"


def test_the_library_does_not_use_its_former_names():
    for path in [*ROOT.glob("keras_symvae/**/*.py"), *ROOT.glob("zoo/**/*.py")]:
        text = path.read_text()
        for name in MODULES:
            lines = [line for line in text.splitlines() if line.startswith((f"from {name} ",))]
            assert not lines, (path, lines)


def test_only_former_names_are_found():
    finder = Finder()
    assert finder.find_spec("keras_symvae.nothing", None) is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("keras_symvae.nothing")
    install()
    assert sum(isinstance(each, Finder) for each in sys.meta_path) == 1


CALLS = {
    "dream": ("chain.dream", lambda values: ((4,), {})),
    "encoded": ("chain.encode", lambda values: ((values,), {})),
    "decoded": ("chain.decode", lambda values: (({"z0": np.ones((4, 2), "float32")},), {})),
    "alternated": ("chain.alternate", lambda values: ((values,), {"steps": 2})),
}


@pytest.mark.parametrize("name", CALLS)
def test_former_methods_of_a_pair_warn_and_answer_as_the_present_ones(name):
    now, given = CALLS[name]
    pair = cases.ladder()
    args, options = given({"x": cases.images(4)})
    with pytest.warns(DeprecationWarning) as told:
        found = getattr(pair, name)(*args, seed=seeds.make(3), **options)
    assert [str(each.message) for each in told] == [
        f"Ladder.{name} is now {now}; the former name will go in version {REMOVED_IN}."
    ]
    assert told[0].filename == __file__  # it points at the line that has to change
    expected = getattr(pair.chain, now.split(".")[1])(*args, seed=seeds.make(3), **options)
    assert found.keys() == expected.keys() and len(found) > 0
    for variable, value in expected.items():
        np.testing.assert_array_equal(found[variable], value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(pair.chain, now.split(".")[1])(*args, seed=seeds.make(3), **options)


def test_every_renamed_method_has_its_row():
    """Whatever `former.method` made of the pair stands in the table above."""
    made = former.method("any", now="chain.dream").__qualname__
    kinds = type(cases.ladder()).__mro__
    renamed = {
        name
        for kind in kinds
        for name, member in vars(kind).items()
        if getattr(member, "__qualname__", "") == made
    }
    assert renamed == CALLS.keys()
