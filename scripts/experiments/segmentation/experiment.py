"""The experiment of label maps: images and silhouettes, each given the other."""

import shutil

import keras
import numpy as np
import scipy.special

from keras_symvae import Backup, Batches, Cooperative, evaluation
from scripts.experiments.experiment import Experiment, markdown, mean_of
from zoo.datasets import label_maps
from zoo.datasets.preparation import Preparation
from zoo.presets import table as presets
from zoo.runs import portraits

PRESET = "fashion_mnist_silhouettes"
SEGMENTED, MEASURED = 4000, 1000  # held-out images that are segmented, and all else
DRAWS, LIKELIHOOD_DRAWS, CHAIN, EPOCHS = 16, 20, (1, 10, 50), 10
MAPS = {"pixel_accuracy": "pixel accuracy", "mean_iou": "mean IoU", "cost": "-log p(s given x)"}
PAINTED = {"training": "training images", "render": "render, z2 of the prior"}
PAINTED |= {"transfer": "render, z2 of another image"}
PAINTED |= {f"chain-{steps}": f"limiting, {steps} steps" for steps in CHAIN}
SHOWN = ("segmentations.png", "transfer.png", "limiting.png")
NAMES = {"game": "symmetric", "cross-entropy": "cross-entropy"}


class SilhouetteMaps(Experiment):
    """Segmentation by the symmetric game against cross-entropy, and paintings of held-out maps.

    The network of cross-entropy is that of p(s | x, z1) with z1 = 0; both see the same batches.

    Args: see `Experiment`.
    """

    name = "segmentation"
    usual = "silhouettes:fashion_mnist"

    def settings(self, seed):
        preset = presets.get(PRESET)
        common = {
            "preset": PRESET,
            "data": self.data,
            "seed": seed,
            "batch_size": preset.batch_size,
        }
        common |= {"steps": preset.steps, "noise": preset.preparation["noise"]}
        return {f"{kind}-seed-{seed}": {**common, "learner": kind} for kind in NAMES}

    def measure(self, settings, folder):
        train, test = (label_maps.load(settings["data"], split=part) for part in ("train", "test"))
        keras.utils.set_random_seed(settings["seed"])
        team = presets.get(settings["preset"]).pair()
        batches = Batches(
            {"x": train.x, "s": train.s},
            batch_size=settings["batch_size"],
            seed=settings["seed"],
            transform=Preparation(noise=settings["noise"]),
        )
        if settings["learner"] == "cross-entropy":
            return supervised(team["labeller"], batches, test, settings)
        learner = play(team, batches, settings, folder)
        learner.save(folder / "model.keras")
        x, s = test.x[:SEGMENTED], test.s[:SEGMENTED]
        found = evaluation.agreement(team.segment(x, samples=DRAWS, seed=settings["seed"])["s"], s)
        data = {"x": x[:MEASURED], "s": s[:MEASURED]}
        likelihood = evaluation.log_likelihood(
            team["labeller"], data, num_samples=LIKELIHOOD_DRAWS, seed=settings["seed"]
        )
        found["cost"] = float(-likelihood.mean())
        return found | self._painted(learner, train, test, settings, folder)

    def _painted(self, learner, train, test, settings, folder):
        """Returns information and Frechet distances of what the team paints; keeps pictures."""
        team, seed = learner.pair, settings["seed"]
        x, s = test.x[:MEASURED], test.s[:MEASURED]
        data = {"x": x, "s": s}
        held = [evaluation.information(pair, data, seed=seed) for pair in team.members.values()]
        found = {
            f"information/{z}": float(each.sum()) for z, each in {**held[0], **held[1]}.items()
        }
        kind = train.s.max(axis=(1, 2)) - 1  # a silhouette's class is that of its image
        features = evaluation.feature_extractor(
            train.x,
            kind,
            num_classes=train.num_classes - 1,
            path=self.folder.parent / f"features-{PRESET}.keras",
            extractor="classifier",
        )
        codes = team["painter"].encode(data, seed=seed)["z2"]
        shown = {
            "training": train.x[:MEASURED],
            "render": team.render(s, seed=seed),
            "transfer": team.render(s, z2=codes[::-1].copy(), seed=seed),
        }
        for steps in CHAIN:
            after = team.limiting_pairs(start=data, steps=steps, seed=seed, output="mean")
            shown[f"chain-{steps}"] = after["x"]
            found[f"foreground/{steps}"] = float((after["s"] > 0).mean())
        found["foreground/data"] = float((s > 0).mean())
        real = features(x)
        for name, images in shown.items():
            painted = features(np.clip(images, 0.0, 1.0))
            found[f"frechet/{name}"] = float(evaluation.frechet_distance(real, painted))
        portraits.draw(folder, learner, data, limiting_steps=CHAIN[-1], seed=seed)
        return found

    def table(self, results):
        def of(learner):
            return [r["found"] for r in results.values() if r["settings"]["learner"] == learner]

        rows = [
            [name, *(mean_of((found[key] for found in of(kind)), digits=3) for key in MAPS)]
            for kind, name in NAMES.items()
        ]
        tables = [markdown(["segment(image)", *MAPS.values()], rows)]
        distance = "Frechet distance to held-out images"
        rows = [
            [label, mean_of(found[f"frechet/{name}"] for found in of("game"))]
            for name, label in PAINTED.items()
        ]
        return "\n".join([*tables, markdown(["images", distance], rows)])

    def picture(self, path, results):
        first = self.folder / next(label for label in results if label.startswith("game"))
        for name in SHOWN:
            shutil.copy(first / name, path.with_name(f"{self.name}_{name}"))


def play(team, batches, settings, folder):
    """Returns the learner that trained the team by its preset's recipe."""
    recipe = presets.get(settings["preset"]).recipes["cooperative"]
    learner = Cooperative(team, seed=settings["seed"], **recipe.options)
    learner.compile(recipe.optimizer(steps=settings["steps"]))
    per_epoch = settings["steps"] // EPOCHS
    backup = [Backup(folder / "backup")]
    learner.fit(batches, epochs=EPOCHS, steps_per_epoch=per_epoch, callbacks=backup, verbose=0)
    return learner


def supervised(labeller, batches, test, settings):
    """Returns what the labeller's network learns by cross-entropy, without codes."""
    pixels = keras.Input(test.x.shape[1:])
    size = labeller.families["z1"].size
    nothing = keras.layers.Lambda(
        lambda x: keras.ops.zeros((keras.ops.shape(x)[0], size)), output_shape=(size,)
    )
    factor = labeller.decoder.factor("s")
    model = keras.Model(pixels, factor.network([pixels, nothing(pixels)]))
    recipe = presets.get(settings["preset"]).recipes["cooperative"]
    optimizer = recipe.optimizer(steps=settings["steps"])["labeller"]
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = batches.dataset().map(lambda batch: (batch["x"], batch["s"]))
    model.fit(data, steps_per_epoch=settings["steps"], verbose=0, shuffle=False)
    x, s = test.x[:SEGMENTED], test.s[:SEGMENTED]
    logits = model.predict(x, batch_size=500, verbose=0)
    own = np.take_along_axis(scipy.special.log_softmax(logits, axis=-1), s[..., None], axis=-1)
    return {
        **evaluation.agreement(logits.argmax(axis=-1), s),
        "cost": float(-own.sum(axis=(1, 2, 3)).mean()),
    }
