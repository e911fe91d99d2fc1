"""An experiment: trainings that differ in few settings, each measured once, in one table."""

import abc
import dataclasses
import json
import pathlib
import time
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, final

from scripts.experiments.place import Place
from scripts.experiments.tables import Results
from zoo.runs import report as reports

C = TypeVar("C")


class Experiment(abc.ABC, Generic[C]):
    """Trainings under one folder, and the table and pictures that come of them.

        FOLDER/LABEL/result.json    settings, numbers, seconds, versions

    A training whose result the folder holds is not repeated, so an interrupted experiment goes on.
    The experiment lives in scripts/experiments/NAME/experiment.py and has that folder's name.

    Args:
        folder: keeps the trainings.
        data: what `zoo.datasets.load` takes.
        seeds: integers; every setting is trained with each.
        config: budgets, sizes and settings; by default those of the published table.
    """

    name: ClassVar[str]
    usual: ClassVar[str] = "fashion_mnist"  # the data if none are named
    defaults: ClassVar[Any]  # the config of the published table

    def __init__(
        self,
        folder: str | pathlib.Path,
        *,
        data: str,
        seeds: Iterable[int],
        config: C | None = None,
    ):
        self.folder, self.data, self.seeds = pathlib.Path(folder), data, tuple(seeds)
        self.config: C = self.defaults if config is None else config

    @abc.abstractmethod
    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        """Returns {label: settings} of all trainings with this seed, as JSON values."""

    @abc.abstractmethod
    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        """Trains and returns {name: number or list}; the folder keeps what pictures need."""

    @abc.abstractmethod
    def table(self, results: Results) -> str:
        """Returns the Markdown of results {label: result}."""

    @abc.abstractmethod
    def picture(self, place: Place, results: Results) -> None:
        """Writes the PNG, and others beside it."""

    @final
    def varied(
        self, key: str, variations: Mapping[str, Any], *, seed: int, **common: Any
    ) -> dict[str, dict[str, Any]]:
        """Returns {label: settings} of trainings that differ by one variation each.

        Args:
            key: setting that names the variation.
            variations: {name: dataclass of settings}; None is a setting that it does not have.
            seed: of all.
            common: further settings of all.
        """
        found = {}
        for name, variation in variations.items():
            own = {k: v for k, v in dataclasses.asdict(variation).items() if v is not None}
            found[f"{name}-seed-{seed}"] = {key: name, **own, **common, "seed": seed}
        return found

    @final
    def all_settings(self) -> dict[str, dict[str, Any]]:
        """Returns {label: settings} of all trainings with all seeds, as a file gives them back."""
        found: dict[str, dict[str, Any]] = {}
        for seed in self.seeds:
            found |= self.settings(seed)
        return json.loads(json.dumps(found))

    @final
    def make(self, out: str | pathlib.Path | None = None) -> str:
        """Trains what is missing, writes table, numbers and pictures; returns the table.

        Args:
            out: see `Place`.
        """
        results = {}
        for label, settings in self.all_settings().items():
            results[label] = self._result(label, settings)
            shown = {k: v for k, v in results[label]["found"].items() if isinstance(v, float)}
            print(f"{label}: {shown}", flush=True)
        place = Place(self.name, out)
        place.folder.mkdir(parents=True, exist_ok=True)
        table = self.table(results)
        place.table.write_text(table, encoding="utf-8")
        reports.write(place.results, results)
        self.picture(place, results)
        return table

    def _result(self, label: str, settings: dict[str, Any]) -> dict[str, Any]:
        folder = self.folder / label
        path = folder / "result.json"
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["settings"] != settings:
                raise ValueError(
                    f"{folder} was trained with {kept['settings']}, not {settings}; move it away"
                )
            return kept
        folder.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        found = self.measure(settings, folder)
        result = {
            "settings": settings,
            "found": found,
            "seconds": round(time.monotonic() - start, 1),
            "versions": reports.versions(),
        }
        reports.write(path, result)
        return json.loads(path.read_text(encoding="utf-8"))
