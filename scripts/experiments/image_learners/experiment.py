"""The experiment of images under every learner: one body, one budget, another game."""

import dataclasses
import math
import pathlib
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_symvae import Batches, Learner, Pair, evaluation, learners, pictures
from scripts.experiments import judge, training
from scripts.experiments.experiment import Experiment
from scripts.experiments.image_learners.config import Config
from scripts.experiments.judge import Judge
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, markdown, means
from zoo import presets
from zoo.datasets.preparation import Preparation
from zoo.presets.recipes import Recipe

COLUMNS = {  # of the table, and their digits
    "one_shot": ("Frechet, one-shot", 2),
    "limiting": ("after {alternations}", 2),
    "drift": ("dreams to their chains", 2),
    "reconstruction": ("reconstruction error", 4),
    "codes": ("kernel, codes to prior", 3),
    "log-likelihood": ("log p(x), nats", 1),
    "milliseconds": ("ms per step", 1),
}
PANELS = ("samples", "chains", "data", "rebuilt")


class ImageLearners(Experiment[Config]):
    """Fashion-MNIST under all learners, with the bodies and recipes of two presets of the zoo.

    Grey images and a Gaussian q(z | x); and bits, where encoders without density stand beside that
    of a VAE with the same decoder. Frechet distances are those of the means of pixels (of bits: of
    the likelier value) to held-out images, one-shot and after some alternations, and of dreams to
    what their chains have become: 0 if encoder and decoder agree. The reconstruction error is the
    root of the mean squared difference per pixel. Codes of held-out images are compared with as
    many of the prior. The likelihood is that of annealed importance sampling.

    Args: see `Experiment`.
    """

    name = "image_learners"
    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        prefix = "digits" if self.data == "digits" else "fashion_mnist"
        common = {"data": self.data, "seed": seed}
        common |= {"likelihood": dataclasses.asdict(self.config.likelihood)}
        return {
            f"{label}-seed-{seed}": {
                "method": label,
                **common,
                **method.settings(prefix, steps=self.config.steps),
            }
            for label, method in self.config.methods.items()
        }

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        preparation, config = Preparation(**settings["preparation"]), self.config
        train, test = training.parts(settings["data"])
        if train.y is None or train.num_classes is None:
            raise ValueError(f"{settings['data']!r} has no labels to train a classifier with")
        learner = learner_of(settings)
        options = {"batch_size": settings["batch_size"], "seed": settings["seed"]}
        batches = Batches({"x": train.x}, transform=preparation, **options)
        seconds = training.fit(learner, batches, steps=settings["steps"], warm=config.warm)
        learner.save(folder / "model.keras")
        bits = preparation.binarize != "none"
        x, real = train.x, test.x[: config.samples]
        if bits:
            x, real = ((images > preparation.threshold).astype("float32") for images in (x, real))
        path = self.folder.parent / f"features-{train.name}-{preparation.binarize}.keras"
        features = judge.classifier(x, train.y, num_classes=train.num_classes, path=path)
        found, shown = judged(
            learner.pair,
            real,
            features,
            samples=config.samples,
            alternations=config.alternations,
            output="mode" if bits else "mean",
        )
        annealing = dict(settings["likelihood"])
        few = real[: annealing.pop("images")]
        estimates = evaluation.annealed_log_likelihood(
            learner.pair, few, start="encoder", **annealing
        )
        found["log-likelihood"] = float(np.mean(estimates))
        found |= {"skipped": int(learner.guard.skipped.numpy()), "milliseconds": 1000.0 * seconds}
        kept: dict[str, Any] = {key: value[: config.shown] for key, value in shown.items()}
        np.savez(folder / "shown.npz", **kept)
        return found

    def table(self, results: Results) -> str:
        alternations = self.config.alternations
        heads = [head.format(alternations=alternations) for head, _ in COLUMNS.values()]
        digits = {key: number for key, (_, number) in COLUMNS.items()}
        return markdown(["learner", *heads], means(results, self.config.methods, digits))

    def picture(self, place: Place, results: Results) -> None:
        methods = list(self.config.methods)
        figure = Figure(figsize=(18, 0.75 * len(methods) + 0.5), layout="constrained")
        axes = figure.subplots(len(methods), len(PANELS), squeeze=False)
        for row, method in zip(axes, methods, strict=True):
            shown = np.load(self.folder / f"{method}-seed-{self.seeds[0]}" / "shown.npz")
            for panel, kind in zip(row, PANELS, strict=True):
                images = pictures.grid(np.clip(shown[kind], 0.0, 1.0), columns=self.config.shown)
                panel.imshow(images.squeeze(), cmap="gray", vmin=0, vmax=255)
                panel.set(xticks=[], yticks=[], title=kind if method == methods[0] else "")
            row[0].set_ylabel(method, rotation=0, ha="right", va="center")
        figure.savefig(place.picture(), dpi=80)


def learner_of(settings: dict[str, Any]) -> Learner:
    """Returns the learner of some settings, compiled."""
    recipe = Recipe(**{field.name: settings[field.name] for field in dataclasses.fields(Recipe)})

    def make() -> Learner:
        pair = presets.get(settings["preset"]).pair(**settings["architecture"])
        game = learners.get(settings["learner"])
        return game(pair, seed=settings["seed"], **recipe.options)

    optimizer = recipe.optimizer(steps=settings["steps"])
    return training.compiled(make, optimizer=optimizer, seed=settings["seed"], group=10)


def judged(
    pair: Pair, real: np.ndarray, features: Any, *, samples: int, alternations: int, output: str
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Returns ({measure: number}, {kind: images}) of a trained pair and held-out images."""
    dreams = pair.generate(samples, seed=1, output=output)["x"]
    chains = pair.limiting(samples, steps=alternations, seed=2, output=output)["x"]
    rebuilt = pair.reconstruct(real, seed=3, output="mean")["x"]
    (z,) = pair.encode(real, seed=4).values()
    prior = pair.generate(len(z), seed=5)[pair.latent[0]]
    distances = Judge(features, real)
    found = {
        "one_shot": distances.distance(dreams),
        "limiting": distances.distance(chains),
        "drift": distances.between(dreams, chains),
        "reconstruction": math.sqrt(np.mean((real - rebuilt) ** 2)),
        "codes": float(evaluation.kernel_distance(z, prior)),
    }
    return found, dict(zip(PANELS, (dreams, chains, real, rebuilt), strict=True))
