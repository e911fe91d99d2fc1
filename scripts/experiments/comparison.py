"""A comparison of runs: what their chains do, averaged over seeds, as table and picture."""

import json
import pathlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_symvae import evaluation, pictures
from scripts.experiments.judge import Judge
from scripts.experiments.tables import markdown, mean_of
from zoo import presets
from zoo.runs import model_file
from zoo.runs import report as reports
from zoo.runs.data import spread
from zoo.runs.measurements import Measurements
from zoo.runs.run import Run
from zoo.runs.settings import data


class Comparison:
    """Runs side by side.

    Args:
        folders: of the runs; those that differ in nothing but the seed are averaged.
        n: number of chains, and of held-out images they are compared with.
        seed: integer, of the chains.
        features: folder that keeps the classifiers whose features the distances are taken in.
        steps: alternations after which the chain is looked at; 0 is one-shot.
        explained: (number of held-out images, importance-weighted draws for each) behind log p(x).
        shown: images in a row of the picture.
    """

    def __init__(
        self,
        folders: Iterable[str | pathlib.Path],
        *,
        n: int,
        seed: int,
        features: str | pathlib.Path,
        steps: Sequence[int] = (0, 1, 10, 100, 1000),
        explained: tuple[int, int] = (500, 500),
        shown: int = 10,
    ):
        self.runs = [Run(folder) for folder in folders]
        self.n, self.seed, self.features = n, seed, pathlib.Path(features)
        self.steps, self.explained, self.shown = tuple(steps), explained, shown

    def chain(self, run: Run) -> dict[str, Any]:
        """Returns the measured chain of one run, from its chain.json if that is as asked for."""
        path = run.folder / "chain.json"
        asked = {"n": self.n, "seed": self.seed, "steps": list(self.steps)}
        asked["explained"] = list(self.explained)
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["asked"] == asked:
                return kept
        learner, images = model_file.load(run.model), data(run.settings)
        measured = Measurements(learner, images, n=self.n, seed=self.seed)
        extractor = measured.features(extractor="classifier", folder=self.features)
        judge = Judge(extractor, spread(measured.held_out["x"], self.n))
        training = images.prepared(spread(images.read("train").x, self.n))
        number, draws = self.explained
        some = Measurements(learner, images, n=number, seed=self.seed)
        found = {
            "asked": asked,
            "extractor": extractor.name,
            "training": judge.distance(training),
            "rows": evaluation.consistency(
                learner.pair,
                steps=self.steps,
                n=self.n,
                seed=self.seed,
                distance=judge.distance,
                output="mode",  # as in the official code: thresholded bits, Gaussian means
            ),
            "information": {name: row["sum"] for name, row in measured.information().items()},
            "log_likelihood": some.log_likelihood(num_samples=draws),
        }
        reports.write(path, found)
        return found

    def results(self, former: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns what the table is made of, and what the numbers depend on, as JSON values.

        Args:
            former: results of other runs, which are kept beside these.

        Raises:
            ValueError: the former numbers were measured otherwise.
        """
        if former is not None and (former["n"], former["seed"]) != (self.n, self.seed):
            raise ValueError(
                f"the results to keep have n={former['n']} and seed={former['seed']}, these have "
                f"{self.n} and {self.seed}; give the same --n and --seed"
            )
        chains = [self.chain(run) for run in self.runs]
        kept = former or {}
        runs = {
            name: {"versions": kept["versions"], **run}
            for name, run in kept.get("runs", {}).items()
        }
        for run, chain in zip(self.runs, chains, strict=True):
            report = run.last_report()
            runs[run.folder.name] = {
                "settings": {k: v for k, v in run.settings.items() if k != "flags"},
                "seconds": report["seconds"],
                "decoder/x": report["metrics"]["val_decoder/x"]["last"],
                "chain": chain["rows"],
                "information": chain["information"],
                "log_likelihood": chain["log_likelihood"],
                "versions": report["versions"],
            }
        extractors = {chain["extractor"] for chain in chains} | set(kept.get("extractor", ()))
        return {
            **kept,
            "n": self.n,
            "seed": self.seed,
            "extractor": sorted(extractors),
            "training_images_to_held_out": statistics.mean(chain["training"] for chain in chains),
            "versions": reports.versions(),
            "runs": runs,
        }

    def picture(self, path: str | pathlib.Path) -> None:
        """Writes a PNG: per preset and learner a row one-shot and a row after the last step."""
        rows, labels, last = [], [], self.steps[-1]
        runs = {run.folder.name: run for run in self.runs}
        settings = {name: {"settings": run.settings} for name, run in runs.items()}
        for (preset, label, _), names in groups(settings).items():
            pair = model_file.load(runs[names[0]].model).pair
            options = {"seed": self.seed, "output": "mean"}
            rows.append(pair.generate(self.shown, **options)["x"])
            rows.append(pair.limiting(self.shown, steps=last, **options)["x"])
            labels += [f"{preset}\n{label}: one-shot", f"after {last}"]
        pictures.labelled_rows(path, rows, labels)


def groups(runs: Mapping[str, Any]) -> dict[tuple[str, str, int], list[str]]:
    """Returns {(preset, learner, updates): [names of runs]}; unusual options are named."""
    found: dict[tuple[str, str, int], list[str]] = {}
    for name, run in runs.items():
        settings = run["settings"]
        usual = presets.get(settings["preset"]).recipes[settings["learner"]].options
        options = dict(settings["options"])
        if "draws" in usual:
            options.setdefault("draws", 1)  # as all runs before there was a choice
        unusual = [f"{k}={v}" for k, v in options.items() if usual.get(k) != v]
        label = " ".join([settings["learner"], *unusual])
        found.setdefault((settings["preset"], label, settings["steps"]), []).append(name)
    return dict(
        sorted(found.items(), key=lambda item: (item[0][0], not item[0][1].startswith("symmetric")))
    )


def table(results: Mapping[str, Any]) -> str:
    """Returns the Markdown table of `Comparison.results`, mean ± standard deviation over seeds.

    Where a file of an older version lacks the "decoder/x" of single runs, it quotes their mean and
    deviation under "quoted".
    """
    heads = ["preset", "learner", "seeds", "updates", "minutes", "decoder/x", "information"]
    heads.append("log p(x)")
    rows = []
    steps = sorted({row["steps"] for run in results["runs"].values() for row in run["chain"]})
    for (preset, label, updates), names in groups(results["runs"]).items():
        runs = [results["runs"][name] for name in names]
        costs = [run["decoder/x"] for run in runs if "decoder/x" in run]
        bits = [run["information"].values() for run in runs]  # none of codes that are no bits
        told = [run["log_likelihood"]["mean"] for run in runs if "log_likelihood" in run]
        cells = [
            preset,
            label,
            ", ".join(str(run["settings"]["seed"]) for run in runs),
            updates,
            mean_of(run["seconds"] / 60 for run in runs),
            mean_of(costs) if costs else results["quoted"]["decoder/x"][f"{preset} {label}"],
            mean_of(sum(each) for each in bits) if any(bits) else "",
            mean_of(told) if told else "",
        ]
        cells += [mean_of(distance(run, step) for run in runs) for step in steps]
        rows.append(cells)
    return markdown([*heads, "one-shot", *(f"after {step}" for step in steps[1:])], rows)


def distance(run: Mapping[str, Any], step: int) -> float:
    """Returns the distance of a run's chain to held-out images after this number of steps."""
    return next(row["distance"] for row in run["chain"] if row["steps"] == step)
