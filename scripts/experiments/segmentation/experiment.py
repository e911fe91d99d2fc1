"""The experiment of label maps: images and silhouettes, each given the other."""

import pathlib
import shutil
from typing import Any

import keras
import numpy as np
import scipy.special

from keras_symvae import Backup, Batches, Cooperative, Pair, evaluation
from scripts.experiments import judge, training
from scripts.experiments.experiment import Experiment
from scripts.experiments.judge import Judge
from scripts.experiments.place import Place
from scripts.experiments.segmentation.config import Config
from scripts.experiments.tables import Results, findings, markdown, mean_of
from scripts.experiments.training import SPLIT_RULE
from zoo import presets
from zoo.datasets import label_maps
from zoo.datasets.preparation import Preparation
from zoo.presets.recipes import Recipe
from zoo.runs import portraits

MAPS = {"pixel_accuracy": "pixel accuracy", "mean_iou": "mean IoU", "cost": "-log p(s given x)"}
PAINTED = {"training": "training images", "render": "render, z2 of the prior"}
PAINTED |= {"transfer": "render, z2 of another image"}
NAMES = {"game": "symmetric", "cross-entropy": "cross-entropy"}


class SilhouetteMaps(Experiment[Config]):
    """Segmentation by the symmetric game against cross-entropy, and paintings of held-out maps.

    The network of cross-entropy is that of p(s | x, z1) with z1 = 0; both see the same batches.

    Args: see `Experiment`.
    """

    name = "segmentation"
    usual = "silhouettes:fashion_mnist"
    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        config = self.config
        preset = presets.get(config.preset)
        common = {"preset": config.preset, "data": self.data, "seed": seed}
        common |= {"steps": config.steps or preset.steps, "noise": preset.preparation["noise"]}
        common |= {"batch_size": config.batch_size or preset.batch_size}
        return {f"{kind}-seed-{seed}": {**common, "learner": kind} for kind in NAMES}

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        config, seed, steps = self.config, settings["seed"], settings["steps"]
        train, test = (
            label_maps.load(settings["data"], split=part, split_rule=SPLIT_RULE)
            for part in ("train", "test")
        )
        preset = presets.get(settings["preset"])
        recipe = preset.recipes["cooperative"]
        batches = Batches(
            {"x": train.x, "s": train.s},
            batch_size=settings["batch_size"],
            seed=seed,
            transform=Preparation(noise=settings["noise"]),
        )
        x, s = test.x[: config.segmented], test.s[: config.segmented]
        if settings["learner"] == "cross-entropy":
            keras.utils.set_random_seed(seed)
            return supervised(preset.pair()["labeller"], batches, x, s, recipe, steps=steps)
        learner = training.compiled(
            lambda: Cooperative(preset.pair(), seed=seed, **recipe.options),
            optimizer=recipe.optimizer(steps=steps),
            seed=seed,
        )
        backup = [Backup(folder / "backup")]
        training.fit(learner, batches, steps=steps, epochs=config.epochs, callbacks=backup)
        learner.save(folder / "model.keras")
        team = learner.pair
        found = evaluation.agreement(team.segment(x, samples=config.draws, seed=seed)["s"], s)
        data = {"x": x[: config.measured], "s": s[: config.measured]}
        likelihood = evaluation.log_likelihood(
            team["labeller"], data, num_samples=config.likelihood_draws, seed=seed
        )
        found["cost"] = float(-likelihood.mean())
        return found | self._painted(learner, train, test, settings, folder)

    def _painted(
        self,
        learner: Cooperative,
        train: label_maps.LabelMaps,
        test: label_maps.LabelMaps,
        settings: dict[str, Any],
        folder: pathlib.Path,
    ) -> dict[str, float]:
        """Returns information and Frechet distances of what the team paints; keeps pictures."""
        team, seed, n, chain = learner.pair, settings["seed"], self.config.measured, {}
        x, s = test.x[:n], test.s[:n]
        data = {"x": x, "s": s}
        held = [evaluation.information(pair, data, seed=seed) for pair in team.members.values()]
        found = {
            f"information/{z}": float(each.sum()) for z, each in {**held[0], **held[1]}.items()
        }
        features = judge.classifier(
            train.x,
            train.s.max(axis=(1, 2)) - 1,  # a silhouette's class is that of its image
            num_classes=train.num_classes - 1,
            path=self.folder.parent / f"features-{settings['preset']}.keras",
        )
        codes = team["painter"].encode(data, seed=seed)["z2"]
        for steps in self.config.chain:
            after = team.limiting_pairs(start=data, steps=steps, seed=seed, output="mean")
            chain[f"chain-{steps}"] = after["x"]
            found[f"foreground/{steps}"] = float((after["s"] > 0).mean())
        found["foreground/data"] = float((s > 0).mean())
        shown = {
            "training": train.x[:n],
            "render": team.render(s, seed=seed),
            "transfer": team.render(s, z2=codes[::-1].copy(), seed=seed),
            **chain,
        }
        distances = Judge(features, x)
        found |= {f"frechet/{name}": distances.distance(images) for name, images in shown.items()}
        longest = self.config.chain[-1]
        portraits.draw(folder, learner, data, limiting_steps=longest, seed=seed)
        return found

    def table(self, results: Results) -> str:
        rows = []
        for kind, name in NAMES.items():
            found = findings(results, learner=kind)
            rows.append([name, *(mean_of((each[k] for each in found), digits=3) for k in MAPS)])
        maps = markdown(["segment(image)", *MAPS.values()], rows)
        painted = PAINTED | {f"chain-{n}": f"limiting, {n} steps" for n in self.config.chain}
        found = findings(results, learner="game")
        rows = [
            [label, mean_of(each[f"frechet/{name}"] for each in found)]
            for name, label in painted.items()
        ]
        return f"{maps}\n{markdown(['images', 'Frechet distance to held-out images'], rows)}"

    def picture(self, place: Place, results: Results) -> None:
        first = self.folder / next(label for label in results if label.startswith("game"))
        shutil.copy(first / "segmentations.png", place.picture())
        for other in ("transfer", "limiting"):
            shutil.copy(first / f"{other}.png", place.picture(other))


def supervised(
    labeller: Pair, batches: Batches, x: np.ndarray, s: np.ndarray, recipe: Recipe, *, steps: int
) -> dict[str, float]:
    """Returns what the labeller's network learns by cross-entropy, without codes.

    Args:
        labeller: its pair, whose network is trained.
        batches: of images and their maps.
        x, s: held-out images and their maps, to measure with.
        recipe: whose optimizer is used.
        steps: number of updates.
    """
    pixels = keras.Input(x.shape[1:])
    size = labeller.families["z1"].size
    nothing = keras.layers.Lambda(
        lambda x: keras.ops.zeros((keras.ops.shape(x)[0], size)), output_shape=(size,)
    )
    factor = labeller.decoder.factor("s")
    model = keras.Model(pixels, factor.network([pixels, nothing(pixels)]))
    optimizer = recipe.optimizer(steps=steps)["labeller"]
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = batches.dataset().map(lambda batch: (batch["x"], batch["s"]))
    model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)
    logits = model.predict(x, batch_size=500, verbose=0)
    own = np.take_along_axis(scipy.special.log_softmax(logits, axis=-1), s[..., None], axis=-1)
    return {
        **evaluation.agreement(logits.argmax(axis=-1), s),
        "cost": float(-own.sum(axis=(1, 2, 3)).mean()),
    }
