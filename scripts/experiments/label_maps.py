"""Experiments of label maps: images and their maps, each given the other."""

import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import scipy.special

from keras_symvae import Backup, Batches, Cooperative, Pair, evaluation
from scripts.experiments import judge, training
from scripts.experiments.experiment import Experiment
from scripts.experiments.judge import Judge
from scripts.experiments.label_maps_config import Config
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, findings, markdown, mean_of
from scripts.experiments.training import SPLIT_RULE
from zoo.architectures.segmentation import Segmentation
from zoo.datasets import label_maps
from zoo.datasets.preparation import Preparation
from zoo.presets.recipes import Recipe
from zoo.runs import portraits
from zoo.runs.data import spread
from zoo.runs.measurements import agreement

CROSS_ENTROPY = "cross-entropy"
MAPS = {"pixel_accuracy": "pixel accuracy", "mean_iou": "mean IoU", "cost": "-log p(s given x)"}
CODES = {"information/z1": "z1, nats", "information/z2": "z2, nats"}
CODES |= {"between": "spread over donors", "within": "over draws of one", "ratio": "ratio"}
PAINTED = {"training": "training images", "render": "render, z2 of the prior"}
PAINTED |= {"transfer": "render, z2 of another image"}


class LabelMaps(Experiment[Config]):
    """Segmentation by symmetric games against cross-entropy, and paintings of held-out maps.

    The network of cross-entropy is that of p(s | x, z1) with z1 = 0; all see the same batches.

    Args: see `Experiment`.
    """

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        config, preset = self.config, self.config.preset
        common = {"data": self.data, "seed": seed, "noise": preset.preparation["noise"]}
        common |= {"steps": config.steps or preset.steps}
        common |= {"batch_size": config.batch_size or preset.batch_size}
        found = {
            f"{name}-seed-{seed}": {
                **common,
                "learner": name,
                "options": {**preset.recipes["cooperative"].options, **options},
            }
            for name, options in config.games.items()
        }
        return found | {f"{CROSS_ENTROPY}-seed-{seed}": {**common, "learner": CROSS_ENTROPY}}

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        config, seed, steps = self.config, settings["seed"], settings["steps"]
        train, test = self._read("train"), self._read("test")
        recipe = config.preset.recipes["cooperative"]
        batches = Batches(
            self._pairs(train),
            batch_size=settings["batch_size"],
            seed=seed,
            transform=Preparation(noise=settings["noise"]),
        )
        x, s = test.x[: config.segmented], test.s[: config.segmented]
        if settings["learner"] == CROSS_ENTROPY:
            keras.utils.set_random_seed(seed)
            labeller = config.preset.pair()["labeller"]
            classes = train.colours
            return supervised(labeller, batches, x, s, recipe, steps=steps, classes=classes)
        learner = training.compiled(
            lambda: Cooperative(config.preset.pair(), seed=seed, **settings["options"]),
            optimizer=recipe.optimizer(steps=steps),
            seed=seed,
        )
        backup = [Backup(folder / "backup")]
        seconds = training.fit(
            learner, batches, steps=steps, epochs=config.epochs, callbacks=backup
        )
        learner.save(folder / "model.keras")
        team = learner.pair
        maps = team.segment(x, samples=config.draws, seed=seed)["s"]
        found = agreement(maps, s, classes=team.classes)
        data = {"x": x[: config.measured], "s": s[: config.measured]}
        likelihood = evaluation.log_likelihood(
            team["labeller"], data, num_samples=config.likelihood_draws, seed=seed
        )
        found["cost"] = float(-likelihood.mean())
        found["minutes"] = seconds * steps / 60
        return found | self._painted(learner, train, data, folder, seed=seed)

    def _read(self, part: str) -> label_maps.LabelMaps:
        height, width, _ = self.config.preset.architecture["image_shape"]
        return label_maps.load(
            self.data,
            split=part,
            size=(height, width) if self.config.resized else None,
            ignore=self.config.ignore,
            split_rule=SPLIT_RULE,
            classes=self.config.preset.classes,
        )

    def _pairs(self, train: label_maps.LabelMaps) -> dict[str, np.ndarray]:
        pairs = {"x": train.x, "s": train.s}
        if self.config.mirrored:
            return {name: np.concatenate([v, v[:, :, ::-1]]) for name, v in pairs.items()}
        return pairs

    def _judge(self, train: label_maps.LabelMaps, x: np.ndarray) -> Judge:
        if self.config.side is not None:
            return Judge(judge.cells(x.shape[1:], side=self.config.side), x)
        features = judge.classifier(
            train.x,
            train.s.max(axis=(1, 2)) - 1,  # a silhouette's class is that of its image
            num_classes=train.num_classes - 1,
            path=self.folder / "features.keras",
        )
        return Judge(features, x)

    def _painted(
        self,
        learner: Cooperative,
        train: label_maps.LabelMaps,
        data: dict[str, np.ndarray],
        folder: pathlib.Path,
        *,
        seed: int,
    ) -> dict[str, float]:
        """Returns information, spreads and distances of what the team paints; keeps pictures."""
        team, config, chain = learner.pair, self.config, {}
        x, s = data["x"], data["s"]
        held = [evaluation.information(pair, data, seed=seed) for pair in team.members.values()]
        found = {
            f"information/{z}": float(each.sum()) for z, each in {**held[0], **held[1]}.items()
        }
        found |= spreads(team, data, donors=config.donors, wearers=config.wearers, seed=seed)
        codes = team["painter"].encode(data, seed=seed)["z2"]
        for steps in config.chain:
            after = team.limiting_pairs(start=data, steps=steps, seed=seed, output="mean")
            chain[f"chain-{steps}"] = after["x"]
            found[f"foreground/{steps}"] = float((after["s"] > 0).mean())
        found["foreground/data"] = float((s > 0).mean())
        shown = {
            "training": train.x[: len(x)],
            "render": team.render(s, seed=seed),
            "transfer": team.render(s, z2=codes[::-1].copy(), seed=seed),
            **chain,
        }
        distances = self._judge(train, x)
        found |= {f"frechet/{name}": distances.distance(images) for name, images in shown.items()}
        portraits.draw(folder, learner, data, limiting_steps=config.chain[-1], seed=seed)
        return found

    def table(self, results: Results) -> str:
        rows = []
        for name in (*self.config.games, CROSS_ENTROPY):
            found = findings(results, learner=name)
            rows.append([name, *(mean_of((each[k] for each in found), digits=3) for k in MAPS)])
        maps = [markdown(["segment(image)", *MAPS.values()], rows), *self._overlaps(results)]
        games = {name: findings(results, learner=name) for name in self.config.games}
        everything = [each for found in games.values() for each in found]
        measured = [k for k in CODES if all(k in each for each in everything)]
        codes = [
            [name, *(mean_of((each[k] for each in found), digits=3) for k in measured)]
            for name, found in games.items()
        ]
        painted = PAINTED | {f"chain-{n}": f"limiting, {n} steps" for n in self.config.chain}
        rows = [
            [label, *(mean_of(e[f"frechet/{shown}"] for e in found) for found in games.values())]
            for shown, label in painted.items()
        ]
        return "\n".join(
            [
                *maps,
                markdown(["codes", *(CODES[k] for k in measured)], codes),
                markdown(["distance to held-out images", *games], rows),
            ]
        )

    def _overlaps(self, results: Results) -> list[str]:
        """Returns the table of the IoU of every class, if it was measured."""
        ways = (*self.config.games, CROSS_ENTROPY)
        found = {name: findings(results, learner=name) for name in ways}
        if not all("iou" in each for every in found.values() for each in every):
            return []
        names = {name: None for every in found.values() for each in every for name in each["iou"]}
        rows = [
            [name, *(mean_of((e["iou"][name] for e in found[way]), digits=3) for way in ways)]
            for name in names
        ]
        return [markdown(["IoU", *ways], rows)]

    def picture(self, place: Place, results: Results) -> None:
        first = self.folder / next(iter(results))
        shutil.copy(first / "segmentations.png", place.picture())
        for other in ("transfer", "limiting"):
            shutil.copy(first / f"{other}.png", place.picture(other))


def spreads(
    team: Segmentation,
    data: Mapping[str, np.ndarray],
    *,
    donors: int,
    wearers: int,
    draws: int = 4,
    seed: int,
) -> dict[str, float]:
    """Returns how much paintings of one map change with the donor of their appearance.

    Args:
        team: the `Segmentation`.
        data: held-out {"x": [N, H, W, C], "s": [N, H, W]}.
        donors, wearers: numbers of images whose codes are taken, and of others that wear them.
        draws: of every donor's code.
        seed: integer.

    Returns:
        {"between": the standard deviation of a pixel over donors, "within": that over draws of one
        donor's code, both in units of the pixel and as means over maps and pixels; "ratio"}.
    """
    # Held-out images lie in the order of their drives, of which some are at dusk.
    order = np.arange(len(data["x"]))
    some = spread(order, donors)
    others = data["s"][spread(np.setdiff1d(order, some), wearers)]
    worn = np.stack(
        [
            team.transfer(data["x"][some], data["s"][some], others, seed=seed + draw)
            for draw in range(draws)
        ]
    )  # [draws, donors, wearers, H, W, C]
    between = float(worn.std(axis=1, ddof=1).mean())
    within = float(worn.std(axis=0, ddof=1).mean())
    return {"between": between, "within": within, "ratio": between / max(within, 1e-12)}


def supervised(
    labeller: Pair,
    batches: Batches,
    x: np.ndarray,
    s: np.ndarray,
    recipe: Recipe,
    *,
    steps: int,
    classes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns what the labeller's network learns by cross-entropy, without codes.

    Args:
        labeller: its pair, whose network is trained.
        batches: of images and their maps.
        x, s: held-out images and their maps, to measure with.
        recipe: whose optimizer is used.
        steps: number of updates.
        classes: {name: colour}, or None.
    """
    pixels = keras.Input(x.shape[1:])
    size = labeller.families["z1"].size
    nothing = keras.layers.Lambda(
        lambda x: keras.ops.zeros((keras.ops.shape(x)[0], size)), output_shape=(size,)
    )
    factor = labeller.decoder.factor("s")
    model = keras.Model(pixels, factor.network([pixels, nothing(pixels)]))
    optimizer = recipe.optimizer(steps=steps)["labeller"]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(optimizer, loss)
    data = batches.dataset().map(lambda batch: (batch["x"], batch["s"]))
    model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)
    logits = model.predict(x, batch_size=500, verbose=0)
    log_probs = scipy.special.log_softmax(logits, axis=-1)
    own = np.take_along_axis(log_probs, np.maximum(s, 0)[..., None], axis=-1)[..., 0]
    return {
        **agreement(logits.argmax(axis=-1), s, classes=classes),
        "cost": float(-np.where(s < 0, 0.0, own).sum(axis=(1, 2)).mean()),
    }
