"""The experiment of images under every learner: one body, one budget, another game."""

import dataclasses
import math
import time
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_symvae import Batches, evaluation, pictures
from keras_symvae.learners import LEARNERS
from scripts.experiments.experiment import Experiment, markdown, mean_of
from zoo.datasets import images as datasets
from zoo.datasets.preparation import Preparation
from zoo.presets import table as presets
from zoo.presets.recipes import Recipe

TWIN = {"likelihood": "bernoulli", "decoder_activation": "elu"}  # the decoder of "implicit"
METHODS: dict[str, tuple[str, str, dict[str, Any]]] = {  # preset, learner, what differs from it
    "symmetric": ("gaussian", "symmetric", {}),
    "elbo": ("gaussian", "elbo", {}),
    "avb": ("gaussian", "avb", {}),
    "as_vae": ("gaussian", "as_vae", {}),
    "svae": ("gaussian", "svae", {}),
    "wae-mmd": ("gaussian", "wae", {}),
    "wae-gan": (
        "gaussian",
        "wae",
        {
            "options": {"penalty": "gan", "penalty_weight": 10.0},
            "learning_rate": {"critic": 1e-3},
            "beta_1": 0.5,
        },
    ),
    "fgan": ("gaussian", "fgan", {}),
    "bits-vae": (
        "gaussian",
        "elbo",
        {"architecture": TWIN, "preparation": {"binarize": "threshold"}},
    ),
    "bits-avb": ("implicit", "avb", {"options": {"adaptive_contrast": False}}),
    "bits-avb-ac": ("implicit", "avb", {}),
}
SAMPLES, ALTERNATIONS, SHOWN = 2000, 50, 10
WARM = 20  # steps that are not timed: Keras compiles in these
LIKELIHOOD = {"images": 60, "num_chains": 4, "num_steps": 300}
COLUMNS = {
    "one_shot": ("Frechet, one-shot", 2),
    "limiting": (f"after {ALTERNATIONS}", 2),
    "drift": ("dreams to their chains", 2),
    "reconstruction": ("reconstruction error", 4),
    "codes": ("kernel, codes to prior", 3),
    "log-likelihood": ("log p(x), nats", 1),
    "milliseconds": ("ms per step", 1),
}


class ImageLearners(Experiment):
    """Fashion-MNIST under all learners, with the bodies and recipes of two presets of the zoo.

    Grey images and a Gaussian q(z | x); and bits, where encoders without density stand beside that
    of a VAE with the same decoder. Frechet distances are those of the means of pixels (of bits: of
    the likelier value) to held-out images, one-shot and after some alternations, and of dreams to
    what their chains have become: 0 where encoder and decoder agree. The reconstruction error is
    the root of the mean squared difference per pixel. Codes of held-out images are compared with
    as many of the prior. The likelihood is that of annealed importance sampling.

    Args: see `Experiment`.
    """

    name = "image_learners"

    def settings(self, seed):
        found, prefix = {}, "digits" if self.data == "digits" else "fashion_mnist"
        for method, (kind, learner, changes) in METHODS.items():
            preset = presets.get(f"{prefix}_{kind}")
            chosen = {"method": method, "preset": f"{prefix}_{kind}", "learner": learner}
            chosen |= {"architecture": changes.get("architecture", {})}
            chosen |= {"preparation": changes.get("preparation", preset.preparation)}
            recipe = dataclasses.asdict(preset.recipes[learner])
            for field in ("learning_rate", "options"):
                recipe[field] |= changes.get(field, {})
            recipe["beta_1"] = changes.get("beta_1", recipe["beta_1"])
            chosen |= {"data": self.data, "seed": seed, "likelihood": LIKELIHOOD}
            chosen |= {"steps": preset.steps, "batch_size": preset.batch_size, **recipe}
            found[f"{method}-seed-{seed}"] = chosen
        return found

    def measure(self, settings, folder):
        preparation = Preparation(**settings["preparation"])
        train, test = (datasets.load(settings["data"], split=part) for part in ("train", "test"))
        if train.y is None:
            raise ValueError(f"{settings['data']!r} has no labels to train a classifier with")
        learner = learner_of(settings)
        milliseconds = 1000.0 * fit(learner, train.x, preparation, settings)
        learner.save(folder / "model.keras")
        bits = preparation.binarize != "none"
        x, real = train.x, test.x[:SAMPLES]
        if bits:
            x, real = ((images > preparation.threshold).astype("float32") for images in (x, real))
        path = self.folder.parent / f"features-{train.name}-{preparation.binarize}.keras"
        options = {"num_classes": train.num_classes, "path": path, "extractor": "classifier"}
        features = evaluation.feature_extractor(x, train.y, **options)
        found, shown = judged(learner.pair, real, features, output="mode" if bits else "mean")
        annealing = dict(settings["likelihood"])
        few = real[: annealing.pop("images")]
        estimates = evaluation.annealed_log_likelihood(
            learner.pair, few, start="encoder", **annealing
        )
        found["log-likelihood"] = float(np.mean(estimates))
        found |= {"skipped": int(learner.guard.skipped.numpy()), "milliseconds": milliseconds}
        np.savez(folder / "shown.npz", **{key: value[:SHOWN] for key, value in shown.items()})
        return found

    def table(self, results):
        rows = []
        for method in METHODS:
            found = [r["found"] for r in results.values() if r["settings"]["method"] == method]
            cells = [mean_of((f[k] for f in found), digits=d) for k, (_, d) in COLUMNS.items()]
            rows.append([method, *cells])
        return markdown(["learner", *(head for head, _ in COLUMNS.values())], rows)

    def picture(self, path, results):
        figure = Figure(figsize=(18, 0.75 * len(METHODS) + 0.5), layout="constrained")
        kinds = ("samples", "chains", "data", "rebuilt")
        axes = figure.subplots(len(METHODS), len(kinds), squeeze=False)
        for row, method in zip(axes, METHODS, strict=True):
            shown = np.load(self.folder / f"{method}-seed-{self.seeds[0]}" / "shown.npz")
            for panel, kind in zip(row, kinds, strict=True):
                images = pictures.grid(np.clip(shown[kind], 0.0, 1.0), columns=SHOWN)
                panel.imshow(images.squeeze(), cmap="gray", vmin=0, vmax=255)
                panel.set(xticks=[], yticks=[], title=kind if method == next(iter(METHODS)) else "")
            row[0].set_ylabel(method, rotation=0, ha="right", va="center")
        figure.savefig(path, dpi=80)


def learner_of(settings):
    """Returns the learner of some settings, compiled."""
    keras.utils.set_random_seed(settings["seed"])
    pair = presets.get(settings["preset"]).pair(**settings["architecture"])
    learner = LEARNERS[settings["learner"]](pair, seed=settings["seed"], **settings["options"])
    fields = ("learning_rate", "beta_1", "options", "constant")
    recipe = Recipe(**{name: settings[name] for name in fields})
    learner.compile(recipe.optimizer(steps=settings["steps"]), steps_per_execution=10)
    return learner


def fit(learner, x, preparation, settings):
    """Trains on images [N, H, W, C]; returns the seconds per step, the first ones not counted."""
    options = {"batch_size": settings["batch_size"], "seed": settings["seed"]}
    batches = Batches({"x": x}, transform=preparation, **options)
    learner.fit(batches, steps_per_epoch=WARM, verbose=0)
    rest, begun = settings["steps"] - WARM, time.monotonic()
    learner.fit(batches, steps_per_epoch=rest, verbose=0)
    return (time.monotonic() - begun) / rest


def judged(pair, real, features, *, output):
    """Returns ({measure: number}, {kind: images}) of a trained pair and held-out images."""
    dreams = pair.generate(SAMPLES, seed=1, output=output)["x"]
    chains = pair.limiting(SAMPLES, steps=ALTERNATIONS, seed=2, output=output)["x"]
    rebuilt = pair.reconstruct(real, seed=3, output="mean")["x"]
    (z,) = pair.encode(real, seed=4).values()
    prior = pair.generate(len(z), seed=5)[pair.latent[0]]
    seen = [features(np.clip(images, 0.0, 1.0)) for images in (real, dreams, chains)]
    found = {
        "one_shot": evaluation.frechet_distance(seen[0], seen[1]),
        "limiting": evaluation.frechet_distance(seen[0], seen[2]),
        "drift": evaluation.frechet_distance(seen[1], seen[2]),
        "reconstruction": math.sqrt(np.mean((real - rebuilt) ** 2)),
        "codes": evaluation.kernel_distance(z, prior),
    }
    shown = {"samples": dreams, "chains": chains, "data": real, "rebuilt": rebuilt}
    return {name: float(value) for name, value in found.items()}, shown
