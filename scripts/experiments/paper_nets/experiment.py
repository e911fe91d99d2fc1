"""The experiment of the paper's networks: distance and bound against seconds of training."""

import pathlib
import time
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_symvae import Batches, Learner, evaluation, learners, pictures
from scripts.experiments import judge, training
from scripts.experiments.experiment import Experiment
from scripts.experiments.judge import Judge
from scripts.experiments.paper_nets.config import Config
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, findings, markdown, mean_of
from zoo import presets
from zoo.datasets.preparation import Preparation
from zoo.presets.recipes import Recipe

CURVES = {"bound": "log p(x), nats", "one_shot": "Frechet distance, one-shot"}


class PaperNets(Experiment[Config]):
    """The paper's convolutional ladder under both games, looked at while it learns.

    Seconds are those of the processor while it trains, which other programs on the machine lengthen
    less than those of a clock; what is measured in between does not count. The bound is the
    importance-weighted one of held-out images, the distance that of means of pixels to held-out
    images in the features of a classifier.

    Args: see `Experiment`.

    Reference: Flach, Schlesinger, Shekhovtsov, AISTATS 2024, appendix, for the networks.
    """

    name = "paper_nets"
    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        common = {"preset": self.config.preset, "data": self.data}
        return self.varied("method", self.config.methods, seed=seed, **common)

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        config, preset = self.config, presets.get(settings["preset"])
        preparation, seed = Preparation(**preset.preparation), settings["seed"]
        train, test = training.parts(settings["data"])
        if train.y is None or train.num_classes is None:
            raise ValueError(f"{settings['data']!r} has no labels to train a classifier with")
        path = self.folder.parent / f"features-{train.name}-none.keras"
        features = judge.classifier(train.x, train.y, num_classes=train.num_classes, path=path)
        judging = Judge(features, test.x[: config.samples])
        explained = test.x[: config.explained[0]]
        learner = learner_of(settings)
        batches = Batches(
            {"x": train.x}, batch_size=preset.batch_size, seed=seed, transform=preparation
        )
        curves: dict[str, list[float]] = {key: [] for key in ("seconds", "updates", *CURVES)}
        training.fit(learner, batches, steps=config.warm)  # Keras compiles in them
        done, spent, dreams = config.warm, 0.0, np.empty(0)
        for share in config.looks:
            until = max(done + 1, round(share * settings["steps"]))
            begun = time.process_time()
            training.fit(learner, batches, steps=until - done)
            spent, done = spent + time.process_time() - begun, until
            bound = evaluation.log_likelihood(
                learner.pair, {"x": explained}, num_samples=config.explained[1]
            )
            dreams = learner.pair.generate(config.samples, seed=1, output="mean")["x"]
            seen = (spent, done, float(bound.mean()), judging.distance(dreams))
            for key, value in zip(curves, seen, strict=True):
                curves[key].append(value)
            print(f"{settings['method']}: {dict(zip(curves, seen, strict=True))}", flush=True)
        chains = learner.pair.limiting(
            config.samples, steps=config.alternations, seed=2, output="mean"
        )["x"]
        learner.save(folder / "model.keras")
        few = slice(config.shown)
        np.savez(folder / "shown.npz", samples=dreams[few], chains=chains[few])
        return {**curves, "limiting": judging.distance(chains)}

    def table(self, results: Results) -> str:
        heads = ["game", "updates", "seconds", *CURVES.values()]
        heads.append(f"after {self.config.alternations}")
        rows = []
        for method in self.config.methods:
            found = findings(results, method=method)
            last = [mean_of((f[key][-1] for f in found), digits=2) for key in CURVES]
            seconds = mean_of((f["seconds"][-1] for f in found), digits=0)
            limiting = mean_of(f["limiting"] for f in found)
            rows.append([method, found[0]["updates"][-1], seconds, *last, limiting])
        return markdown(heads, rows)

    def picture(self, place: Place, results: Results) -> None:
        figure = Figure(figsize=(10.0, 4.0), layout="constrained")
        for axes, (key, title) in zip(figure.subplots(1, 2), CURVES.items(), strict=True):
            for index, method in enumerate(self.config.methods):
                for number, found in enumerate(findings(results, method=method)):
                    label = None if number else method
                    style = {"color": f"C{index}", "marker": ".", "label": label}
                    axes.plot(found["seconds"], found[key], **style)
            axes.set(xlabel="seconds of training", ylabel=title)
            axes.legend(fontsize=8)
        figure.savefig(place.picture(), dpi=90)
        kinds = ("samples", "chains")
        methods = list(self.config.methods)
        figure = Figure(figsize=(18.0, 0.8 * len(methods) + 0.4), layout="constrained")
        grid = figure.subplots(len(methods), len(kinds), squeeze=False)
        for row, method in zip(grid, methods, strict=True):
            shown = np.load(self.folder / f"{method}-seed-{self.seeds[0]}" / "shown.npz")
            for panel, kind in zip(row, kinds, strict=True):
                images = pictures.grid(np.clip(shown[kind], 0.0, 1.0), columns=self.config.shown)
                panel.imshow(images.squeeze(), cmap="gray", vmin=0, vmax=255)
                panel.set(xticks=[], yticks=[], title=kind if method == methods[0] else "")
            row[0].set_ylabel(method, rotation=0, ha="right", va="center")
        figure.savefig(place.picture("samples"), dpi=80)


def learner_of(settings: dict[str, Any]) -> Learner:
    """Returns the learner of some settings, compiled."""
    preset = presets.get(settings["preset"])
    recipe: Recipe = preset.recipes[settings["learner"]]

    def make() -> Learner:
        game = learners.get(settings["learner"])
        options = {**recipe.options, **settings["options"]}
        return game(preset.pair(), seed=settings["seed"], **options)

    optimizer = recipe.optimizer(steps=settings["steps"])
    return training.compiled(make, optimizer=optimizer, seed=settings["seed"])
