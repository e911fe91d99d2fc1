"""The experiment of few labels: one encoder with all images, or with the labelled ones alone."""

import dataclasses
import functools

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
from keras_symvae import Batches
from keras_symvae.data.batches import Mixture
from scripts.experiments.experiment import Experiment, markdown, mean_of, play
from scripts.experiments.semi_supervised import filters
from zoo.datasets import images as datasets
from zoo.presets.recipes import Recipe

RECIPES = {
    "fashion_mnist": {
        "budgets": [(10, 400), (50, 600), (100, 600), (None, 2000)],  # labels per class, steps
        "architecture": {"body": "patches", "latents": [30, 100], "width": 200, "filters": 64},
        "rates": {"decoder": 2e-3, "encoder": 2e-3, "encoder/trunk": 5e-4, "encoder/y": 1e-3},
        "dreams": 0.1,
        "information": [1.0, 0.0],
        "batch_sizes": [50, 100],  # labelled images, images
        "validation": 2000,
    },
    "digits": {
        "budgets": [(5, 900), (10, 900)],
        "architecture": {"latents": [10], "width": 200},
        "rates": {"decoder": 2e-3, "encoder": 2e-3},
        "dreams": 1.0,
        "information": [1.0, 0.0],
        "batch_sizes": [50, 128],
        "validation": 200,
    },
}
DROPOUTS, SUPERVISED, EPOCHS = (
    (0.0, 0.5),
    1e-3,
    4,
)  # tried by labels alone, as "information" by the game
CLASSIFIERS = {
    "logistic regression": (LogisticRegression(max_iter=300), {"C": [0.03, 0.1, 0.3, 1.0]}),
    "SVC": (SVC(), {"C": [1.0, 3.0, 10.0, 30.0]}),
    "nearest neighbours": (KNeighborsClassifier(), {"n_neighbors": [1, 3, 5]}),
}
NETWORKS = ("symmetric", "labels alone, filters of the game", "labels alone")
MANY, EMBEDDED = 5000, 2000  # labels to cross-validate with; images whose codes are shown


class SemiSupervised(Experiment):
    """Test accuracy of q(y | x): symmetric learning with all images against labels alone.

    Every network is trained with two settings and looked at four times in each; what is best on
    labelled training images that none of them learns from is measured on the test images.
    scikit-learn's hyper-parameters are cross-validated on up to `MANY` labels, the SVC has no more.

    Args: see `Experiment`.
    """

    name = "semi_supervised"

    def settings(self, seed):
        recipe = dict(RECIPES["digits" if self.data == "digits" else "fashion_mnist"])
        recipe |= {"data": self.data, "seed": seed}
        return {
            f"{few or 'all'}-per-class-seed-{seed}": {**recipe, "per_class": few, "steps": steps}
            for few, steps in recipe.pop("budgets")
        }

    def measure(self, settings, folder):
        train, test = (datasets.load(settings["data"], split=part) for part in ("train", "test"))
        if train.y is None or test.y is None:
            raise ValueError(f"{settings['data']!r} has no labels to learn from")
        seed = settings["seed"]
        rest = np.random.RandomState(seed).permutation(len(train.y))
        chosen, rest = np.split(rest, [settings["validation"]])
        validation = dataclasses.replace(train, x=train.x[chosen], y=train.y[chosen])
        rows = labelled(train.y, settings["per_class"], rest)
        task = Task(train, rows, validation, test, settings)
        learned = None
        if settings["architecture"].get("body") == "patches":
            learned = filters.learned(task.architecture().reader, train.x, seed=seed)
        games = [play_labels(task, learned, weight) for weight in settings["information"]]
        pair, best = max(games, key=lambda game: game[1].validation)
        found = {"symmetric": best.test}
        starts = {"labels alone": None}
        if learned is not None:
            starts["labels alone, filters of the game"] = learned
        for name, start in starts.items():
            tried = [supervised(task, start, dropout) for dropout in DROPOUTS]
            found[name] = max(tried, key=lambda each: each.validation).test
        x, y = train.x[rows].reshape(len(rows), -1), train.y[rows]
        some = np.random.RandomState(seed).permutation(len(y))[:MANY]
        for name, (classifier, grid) in CLASSIFIERS.items():
            if name != "SVC" or len(y) <= MANY:
                search = GridSearchCV(classifier, grid, cv=5, refit=False).fit(x[some], y[some])
                best = clone(classifier).set_params(**search.best_params_).fit(x, y)
                found[name] = float(best.score(test.x.reshape(len(test.x), -1), test.y))
        keras.saving.save_model(pair, folder / "pair.keras")
        latents = {k: v for k, v in pair.encode(test.x[:EMBEDDED]).items() if k != "y"}
        codes = np.hstack([z.reshape(len(z), -1) for z in latents.values()]).astype("float32")
        np.savez(folder / "codes.npz", codes=codes, y=test.y[:EMBEDDED])
        project(codes, test.y[:EMBEDDED], folder / "projector")
        return found

    def table(self, results):
        names, rows = [*NETWORKS, *CLASSIFIERS], []
        for few in dict.fromkeys(result["settings"]["per_class"] for result in results.values()):
            found = [r["found"] for r in results.values() if r["settings"]["per_class"] == few]
            shown = [[f[name] for f in found if name in f] for name in names]
            rows.append([few or "all", *(mean_of(v, digits=3) if v else "" for v in shown)])
        return markdown(["labels per class", *names], rows)

    def picture(self, path, results):
        label = next(iter(results))
        kept = np.load(self.folder / label / "codes.npz")
        points = TSNE(random_state=0).fit_transform(kept["codes"])
        figure = Figure(figsize=(7, 7), layout="constrained")
        axes = figure.add_subplot(title=f"codes of held-out images, {label}")
        axes.legend(*axes.scatter(*points.T, s=6, c=kept["y"], cmap="tab10").legend_elements())
        figure.savefig(path, dpi=100)


def labelled(y, per_class, order):
    """Returns the first per_class indices in `order` of each class (None: all of them)."""
    return np.concatenate([order[y[order] == label][:per_class] for label in np.unique(y)])


@dataclasses.dataclass(frozen=True)
class Task:
    """Images, of which `rows` have labels to learn from; `settings` as in `RECIPES`."""

    train: datasets.Images
    rows: np.ndarray
    validation: datasets.Images
    test: datasets.Images
    settings: dict

    def architecture(self):
        """Returns the untrained `zoo.SemiSupervised`."""
        keras.utils.set_random_seed(self.settings["seed"])
        options = {"likelihood": "normal", **self.settings["architecture"]}
        return zoo.SemiSupervised(self.train.x.shape[1:], self.train.num_classes, **options)

    @property
    def y(self):
        """The labels to learn from."""
        assert self.train.y is not None
        return self.train.y[self.rows]

    def known(self):
        """Returns the `Batches` of labelled images."""
        data = {"x": self.train.x[self.rows], "y": self.y}
        size, seed = self.settings["batch_sizes"][0], self.settings["seed"]
        return Batches(data, batch_size=size, seed=seed)

    def epochs(self):
        """Returns the arguments of `fit` for all steps."""
        steps = self.settings["steps"] // EPOCHS
        return {"epochs": EPOCHS, "steps_per_epoch": steps, "verbose": 0}


class Best(keras.callbacks.Callback):
    """The test accuracy after the epoch that was best on the validation images.

    Args:
        task: the `Task`.
        classify: function from images to class scores.
    """

    def __init__(self, task, classify):
        super().__init__()
        self.task, self.classify = task, classify
        self.validation, self.test = 0.0, 0.0

    def on_epoch_end(self, epoch, logs=None):
        found = self._accuracy(self.task.validation)
        if found > self.validation:
            self.validation, self.test = found, self._accuracy(self.task.test)

    def _accuracy(self, images):
        return float(np.mean(self.classify(images.x).argmax(axis=1) == images.y))


def play_labels(task, learned, weight):
    """Returns the pair, trained symmetrically on all images and some labels, and its `Best`."""
    pair, settings = task.architecture(), task.settings
    if learned is not None:
        pair.adopt(learned, task.train.x[:4000])
    many, seed = settings["batch_sizes"][1], settings["seed"]
    everything = Batches({"x": task.train.x}, batch_size=many, seed=seed + 1)
    best = Best(task, pair.classify)
    options = {key: settings[key] for key in ("rates", "steps", "seed")}
    options["game"] = {
        "weights": {"encoder/dreams": settings["dreams"]},
        "information": {"y": weight},
    }
    options |= {**task.epochs(), "callbacks": [best]}
    play(pair, Mixture([task.known(), everything]), **options)
    return pair, best


def supervised(task, learned, dropout):
    """Returns the `Best` of the same trunk and head, trained on the labels alone."""
    pair, x = task.architecture(), task.train.x
    if learned is not None:
        pair.adopt(learned, x[:4000])
    elif task.settings["architecture"].get("body") == "patches":
        pair.reader.standardise(2.0 * x[task.rows][:4000] - 1.0)
    factor, trunk = pair.encoder.factor("y"), pair.encoder.trunk.network
    pixels = keras.Input(x.shape[1:])
    read = keras.layers.Dropout(dropout)(trunk(2.0 * pixels - 1.0)[factor.given[0]])
    model = keras.Model(pixels, factor.network(read))
    optimizer = Recipe({"all": SUPERVISED}).optimizer(steps=task.settings["steps"])["all"]
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = task.known().dataset().map(lambda batch: (batch["x"], batch["y"]))
    best = Best(task, functools.partial(model.predict, batch_size=500, verbose=0))
    model.fit(data, **task.epochs(), callbacks=[best], shuffle=False)
    return best


def project(codes, y, folder):
    """Writes codes [N, D] and their classes for the projector of TensorBoard."""
    folder.mkdir(exist_ok=True)
    (folder / "metadata.tsv").write_text("".join(f"{label}\n" for label in y), encoding="utf-8")
    tf.train.Checkpoint(codes=tf.Variable(codes)).save(str(folder / "codes.ckpt"))
    config = projector.ProjectorConfig()
    codes_of = config.embeddings.add(tensor_name="codes/.ATTRIBUTES/VARIABLE_VALUE")
    codes_of.metadata_path = "metadata.tsv"
    projector.visualize_embeddings(str(folder), config)
