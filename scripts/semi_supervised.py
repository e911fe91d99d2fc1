"""The experiment of few labels: one encoder with all images, or with the labelled ones alone."""

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from tensorboard.plugins import projector

import zoo
from keras_symvae import Batches, Factor, Pair, Player, SymmetricEquilibrium
from keras_symvae.batches import Mixture
from keras_symvae.families import Categorical, Normal
from scripts.experiments import Experiment, markdown, mean_of
from zoo import datasets
from zoo.presets import Recipe

RECIPES = {
    "fashion_mnist": {
        "budgets": [(10, 400), (50, 600), (100, 600), (None, 3000)],  # labels per class, steps
        "architecture": {"body": "patches", "latents": [30, 100], "width": 200, "filters": 64},
        "rates": {"decoder": 2e-3, "encoder": 2e-3, "encoder/trunk": 5e-4, "encoder/y": 1e-3},
        "weights": {"encoder/dreams": 0.1},
        "batch_sizes": [50, 100],  # labelled images, images
    },
    "digits": {
        "budgets": [(5, 900), (10, 900)],
        "architecture": {"latents": [10], "width": 200},
        "rates": {"decoder": 2e-3, "encoder": 2e-3},
        "weights": {},
        "batch_sizes": [50, 128],
    },
}
PATCHES = {"rates": {"decoder": 1e-2, "encoder": 1e-2}, "steps": 1500}
CLASSIFIERS = {
    "logistic regression": (LogisticRegression(max_iter=1000), {"C": [0.03, 0.1, 0.3, 1.0]}),
    "SVC": (SVC(), {"C": [1.0, 3.0, 10.0, 30.0]}),
    "nearest neighbours": (KNeighborsClassifier(), {"n_neighbors": [1, 3, 5]}),
}
MANY, EMBEDDED = 10_000, 2000  # more labels are not for SVC; images whose codes are shown
SUPERVISED = [(rate, dropout) for rate in (1e-3, 3e-4) for dropout in (0.0, 0.5)]


class SemiSupervised(Experiment):
    """Test accuracy of q(y | x): symmetric learning with all images against labels alone.

    "labels alone" is the best of `SUPERVISED` and of four stopping times on the test images, which
    favours it; scikit-learn's hyper-parameters are cross-validated.

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
        rows = labelled(train.y, settings["per_class"], seed=settings["seed"])
        x, y = train.x[rows].reshape(len(rows), -1), train.y[rows]
        pair = semi_supervised(train, rows, settings)
        right = pair.classify(test.x).argmax(axis=1) == test.y
        found = {"symmetric": float(right.mean())}
        found["labels alone"] = supervised(train, rows, test, settings)
        for name, (classifier, grid) in CLASSIFIERS.items():
            if name != "SVC" or len(y) <= MANY:
                search = GridSearchCV(classifier, grid, cv=5).fit(x, y)
                found[name] = float(search.score(test.x.reshape(len(test.x), -1), test.y))
        keras.saving.save_model(pair, folder / "pair.keras")
        latents = {k: v for k, v in pair.encode(test.x[:EMBEDDED]).items() if k != "y"}
        codes = np.hstack([z.reshape(len(z), -1) for z in latents.values()]).astype("float32")
        np.savez(folder / "codes.npz", codes=codes, y=test.y[:EMBEDDED])
        project(codes, test.y[:EMBEDDED], folder / "projector")
        return found

    def table(self, results):
        names, rows = ["symmetric", "labels alone", *CLASSIFIERS], []
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


def labelled(y, per_class, *, seed):
    """Returns indices of per_class examples of each class (None: of all), a function of seed."""
    order = np.random.RandomState(seed).permutation(len(y))
    return np.concatenate([order[y[order] == label][:per_class] for label in np.unique(y)])


def architecture(train, settings):
    """Returns the untrained `zoo.SemiSupervised`."""
    keras.utils.set_random_seed(settings["seed"])
    options = {"likelihood": "normal", **settings["architecture"]}
    return zoo.SemiSupervised(train.x.shape[1:], train.num_classes, **options)


def play(pair, batches, *, rates, steps, seed, weights=None):
    """Trains a pair by the symmetric game."""
    learner = SymmetricEquilibrium(pair, weights=weights, seed=seed)
    optimizer = Recipe(rates, beta_1=0.5).optimizer(steps=steps)
    learner.compile(optimizer, steps_per_execution=10)  # pyright: ignore[reportArgumentType]
    learner.fit(batches, steps_per_epoch=steps, verbose=0)


def semi_supervised(train, rows, settings):
    """Returns the pair, trained symmetrically on all images and the labels of `rows`."""
    pair, seed = architecture(train, settings), settings["seed"]
    if settings["architecture"].get("body") == "patches":
        pair.adopt(filters(pair.reader, train.x, seed=seed), train.x[:4000])
    few, many = settings["batch_sizes"]
    known = Batches({"x": train.x[rows], "y": train.y[rows]}, batch_size=few, seed=seed)
    batches = Mixture([known, Batches({"x": train.x}, batch_size=many, seed=seed + 1)])
    options = {key: settings[key] for key in ("rates", "steps", "seed", "weights")}
    play(pair, batches, **options)
    return pair


def filters(reader, images, *, seed):
    """Returns filters [k, k, C, F] that the symmetric game learned from patches of all images.

    p(c) p(v | c) and q(c | v), for whitened normalised patches v and F kinds c of them: a mixture.
    """
    rng, side = np.random.RandomState(seed), reader.patch
    some = 2.0 * images[rng.permutation(len(images))[:3000]] - 1.0
    windows = np.lib.stride_tricks.sliding_window_view(some, (side, side), axis=(1, 2))
    v = np.moveaxis(windows[:, ::2, ::2], 3, -1).reshape(-1, side * side * some.shape[-1])
    v = rng.permutation(v)[:150_000]
    v -= v.mean(axis=1, keepdims=True)
    v /= np.sqrt(v.var(axis=1, keepdims=True) + reader.softening)
    lengths, axes = np.linalg.eigh(np.cov(v.T))
    whitening = axes / np.sqrt(lengths + 0.1) @ axes.T
    v = (v @ whitening).astype("float32")
    patch = Normal(v.shape[1], scale=0.6)  # pyright: ignore[reportArgumentType]
    kinds = Categorical((), num_classes=reader.filters)
    families = {"v": patch, "c": kinds}
    p = [Factor("c", learned=True), Factor("v", given="c", network=keras.layers.Dense(v.shape[1]))]
    q = [Factor("c", given="v", network=keras.layers.Dense(reader.filters))]
    pair = Pair(
        *(Player(f, families=families, name=n) for f, n in ((p, "decoder"), (q, "encoder")))
    )
    play(pair, Batches({"v": v}, batch_size=1000, seed=seed), **PATCHES, seed=seed)
    found = pair.encoder.factor("c").network.kernel.numpy()
    found /= np.linalg.norm(found, axis=0)
    return (whitening @ found / (v[:5000] @ found).std()).reshape(reader.kernel.shape)


def supervised(train, rows, test, settings):
    """Returns the best test accuracy of the same trunk and head, trained on the labels alone."""
    best, steps = 0.0, settings["steps"]
    for rate, dropout in SUPERVISED:
        pair = architecture(train, settings)
        if settings["architecture"].get("body") == "patches":
            pair.reader.standardise(2.0 * train.x[rows][:4000] - 1.0)
        factor, trunk = pair.encoder.factor("y"), pair.encoder.trunk.network
        pixels = keras.Input(train.x.shape[1:])
        read = keras.layers.Dropout(dropout)(trunk(2.0 * pixels - 1.0)[factor.given[0]])
        model = keras.Model(pixels, factor.network(read))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(Recipe({"all": rate}).optimizer(steps=steps)["all"], loss=loss)
        known, size = {"x": train.x[rows], "y": train.y[rows]}, settings["batch_sizes"][0]
        batches = Batches(known, batch_size=size, seed=settings["seed"]).dataset()
        data = batches.map(lambda batch: (batch["x"], batch["y"]))
        for _ in range(4):
            model.fit(data, steps_per_epoch=steps // 4, verbose=0, shuffle=False)
            right = model.predict(test.x, verbose=0).argmax(axis=1) == test.y
            best = max(best, float(right.mean()))
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
