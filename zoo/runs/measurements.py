"""The measurements of a trained model on held-out images, ready for a report."""

import pathlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from keras_symvae import Learner, Team, evaluation
from keras_symvae.evaluation.features import FeatureExtractor
from zoo.datasets.images import Images
from zoo.runs.data import Data, spread

BATCH_SIZE = 500
Extractor = Literal["auto", "classifier", "inception"]


class Measurements:
    """What `keras-symvae evaluate` can measure.

    Args:
        learner: the trained model.
        data: the `Data`.
        n: number of images that are generated, and the most that are measured one by one.
        seed: integer.
    """

    def __init__(self, learner: Learner, data: Data, *, n: int, seed: int):
        self.learner, self.data, self.n, self.seed = learner, data, n, seed
        self.held_out = data.held_out()

    def metrics(self) -> dict[str, float]:
        """Returns {name: mean cost over all held-out images}, nats."""
        return self.learner.evaluate(
            self.held_out, batch_size=BATCH_SIZE, verbose=0, return_dict=True
        )

    def accuracy(self) -> float:
        """Returns the share of held-out images whose class is recognised."""
        right = self.learner.classify(self.held_out["x"]).argmax(axis=1) == self.held_out["y"]
        return float(np.mean(right))

    def segmentation(self) -> dict[str, Any]:
        """Returns {"pixel_accuracy", "mean_iou", "iou": {class: its own}} of held-out images."""
        x, s = (spread(self.held_out[name], self.n) for name in ("x", "s"))
        found = self.learner.segment(x, seed=self.seed)["s"]
        return agreement(found, s, classes=self.learner.pair.classes)

    def log_likelihood(self, *, num_samples: int, annealed: bool = False) -> dict[str, Any]:
        """Returns the mean log-likelihood in nats, with the standard error of that mean.

        Of pixels with probabilities it stands there as "bits_per_dim" too, a cost.
        """
        pair, data = self.learner.pair, {"x": spread(self.held_out["x"], self.n)}
        if annealed:
            options = {"start": "encoder", "seed": self.seed}
            found = evaluation.annealed_log_likelihood(pair, data, num_steps=num_samples, **options)
        else:
            found = evaluation.log_likelihood(pair, data, num_samples=num_samples, seed=self.seed)
        error = float(np.std(found) / np.sqrt(len(found)))
        image, mean = pair.families["x"], float(np.mean(found))
        bits = {"bits_per_dim": image.bits_per_dim(-mean)} if image.discrete else {}
        return {
            "mean": mean,
            **bits,
            "standard_error": error,
            "num_samples": num_samples,
            "annealed": annealed,
            "num_images": len(found),
        }

    def information(self) -> dict[str, dict[str, Any]]:
        """Returns {latent: {"sum": nats, "per_element": [nats]}}."""
        pair = self.learner.pair
        members = pair.members.values() if isinstance(pair, Team) else [pair]
        found = {}
        for member in members:
            names = [*member.observed, *member.context]
            data = {name: spread(self.held_out[name], self.n) for name in names}
            found |= evaluation.information(member, data, seed=self.seed)
        return {
            name: {"sum": float(np.sum(each)), "per_element": each} for name, each in found.items()
        }

    def consistency(self, *, steps: int) -> list[dict[str, Any]]:
        """Returns the rows of `evaluation.consistency` up to this number of alternations."""
        looks = [0] + [10**power for power in range(10) if 10**power < steps] + [steps]
        return evaluation.consistency(self.learner.pair, steps=looks, n=self.n, seed=self.seed)

    def distances(
        self, *, extractor: Extractor, folder: pathlib.Path, steps: int, output: str
    ) -> dict[str, Any]:
        """Returns the distances of equally many training images and samples to held-out images."""
        images = self.data.read("train")
        x = self.data.prepared(images.x)
        features = self.features(extractor=extractor, folder=folder)
        real = spread(self.held_out["x"], self.n)
        n = len(real)
        options = {"seed": self.seed, "output": output}
        found = {
            "training": spread(x, n),
            "one_shot": self.learner.generate(n, **options)["x"],
            "limiting": self.learner.limiting(n, steps=steps, **options)["x"],
        }
        report = {"output": output, "limiting_steps": steps}
        for name, sample in found.items():
            clipped = np.clip(sample, 0.0, 1.0)  # a Gaussian draw may leave the range of pixels
            report[name] = evaluation.distance_report(features, real, clipped, seed=self.seed)
        return report

    def features(self, *, extractor: Extractor, folder: pathlib.Path) -> FeatureExtractor:
        """Returns the `FeatureExtractor`; a classifier is trained once and kept in the folder."""
        images = self.data.read("train")
        if not isinstance(images, Images) or images.y is None or images.num_classes is None:
            if extractor != "inception":
                raise ValueError(
                    f"{self.data.name!r} has no labels to train a classifier with; use "
                    "--extractor=inception"
                )
            return evaluation.InceptionFeatures()
        name = f"features-{images.name}-{self.data.preparation.binarize}.keras"
        return evaluation.feature_extractor(
            self.data.prepared(images.x),
            images.y,
            num_classes=images.num_classes,
            path=folder / name,
            extractor=extractor,
        )


def agreement(
    maps: np.ndarray, truth: np.ndarray, *, classes: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Returns `evaluation.agreement` of label maps [N, H, W], and "iou" of every class by its name.

    Args:
        maps: that were predicted.
        truth: -1 where it is not known.
        classes: {name: colour} in the order of the classes; None: they have numbers alone.
    """
    names = None if classes is None else list(classes)
    own = {
        str(label) if names is None else names[label]: overlap
        for label, overlap in evaluation.overlaps(maps, truth).items()
    }
    return {**evaluation.agreement(maps, truth), "iou": own}
