"""The catalogue: every experiment, found by its folder."""

import importlib

from scripts.experiments.experiment import Experiment
from scripts.experiments.place import ROOM


def names() -> list[str]:
    """Returns the names of all experiments, which are those of their folders."""
    return sorted(path.parent.name for path in ROOM.glob("*/experiment.py"))


def get(name: str) -> type[Experiment]:
    """Returns the class of an experiment.

    Raises:
        ValueError: there is no such folder, or its experiment.py does not define the one
            `Experiment` of this name.
    """
    if name not in names():
        raise ValueError(f"There is no experiment {name!r}; choose one of {', '.join(names())}.")
    module = importlib.import_module(f"scripts.experiments.{name}.experiment")
    kinds = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Experiment)
        and kind.__module__ == module.__name__
    ]
    if [getattr(kind, "name", None) for kind in kinds] != [name]:
        raise ValueError(
            f"scripts/experiments/{name}/experiment.py has to define one Experiment with "
            f"name = {name!r}; it defines {[kind.__name__ for kind in kinds]}."
        )
    return kinds[0]
