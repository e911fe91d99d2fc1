"""The experiment of few labels: one encoder with all images, or with the labelled ones alone."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from tensorboard.plugins import projector

import zoo
from keras_symvae import Batches, Pair
from keras_symvae.data.batches import Mixture
from scripts.experiments.experiment import Experiment
from scripts.experiments.place import Place
from scripts.experiments.semi_supervised import filters
from scripts.experiments.semi_supervised.config import Config
from scripts.experiments.tables import Results, findings, markdown, mean_of
from scripts.experiments.training import parts, play
from zoo import datasets
from zoo.presets.recipes import Recipe

CLASSIFIERS = {
    "logistic regression": (LogisticRegression(max_iter=300), {"C": [0.03, 0.1, 0.3, 1.0]}),
    "SVC": (SVC(), {"C": [1.0, 3.0, 10.0, 30.0]}),
    "nearest neighbours": (KNeighborsClassifier(), {"n_neighbors": [1, 3, 5]}),
}
NETWORKS = ("symmetric", "labels alone, filters of the game", "labels alone")


class SemiSupervised(Experiment[Config]):
    """Test accuracy of q(y | x): symmetric learning with all images against labels alone.

    Every network is trained with two settings and looked at four times in each; what is best on
    labelled training images that none of them learns from is measured on the test images.
    scikit-learn's hyper-parameters are cross-validated on at most `Config.many` labels; with more
    labels the SVC is left out.

    Args: see `Experiment`.
    """

    name = "semi_supervised"

    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        setup = self.config.digits if self.data == "digits" else self.config.fashion_mnist
        common = {**dataclasses.asdict(setup), "data": self.data, "seed": seed}
        return {
            f"{few or 'all'}-per-class-seed-{seed}": {**common, "per_class": few, "steps": steps}
            for few, steps in common.pop("budgets")
        }

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        config = self.config
        train, test = parts(settings["data"])
        if train.y is None or test.y is None:
            raise ValueError(f"{settings['data']!r} has no labels to learn from")
        seed = settings["seed"]
        rest = np.random.RandomState(seed).permutation(len(train.y))
        chosen, rest = np.split(rest, [settings["validation"]])
        validation = dataclasses.replace(train, x=train.x[chosen], y=train.y[chosen])
        rows = labelled(train.y, settings["per_class"], rest)
        task = Task(train, rows, validation, test, settings, config.epochs)
        learned = None
        if settings["architecture"].get("body") == "patches":
            reader = task.architecture().reader
            learned = filters.learned(reader, train.x, config.filters, seed=seed)
        games = [play_labels(task, learned, weight) for weight in settings["information"]]
        pair, best = max(games, key=lambda game: game[1].validation)
        found = {"symmetric": best.test}
        starts: dict[str, np.ndarray | None] = {"labels alone": None}
        if learned is not None:
            starts["labels alone, filters of the game"] = learned
        for name, start in starts.items():
            tried = [supervised(task, start, drop, rate=config.rate) for drop in config.dropouts]
            found[name] = max(tried, key=lambda each: each.validation).test
        x, y = train.x[rows].reshape(len(rows), -1), train.y[rows]
        some = np.random.RandomState(seed).permutation(len(y))[: config.many]
        for name, (classifier, grid) in CLASSIFIERS.items():
            if name != "SVC" or len(y) <= config.many:
                search = GridSearchCV(classifier, grid, cv=5, refit=False).fit(x[some], y[some])
                best = clone(classifier).set_params(**search.best_params_).fit(x, y)
                found[name] = float(best.score(test.x.reshape(len(test.x), -1), test.y))
        keras.saving.save_model(pair, folder / "pair.keras")
        latents = {k: v for k, v in pair.encode(test.x[: config.embedded]).items() if k != "y"}
        codes = np.hstack([z.reshape(len(z), -1) for z in latents.values()]).astype("float32")
        np.savez(folder / "codes.npz", codes=codes, y=test.y[: config.embedded])
        project(codes, test.y[: config.embedded], folder / "projector")
        return found

    def table(self, results: Results) -> str:
        names, rows = [*NETWORKS, *CLASSIFIERS], []
        for few in dict.fromkeys(result["settings"]["per_class"] for result in results.values()):
            found = findings(results, per_class=few)
            shown = [[f[name] for f in found if name in f] for name in names]
            rows.append([few or "all", *(mean_of(v, digits=3) if v else "" for v in shown)])
        return markdown(["labels per class", *names], rows)

    def picture(self, place: Place, results: Results) -> None:
        label = next(iter(results))
        kept = np.load(self.folder / label / "codes.npz")
        points = TSNE(random_state=0).fit_transform(kept["codes"])
        figure = Figure(figsize=(7, 7), layout="constrained")
        axes = figure.add_subplot(title=f"codes of held-out images, {label}")
        axes.legend(*axes.scatter(*points.T, s=6, c=kept["y"], cmap="tab10").legend_elements())
        figure.savefig(place.picture(), dpi=100)


def labelled(y: np.ndarray, per_class: int | None, order: np.ndarray) -> np.ndarray:
    """Returns the first per_class indices in `order` of each class (None: all of them)."""
    return np.concatenate([order[y[order] == label][:per_class] for label in np.unique(y)])


@dataclasses.dataclass(frozen=True)
class Task:
    """Images, of which `rows` have labels to learn from.

    Args:
        train, validation, test: the images.
        rows: indices [N] of training images.
        settings: of the training.
        parts: how often a network is looked at.
    """

    train: datasets.Images
    rows: np.ndarray
    validation: datasets.Images
    test: datasets.Images
    settings: dict[str, Any]
    parts: int

    def architecture(self) -> zoo.SemiSupervised:
        """Returns the untrained `zoo.SemiSupervised`."""
        keras.utils.set_random_seed(self.settings["seed"])
        options = {"likelihood": "normal", **self.settings["architecture"]}
        assert self.train.num_classes is not None
        return zoo.SemiSupervised(self.train.x.shape[1:], self.train.num_classes, **options)

    @property
    def y(self) -> np.ndarray:
        """The labels to learn from."""
        assert self.train.y is not None
        return self.train.y[self.rows]

    def known(self) -> Batches:
        """Returns the `Batches` of labelled images."""
        data = {"x": self.train.x[self.rows], "y": self.y}
        size, seed = self.settings["batch_sizes"][0], self.settings["seed"]
        return Batches(data, batch_size=size, seed=seed)


class Best(keras.callbacks.Callback):
    """The test accuracy after the epoch that was best on the validation images.

    Args:
        task: the `Task`.
        classify: function from images to class scores.
    """

    def __init__(self, task: Task, classify: Callable[[np.ndarray], np.ndarray]):
        super().__init__()
        self.task, self.classify = task, classify
        self.validation, self.test = 0.0, 0.0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        found = self._accuracy(self.task.validation)
        if found > self.validation:
            self.validation, self.test = found, self._accuracy(self.task.test)

    def _accuracy(self, images: datasets.Images) -> float:
        return float(np.mean(self.classify(images.x).argmax(axis=1) == images.y))


def play_labels(task: Task, learned: np.ndarray | None, weight: float) -> tuple[Pair, Best]:
    """Returns the pair, trained symmetrically on all images and some labels, and its `Best`."""
    pair, settings = task.architecture(), task.settings
    if learned is not None:
        pair.adopt(learned, task.train.x[:4000])
    many, seed = settings["batch_sizes"][1], settings["seed"]
    everything = Batches({"x": task.train.x}, batch_size=many, seed=seed + 1)
    best = Best(task, pair.classify)
    play(
        pair,
        Mixture([task.known(), everything]),
        rates=settings["rates"],
        steps=settings["steps"],
        seed=seed,
        game={"weights": {"encoder/dreams": settings["dreams"]}, "information": {"y": weight}},
        epochs=task.parts,
        callbacks=[best],
    )
    return pair, best


def supervised(task: Task, learned: np.ndarray | None, dropout: float, *, rate: float) -> Best:
    """Returns the `Best` of the same trunk and head, trained on the labels alone."""
    pair, x, steps = task.architecture(), task.train.x, task.settings["steps"]
    if learned is not None:
        pair.adopt(learned, x[:4000])
    elif task.settings["architecture"].get("body") == "patches":
        pair.reader.standardise(2.0 * x[task.rows][:4000] - 1.0)
    factor, encoder_trunk = pair.encoder.factor("y"), pair.encoder.trunk
    assert encoder_trunk is not None  # a semi-supervised pair has one
    trunk = encoder_trunk.network
    pixels = keras.Input(x.shape[1:])
    read = keras.layers.Dropout(dropout)(trunk(2.0 * pixels - 1.0)[factor.given[0]])
    model = keras.Model(pixels, factor.network(read))
    optimizer = Recipe({"all": rate}).optimizer(steps=steps)["all"]
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = task.known().dataset().map(lambda batch: (batch["x"], batch["y"]))
    best = Best(task, functools.partial(model.predict, batch_size=500, verbose=0))
    options = {"epochs": task.parts, "steps_per_epoch": steps // task.parts}
    model.fit(data, callbacks=[best], shuffle=False, verbose=0, **options)
    return best


def project(codes: np.ndarray, y: np.ndarray, folder: pathlib.Path) -> None:
    """Writes codes [N, D] and their classes for the projector of TensorBoard."""
    folder.mkdir(exist_ok=True)
    (folder / "metadata.tsv").write_text("".join(f"{label}\n" for label in y), encoding="utf-8")
    tf.train.Checkpoint(codes=tf.Variable(tf.constant(codes))).save(str(folder / "codes.ckpt"))
    config = projector.ProjectorConfig()
    codes_of = config.embeddings.add(tensor_name="codes/.ATTRIBUTES/VARIABLE_VALUE")
    codes_of.metadata_path = "metadata.tsv"
    projector.visualize_embeddings(str(folder), config)
