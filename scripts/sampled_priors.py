"""The experiment of priors known only by samples: two moons, and the samples of another pair."""

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from sklearn.datasets import make_moons

import zoo
from keras_symvae import Batches, Factor, Pair, Player, SymmetricEquilibrium, evaluation, pictures
from keras_symvae.families import Bernoulli, Normal
from scripts.experiments import Experiment, markdown, mean_of
from zoo import datasets
from zoo.blocks import MLP
from zoo.preparation import Preparation
from zoo.presets import Recipe

COMMON = {"batch_size": 256, "beta_1": 0.5, "width": 200, "steps": 9000}
MOONS = {**COMMON, "prior": "moons", "rate": 1e-3, "flip": 0.05, "noise": 0.05}
STACK = {**COMMON, "prior": "pair", "rate": 2e-3, "flip": 0.0, "bits": 40, "top": [10, 20]}
POINTS, DRAWS, SAMPLES, ALTERNATIONS, SHOWN = 4000, 10, 2000, 100, 16
CODES = ("held-out images", "training images", "the prior, drawn again")
STAGES = ("one pair, uniform bits", "first pair", "second as its prior", "trained on with it")
MEASURED = {
    "moons": {"kernel": "kernel distance", "transport": "transport", "near": "on the moons"},
    "pair": {
        "one_shot": "Frechet, one-shot",
        "limiting": f"after {ALTERNATIONS}",
        "kernel": "kernel, codes to prior",
        "again": "prior to prior",
    },
}


class SampledPriors(Experiment):
    """What a prior without density may be: a cloud of points, and a pair that was trained before.

        pi(x) q(z | x) = pi(z) p(x | z)

    Where the players agree, codes of data are distributed as the prior. Moons: a code z = (z0, z1)
    in the plane, and q(z0 | x) q(z1 | z0, x), so that q(z | x) may bend as the moons do. Pair: a
    first pair whose pixels are linear in its bits, a second over the codes of the first, and the
    first trained on with the samples of the second as its prior, a third of the updates each;
    against one such pair with uniform bits and all updates.

    Args: see `Experiment`.
    """

    name = "sampled_priors"
    usual = "digits"

    def settings(self, seed):
        common = {"data": self.data, "seed": seed}
        return {f"moons-seed-{seed}": MOONS | common, f"pair-seed-{seed}": STACK | common}

    def measure(self, settings, folder):
        keras.utils.set_random_seed(settings["seed"])
        preparation = Preparation(binarize="threshold", flip=settings["flip"])
        train, test = (datasets.load(settings["data"], split=part) for part in ("train", "test"))
        known, held_out = (
            (x > preparation.threshold).astype("float32") for x in (train.x, test.x[:SAMPLES])
        )
        if settings["prior"] == "moons":
            found, shown = self._moons(settings, train.x, known, held_out, preparation)
            shown["y"] = test.y[:SAMPLES]
        else:
            features = self._features(train, known)
            found, shown = self._stack(settings, train.x, held_out, preparation, features)
        np.savez(folder / "shown.npz", **shown)
        return found

    def _features(self, train, x):
        path = self.folder.parent / f"features-{train.name}-threshold.keras"
        options = {"num_classes": train.num_classes, "path": path, "extractor": "classifier"}
        return evaluation.feature_extractor(x, train.y, **options)

    def _moons(self, settings, x, known, held_out, preparation):
        noise, n = settings["noise"], len(held_out)
        points = moons(POINTS, noise=noise, seed=1000 + settings["seed"])
        pair = over_the_plane(x.shape[1:], points, width=settings["width"])
        fit(pair, x, preparation, settings, steps=settings["steps"])
        dense = cKDTree(moons(10 * POINTS, noise=noise, seed=1))
        near = np.quantile(dense.query(moons(POINTS, noise=noise, seed=2))[0], 0.99)
        found = {f"{kind}/{of}": [] for kind in MEASURED["moons"] for of in CODES}
        for draw in range(DRAWS):
            prior, again = (moons(n, noise=noise, seed=10 + 2 * draw + side) for side in (0, 1))
            rows = np.random.RandomState(draw).permutation(len(known))[:n]
            codes = [plane(pair.encode(images, seed=draw)) for images in (held_out, known[rows])]
            for of, z in zip(CODES, (*codes, again), strict=True):
                found[f"kernel/{of}"].append(evaluation.kernel_distance(z, prior))
                found[f"transport/{of}"].append(transport(z, prior))
                found[f"near/{of}"].append(np.mean(dense.query(z)[0] < near))
        arcs = moons(2 * SHOWN, noise=None, seed=0)
        return {name: float(np.mean(values)) for name, values in found.items()}, {
            "points": points[:1000],
            "codes": plane(pair.encode(held_out)),
            "arcs": arcs,
            "along": pair.decode({"z0": arcs[:, :1], "z1": arcs[:, 1:]}, output="mean")["x"],
            "held-out": held_out[:SHOWN],
            "moons: reconstructed": pair.reconstruct(held_out[:SHOWN])["x"],
        }

    def _stack(self, settings, x, held_out, preparation, features):
        code = Bernoulli((1, 1, settings["bits"]))  # to the second pair an image of one pixel
        width, steps, seed = settings["width"], settings["steps"], settings["seed"]
        found, shown, real = {}, {}, features(held_out)

        def look(stage, pair):
            dreams = pair.generate(SAMPLES, seed=seed, output="mode")
            chains = pair.limiting(SAMPLES, steps=ALTERNATIONS, seed=seed, output="mode")
            for kind, images in {"one_shot": dreams["x"], "limiting": chains["x"]}.items():
                found[f"{kind}/{stage}"] = evaluation.frechet_distance(real, features(images))
            codes = {
                "kernel": pair.encode(held_out),
                "again": pair.generate(SAMPLES, seed=seed + 1),
            }
            for kind, values in codes.items():
                pm = [2.0 * z.reshape(len(z), -1) - 1.0 for z in (values["z0"], dreams["z0"])]
                found[f"{kind}/{stage}"] = evaluation.kernel_distance(*pm)
            shown[f"pair: {stage}"] = dreams["x"][:SHOWN]

        def encoded(values, seed):
            return {"x": first.encoded(preparation(values, seed), seed=seed)["z0"]}

        alone, first = (linear(x.shape[1:], code, width=width) for _ in range(2))
        fit(alone, x, preparation, settings, steps=steps)
        look(STAGES[0], alone)
        fit(first, x, preparation, settings, steps=steps // 3)
        look(STAGES[1], first)
        second = zoo.Ladder(code.shape, latents=settings["top"], order="reverse", width=width)
        fit(second, x, encoded, settings, steps=steps // 3)
        last = linear(x.shape[1:], code, width=width, prior=second)
        for ours, its in ((last.decoder, first.decoder), (last.encoder, first.encoder)):
            ours.set_weights(its.get_weights())  # its bits mean what the second pair knows of them
        look(STAGES[2], last)
        fit(last, x, preparation, settings, steps=steps // 3)
        look(STAGES[3], last)
        return found, shown

    def table(self, results):
        tables = []
        for prior, labels in {"moons": CODES, "pair": STAGES}.items():
            found = [r["found"] for r in results.values() if r["settings"]["prior"] == prior]
            rows = [
                [of, *(mean_of([f[f"{k}/{of}"] for f in found], digits=3) for k in MEASURED[prior])]
                for of in labels
            ]
            tables.append(markdown([prior, *MEASURED[prior].values()], rows))
        return "\n".join(tables)

    def picture(self, path, results):
        shown = {}
        for prior in MEASURED:
            shown |= np.load(self.folder / f"{prior}-seed-{self.seeds[0]}" / "shown.npz")
        figure = Figure(figsize=(15, 11), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=(5, 6))
        axes = upper.subplots(1, 3, sharex=True, sharey=True)
        titles = ("points of the prior", "codes of held-out images, by class", "decoded")
        for panel, title in zip(axes, titles, strict=True):
            panel.set(title=title, xlim=(-2.4, 2.4), ylim=(-2.2, 2.2))
        axes[0].scatter(*shown["points"].T, s=4, color="0.4")
        dots = axes[1].scatter(*shown["codes"].T, s=9, c=shown["y"], cmap="tab10")
        axes[1].legend(*dots.legend_elements(), ncols=2, fontsize=7, loc="lower left")
        for (u, v), image in zip(shown["arcs"], shown["along"], strict=True):
            box = (u - 0.12, u + 0.12, v - 0.14, v + 0.14)
            axes[2].imshow(image.squeeze(), extent=box, cmap="gray", aspect="auto", vmin=0, vmax=1)
        axes[2].set(xlim=(-2.4, 2.4), ylim=(-2.2, 2.2))
        rows = {label: shown[label] for label in shown if label == "held-out" or ":" in label}
        for panel, (label, row) in zip(lower.subplots(len(rows), 1), rows.items(), strict=True):
            panel.imshow(pictures.grid(row, columns=SHOWN).squeeze(), cmap="gray", vmin=0, vmax=255)
            panel.set(xticks=[], yticks=[])
            panel.set_ylabel(label, rotation=0, ha="right", va="center")
        figure.savefig(path, dpi=80)


def moons(n, *, noise, seed):
    """Returns n independent points [n, 2] of two moons; without noise, evenly spaced ones."""
    many = n if noise is None else 20 * n  # scikit-learn spaces evenly: few of many are independent
    points, _ = make_moons(many, shuffle=False, noise=noise, random_state=seed)
    points = (points - (0.5, 0.25)) / (0.87, 0.5)  # mean and standard deviation of moons
    return points[np.random.RandomState(seed).permutation(many)[:n]].astype("float32")


def plane(codes):
    """Returns codes {"z0": [n, 1], "z1": [n, 1]} as points [n, 2]."""
    return np.concatenate([codes["z0"], codes["z1"]], axis=1)


def transport(a, b):
    """Returns the mean distance between points [n, 2] that are matched one to one, at the least."""
    distances = cdist(a, b)
    return float(distances[linear_sum_assignment(distances)].mean())


def over_the_plane(shape, points, *, width):
    """Returns p(x | z0, z1) and q(z0 | x) q(z1 | z0, x), with points [N, 2] as the prior."""
    families = {"x": Bernoulli(shape), "z0": Normal(1), "z1": Normal(1)}
    painter, *readers = (MLP(3 * [width], units) for units in (families["x"].size, 2, 2))
    decoder = [Factor("x", given=("z0", "z1"), network=painter)]
    encoder = [
        Factor("z0", given="x", network=readers[0]),
        Factor("z1", given=("z0", "x"), network=readers[1]),
    ]
    return pair_of(decoder, encoder, families, {"z0": points[:, :1], "z1": points[:, 1:]})


def linear(shape, code, *, width, prior=None):
    """Returns p(x | z0), whose logits are linear in the bits z0, and q(z0 | x)."""
    families = {"x": Bernoulli(shape), "z0": code}
    decoder = [Factor("z0")] if prior is None else []
    decoder += [Factor("x", given="z0", network=MLP([], families["x"].size))]
    encoder = [Factor("z0", given="x", network=MLP([width, width], code.size))]
    return pair_of(decoder, encoder, families, prior)


def pair_of(decoder, encoder, families, prior):
    """Returns the `Pair` of two lists of factors."""
    players = [Player(decoder, families=families, name="decoder")]
    players += [Player(encoder, families=families, name="encoder")]
    return Pair(*players, prior=prior)


def fit(pair, x, transform, settings, *, steps):
    """Trains a pair on images [N, H, W, C] that are transformed anew in every step."""
    seed, rate = settings["seed"], settings["rate"]
    model = SymmetricEquilibrium(pair, seed=seed)
    recipe = Recipe({"decoder": rate, "encoder": rate}, beta_1=settings["beta_1"])
    optimizer = recipe.optimizer(steps=steps)
    model.compile(optimizer, steps_per_execution=10)  # pyright: ignore[reportArgumentType]
    batches = Batches({"x": x}, batch_size=settings["batch_size"], seed=seed, transform=transform)
    model.fit(batches, steps_per_epoch=steps, verbose=0)
