"""A comparison of runs: what their chains do, averaged over seeds, as table and picture."""

import json
import statistics

import numpy as np

from keras_symvae import evaluation, pictures
from scripts.experiments.experiment import markdown, mean_of
from zoo.cli import commands
from zoo.presets import table as presets
from zoo.runs import report as reports
from zoo.runs.data import spread
from zoo.runs.measurements import Measurements
from zoo.runs.run import Run
from zoo.runs.settings import data

STEPS = (0, 1, 10, 100, 1000)  # alternations after which the chain is looked at; 0 is one-shot
SHOWN = 10  # images in a row of the picture


class Comparison:
    """Runs side by side.

    Args:
        folders: of the runs; those that differ in nothing but the seed are averaged.
        n: number of chains, and of held-out images they are compared with.
        seed: integer, of the chains.
        features: folder that keeps the classifiers whose features the distances are taken in.
    """

    def __init__(self, folders, *, n, seed, features):
        self.runs = [Run(folder) for folder in folders]
        self.n, self.seed, self.features = n, seed, features

    def chain(self, run):
        """Returns the measured chain of one run, from its chain.json where that is as asked for."""
        path = run.folder / "chain.json"
        asked = {"n": self.n, "seed": self.seed, "steps": list(STEPS)}
        if path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["asked"] == asked:
                return kept
        learner, images = commands.load_model(run.model), data(run.settings)
        measured = Measurements(learner, images, n=self.n, seed=self.seed)
        extractor = measured.features(extractor="classifier", folder=self.features)
        real = extractor(spread(measured.held_out["x"], self.n))

        def distance(x):
            return evaluation.frechet_distance(real, extractor(np.clip(x, 0.0, 1.0)))

        training = images.prepared(spread(images.read("train").x, self.n))
        found = {
            "asked": asked,
            "extractor": extractor.name,
            "training": distance(training),
            "rows": evaluation.consistency(
                learner.pair,
                steps=STEPS,
                n=self.n,
                seed=self.seed,
                distance=distance,
                output="mode",  # as in the official code: thresholded bits, Gaussian means
            ),
            "information": {name: row["sum"] for name, row in measured.information().items()},
        }
        reports.write(path, found)
        return found

    def groups(self):
        """Returns {(preset, learner): [run]}; options that are not the preset's are named."""
        groups = {}
        for run in self.runs:
            settings = run.settings
            usual = presets.get(settings["preset"]).recipes[settings["learner"]].options
            unusual = [f"{k}={v}" for k, v in settings["options"].items() if usual.get(k) != v]
            label = " ".join([settings["learner"], *unusual])
            groups.setdefault((settings["preset"], label), []).append(run)
        return dict(
            sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] != "symmetric"))
        )

    def table(self):
        """Returns the Markdown table, mean ± standard deviation over seeds."""
        heads = ["preset", "learner", "seeds", "updates", "minutes", "decoder/x", "information"]
        rows = []
        for (preset, label), runs in self.groups().items():
            chains = [self.chain(run) for run in runs]
            found = [run.last_report() for run in runs]
            cells = [
                preset,
                label,
                ", ".join(str(run.settings["seed"]) for run in runs),
                str(runs[0].settings["steps"]),
                mean_of(report["seconds"] / 60 for report in found),
                mean_of(report["metrics"]["val_decoder/x"]["last"] for report in found),
                mean_of(sum(chain["information"].values()) for chain in chains),
            ]
            for step in STEPS:
                cells.append(mean_of(_at(chain, step)["distance"] for chain in chains))
            rows.append(cells)
        return markdown([*heads, "one-shot", *(f"after {step}" for step in STEPS[1:])], rows)

    def picture(self, path):
        """Writes a PNG: per preset and learner a row one-shot and a row after the last step."""
        rows, labels = [], []
        for (preset, label), runs in self.groups().items():
            pair = commands.load_model(runs[0].model).pair
            options = {"seed": self.seed, "output": "mean"}
            rows.append(pair.generate(SHOWN, **options)["x"])
            rows.append(pair.limiting(SHOWN, steps=STEPS[-1], **options)["x"])
            labels += [f"{preset}\n{label}: one-shot", f"after {STEPS[-1]}"]
        pictures.labelled_rows(path, rows, labels)

    def provenance(self):
        """Returns what stands beside the figures, as JSON values."""
        chains = [self.chain(run) for run in self.runs]
        return {
            "n": self.n,
            "seed": self.seed,
            "extractor": sorted({chain["extractor"] for chain in chains}),
            "training_images_to_held_out": statistics.mean(chain["training"] for chain in chains),
            "versions": reports.versions(),
            "runs": {
                run.folder.name: {
                    "settings": {k: v for k, v in run.settings.items() if k != "flags"},
                    "seconds": run.last_report()["seconds"],
                    "chain": chain["rows"],
                    "information": chain["information"],
                }
                for run, chain in zip(self.runs, chains, strict=True)
            },
        }


def _at(chain, step):
    return next(row for row in chain["rows"] if row["steps"] == step)
