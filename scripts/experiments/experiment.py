"""An experiment: trainings that differ in few settings, each measured once, in one table."""

import json
import pathlib
import statistics
import time

from keras_symvae import SymmetricEquilibrium
from zoo.presets.recipes import Recipe
from zoo.runs import report as reports


class Experiment:
    """Trainings under one folder, and the table and pictures that come of them.

        FOLDER/LABEL/result.json    settings, numbers, seconds, versions
        OUT/NAME.md  OUT/NAME.json  OUT/NAME.png

    What a folder already holds is not trained again, so an interrupted experiment goes on.

    Args:
        folder: keeps the trainings.
        data: what `zoo.datasets.load` takes.
        seeds: integers; every setting is trained with each.
    """

    name = ""
    usual = "fashion_mnist"  # the data where none are named

    def __init__(self, folder, *, data, seeds):
        self.folder, self.data, self.seeds = pathlib.Path(folder), data, tuple(seeds)

    def settings(self, seed):
        """Returns {label: settings} of all trainings with this seed, as JSON values."""
        raise NotImplementedError

    def measure(self, settings, folder):
        """Trains and returns {name: number or list}; the folder keeps what pictures need."""
        raise NotImplementedError

    def table(self, results):
        """Returns the Markdown of results {label: result}."""
        raise NotImplementedError

    def picture(self, path, results):
        """Writes the PNG."""
        raise NotImplementedError

    def make(self, out):
        """Trains what is missing, writes table, numbers and picture to `out`; returns the table."""
        results = {}
        for seed in self.seeds:
            for label, settings in self.settings(seed).items():
                results[label] = self._result(label, json.loads(json.dumps(settings)))
                shown = {k: v for k, v in results[label]["found"].items() if isinstance(v, float)}
                print(f"{label}: {shown}", flush=True)
        out = pathlib.Path(out)
        out.mkdir(parents=True, exist_ok=True)
        table = self.table(results)
        (out / f"{self.name}.md").write_text(table, encoding="utf-8")
        reports.write(out / f"{self.name}.json", results)
        self.picture(out / f"{self.name}.png", results)
        return table

    def _result(self, label, settings):
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


def play(pair, batches, *, rates, steps, seed, beta_1=0.5, game=None, **options):
    """Trains a pair by the symmetric game.

    Args:
        pair: the `Pair`.
        batches: `Minibatches`.
        rates: {key of `compile`: peak rate of Adam}, which falls to 0 along a cosine.
        steps: number of updates.
        seed: of the game.
        beta_1: of Adam.
        game: arguments of `SymmetricEquilibrium`.
        options: of `fit`.
    """
    learner = SymmetricEquilibrium(pair, seed=seed, **(game or {}))
    optimizer = Recipe(rates, beta_1=beta_1).optimizer(steps=steps)
    learner.compile(optimizer, steps_per_execution=10)  # pyright: ignore[reportArgumentType]
    learner.fit(batches, **{"steps_per_epoch": steps, "verbose": 0, **options})


def mean_of(values, *, digits=2):
    """Returns "mean ± standard deviation" of numbers, or the one number."""
    values = list(values)
    mean = f"{statistics.mean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def markdown(heads, rows):
    """Returns a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
