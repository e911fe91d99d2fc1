"""The experiment of cooperative learning: two models that each see half of the classes."""

import keras
import numpy as np

from keras_symvae import Backup, Batches, Cooperative, Team, evaluation, pictures
from keras_symvae.data.batches import Together
from keras_symvae.evaluation.features import ClassifierFeatures
from scripts.experiments.experiment import Experiment, markdown, mean_of
from zoo.datasets import images as datasets
from zoo.datasets.preparation import Preparation
from zoo.presets import table as presets

SHARES = (1.0, 0.8, 0.5, 0.2)  # of a member's own data
PRESET = "fashion_mnist_reverse"
STEPS, BATCH_SIZE, SEEN = 1500, 128, 2000
SHOWN = 16  # images in a row of the picture


class Cooperation(Experiment):
    """Two ladders, one of the lower and one of the upper half of the classes, teach each other.

    The share of images that a classifier of all classes assigns to those a model never saw:
    the equilibrium p_1 = (pi_1 + (1 - a) pi_2) / (2 - a) says (1 - a) / (2 - a).

    Args: see `Experiment`.

    Reference: Schlesinger, Flach, FLICS 2025.
    """

    name = "cooperation"

    def settings(self, seed):
        common = {"preset": PRESET, "steps": STEPS, "batch_size": BATCH_SIZE, "seed": seed}
        return {
            f"own-{share}-seed-{seed}": {**common, "data": self.data, "own": share}
            for share in SHARES
        }

    def measure(self, settings, folder):
        preset = presets.get(settings["preset"])
        preparation = Preparation(**preset.preparation)
        train = datasets.load(settings["data"], split="train")
        if train.y is None or train.num_classes is None:
            raise ValueError(f"{settings['data']!r} has no labels to halve it by")
        half = train.num_classes // 2
        halves = {"lower": train.y < half, "upper": train.y >= half}
        keras.utils.set_random_seed(settings["seed"])
        team = Team({member: preset.pair() for member in halves})
        learner = Cooperative(team, mixing=settings["own"], seed=settings["seed"])
        recipe = preset.recipes["symmetric"]
        rate = keras.optimizers.schedules.CosineDecay(
            recipe.learning_rate["decoder"], settings["steps"]
        )
        learner.compile(keras.optimizers.Adam(rate, beta_1=recipe.beta_1), steps_per_execution=10)
        options = {"batch_size": settings["batch_size"], "seed": settings["seed"]}
        batches = Together(
            {
                member: Batches({"x": train.x[rows]}, transform=preparation, **options)
                for member, rows in halves.items()
            }
        )
        epochs = 10
        learner.fit(
            batches,
            epochs=epochs,
            steps_per_epoch=settings["steps"] // epochs,
            callbacks=[Backup(folder / "backup")],
            verbose=0,
        )
        learner.save(folder / "model.keras")
        classifier = self._classifier(train, preparation)
        found = {}
        for member in halves:
            samples = team[member].generate(SEEN, seed=settings["seed"], output="mode")["x"]
            labels = np.argmax(classifier.predict(samples, verbose=0), axis=1)
            foreign = (labels >= half) == (member == "lower")
            found[f"foreign/{member}"] = float(np.mean(foreign))
            found[f"classes/{member}"] = np.bincount(labels, minlength=2 * half).tolist()
            means = team[member].generate(SHOWN, seed=settings["seed"], output="mean")["x"]
            np.save(folder / f"{member}.npy", means)
        return found

    def _classifier(self, train, preparation):
        binary = preparation.binarize
        path = self.folder.parent / f"features-{train.name}-{binary}.keras"
        x = (train.x > preparation.threshold).astype("float32")
        features = evaluation.feature_extractor(
            x, train.y, num_classes=train.num_classes, path=path, extractor="classifier"
        )
        assert isinstance(features, ClassifierFeatures)
        return features.classifier

    def table(self, results):
        rows = []
        for share in SHARES:
            found = [r["found"] for r in results.values() if r["settings"]["own"] == share]
            foreign = [value[f"foreign/{member}"] for value in found for member in MEMBERS]
            expected = (1.0 - share) / (2.0 - share)
            seconds = [r["seconds"] for r in results.values() if r["settings"]["own"] == share]
            rows.append(
                [share, f"{expected:.3f}", mean_of(foreign, digits=3), mean_of(seconds, digits=0)]
            )
        heads = ["own share a", "(1 - a) / (2 - a)", "foreign classes", "seconds"]
        return markdown(heads, rows)

    def picture(self, path, results):
        rows, labels = [], []
        for label, result in results.items():
            if result["settings"]["seed"] != self.seeds[0]:
                continue
            for member in MEMBERS:
                rows.append(np.load(self.folder / label / f"{member}.npy"))
                labels.append(f"a = {result['settings']['own']}, {member}")
        pictures.labelled_rows(path, rows, labels)


MEMBERS = ("lower", "upper")
