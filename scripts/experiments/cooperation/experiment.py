"""The experiment of cooperative learning: two models that each see half of the classes."""

import pathlib
from typing import Any

import numpy as np

from keras_symvae import Backup, Batches, Cooperative, Team, pictures
from keras_symvae.data.batches import Together
from scripts.experiments import judge, training
from scripts.experiments.cooperation.config import Config
from scripts.experiments.experiment import Experiment
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, findings, markdown, mean_of
from scripts.experiments.training import parts
from zoo import presets
from zoo.datasets.preparation import Preparation
from zoo.presets.recipes import Recipe

MEMBERS = ("lower", "upper")


class Cooperation(Experiment[Config]):
    """Two ladders, one of the lower and one of the upper half of the classes, teach each other.

    The share of images that a classifier of all classes assigns to those a model never saw:
    the equilibrium p_1 = (pi_1 + (1 - a) pi_2) / (2 - a) says (1 - a) / (2 - a).

    Args: see `Experiment`.

    Reference: Schlesinger, Flach, FLICS 2025.
    """

    name = "cooperation"
    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        config = self.config
        common = {"preset": config.preset, "steps": config.steps, "batch_size": config.batch_size}
        common |= {"data": self.data, "seed": seed}
        return {f"own-{share}-seed-{seed}": {**common, "own": share} for share in config.shares}

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        preset = presets.get(settings["preset"])
        preparation = Preparation(**preset.preparation)
        train, _ = parts(settings["data"])
        if train.y is None or train.num_classes is None:
            raise ValueError(f"{settings['data']!r} has no labels to halve it by")
        half, seed = train.num_classes // 2, settings["seed"]
        halves = dict(zip(MEMBERS, (train.y < half, train.y >= half), strict=True))
        recipe = preset.recipes["symmetric"]
        rates = {str(member): recipe.learning_rate["decoder"] for member in MEMBERS}

        def pair_up() -> Cooperative:
            team = Team({member: preset.pair() for member in MEMBERS})
            return Cooperative(team, mixing=settings["own"], seed=seed)

        optimizer = Recipe(rates, beta_1=recipe.beta_1).optimizer(steps=settings["steps"])
        learner = training.compiled(pair_up, optimizer=optimizer, seed=seed, group=10)
        options = {"batch_size": settings["batch_size"], "seed": seed, "transform": preparation}
        data = {member: Batches({"x": train.x[rows]}, **options) for member, rows in halves.items()}
        backup = [Backup(folder / "backup")]
        steps = settings["steps"]
        training.fit(learner, Together(data), steps=steps, epochs=10, callbacks=backup)
        learner.save(folder / "model.keras")
        classifier = judge.classifier(
            (train.x > preparation.threshold).astype("float32"),
            train.y,
            num_classes=train.num_classes,
            path=self.folder.parent / f"features-{train.name}-{preparation.binarize}.keras",
        ).classifier
        found = {}
        for member in MEMBERS:
            model = learner.pair[member]
            samples = model.generate(self.config.seen, seed=seed, output="mode")["x"]
            labels = np.argmax(classifier.predict(samples, verbose=0), axis=1)
            foreign = (labels >= half) == (member == "lower")
            found[f"foreign/{member}"] = float(np.mean(foreign))
            found[f"classes/{member}"] = np.bincount(labels, minlength=2 * half).tolist()
            means = model.generate(self.config.shown, seed=seed, output="mean")["x"]
            np.save(folder / f"{member}.npy", means)
        return found

    def table(self, results: Results) -> str:
        rows = []
        for share in self.config.shares:
            of_share = findings(results, own=share)
            foreign = {m: [each[f"foreign/{m}"] for each in of_share] for m in MEMBERS}
            both = [value for pair in zip(*foreign.values(), strict=True) for value in pair]
            rows.append([share, f"{(1.0 - share) / (2.0 - share):.3f}", mean_of(both, digits=3)])
            rows[-1] += [", ".join(f"{value:.4f}" for value in foreign[m]) for m in MEMBERS]
        heads = ["own share a", "(1 - a) / (2 - a)", "foreign classes"]
        return markdown([*heads, *(f"{member}, by seeds" for member in MEMBERS)], rows)

    def picture(self, place: Place, results: Results) -> None:
        rows, labels = [], []
        for label, result in results.items():
            if result["settings"]["seed"] != self.seeds[0]:
                continue
            for member in MEMBERS:
                rows.append(np.load(self.folder / label / f"{member}.npy"))
                labels.append(f"a = {result['settings']['own']}, {member}")
        pictures.labelled_rows(place.picture(), rows, labels)
