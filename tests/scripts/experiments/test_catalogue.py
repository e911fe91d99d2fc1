"""The catalogue finds experiments by their folders, so that a new one touches nothing else."""

import sys

import pytest

import scripts.experiments
from scripts.experiments import catalogue
from scripts.experiments.experiment import Experiment

CODE = '''
"""The experiment of doubling."""

from scripts.experiments.experiment import Experiment


class Doubling(Experiment):
    """Twice the seed."""

    name = "NAME"
    defaults = None

    def settings(self, seed):
        return {f"seed-{seed}": {"seed": seed}}

    def measure(self, settings, folder):
        return {"double": 2.0 * settings["seed"]}

    def table(self, results):
        return "".join(f"{result['found']['double']}" for result in results.values())

    def picture(self, place, results):
        place.picture().write_bytes(b"picture")
'''


@pytest.fixture
def room(tmp_path, monkeypatch):
    """Makes a folder of experiments beside the usual one, and returns a function to add one."""
    monkeypatch.setattr(catalogue, "ROOM", tmp_path)
    path = [*scripts.experiments.__path__, str(tmp_path)]
    monkeypatch.setattr(scripts.experiments, "__path__", path)

    def add(folder, code):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "experiment.py").write_text(code)

    yield add
    for name in [name for name in sys.modules if name.startswith("scripts.experiments.new_")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", catalogue.names())
def test_an_experiment_has_the_name_of_its_folder(name):
    kind = catalogue.get(name)
    assert issubclass(kind, Experiment) and kind.name == name
    assert kind.__module__ == f"scripts.experiments.{name}.experiment"
    assert isinstance(kind.usual, str) and type(kind.defaults).__name__ == "Config"


def test_configurations_are_frozen():
    for name in catalogue.names():
        defaults = catalogue.get(name).defaults
        with pytest.raises(AttributeError):
            setattr(defaults, next(iter(vars(defaults))), None)


def test_a_new_experiment_is_one_folder(room, tmp_path):
    room("new_doubling", CODE.replace("NAME", "new_doubling"))
    assert catalogue.names() == ["new_doubling"]
    kind = catalogue.get("new_doubling")
    table = kind(tmp_path / "runs", data="none", seeds=[3]).make(tmp_path / "out")
    assert table == "6.0" and (tmp_path / "out" / "new_doubling.png").exists()


def test_an_unknown_name_is_refused():
    with pytest.raises(
        ValueError, match=r"no experiment .squares.; choose one of camvid, celeb_a_mask_hq, coop"
    ):
        catalogue.get("squares")


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("new_other", CODE.replace("NAME", "doubling")),
        ("new_nothing", '"""Nothing."""\n'),
        ("new_nameless", CODE.replace('    name = "NAME"\n', "")),
    ],
)
def test_a_folder_without_an_experiment_of_its_name_is_refused(room, folder, code):
    room(folder, code)
    with pytest.raises(ValueError, match=f"one Experiment with name = '{folder}'"):
        catalogue.get(folder)
