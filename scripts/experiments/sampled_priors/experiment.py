"""The experiment of priors known only by samples: two moons, and the samples of another pair."""

import math

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from sklearn.datasets import make_moons

import zoo
from keras_symvae import Batches, Factor, Pair, Player, evaluation, pictures
from keras_symvae.families import Bernoulli, Normal
from scripts.experiments.experiment import Experiment, markdown, mean_of, play
from zoo.datasets import images as datasets
from zoo.datasets.preparation import Preparation
from zoo.networks.mlp import MLP

COMMON = {"batch_size": 256, "beta_1": 0.5, "width": 200}
MOONS = {**COMMON, "prior": "moons", "rate": 1e-3, "flip": 0.05, "noise": 0.05}
MOONS["blurs"] = [(0.4, 2000), (0.3, 2000), (0.22, 2000), (0.16, 2000), (0.11, 2000), (0.05, 5000)]
STACK = {
    **COMMON,
    "prior": "pair",
    "steps": 9000,
    "rate": 2e-3,
    "flip": 0.0,
    "bits": 40,
    "top": [10, 20],
}
POINTS, DRAWS, SAMPLES, ALTERNATIONS, SHOWN = 4000, 10, 2000, 100, 16
CODES = ("held-out images", "the prior, drawn again")
STAGES = ("one pair, uniform bits", "first pair", "second as its prior", "trained on with it")
POINTS_MEASURED = {"kernel": "kernel distance", "transport": "transport", "near": "on the moons"}
STACK_MEASURED = {"one_shot": "Frechet, one-shot", "limiting": f"after {ALTERNATIONS}"}
STACK_MEASURED |= {"kernel": "kernel, codes to prior", "again": "prior to prior"}
TABLES = {"moons": (CODES, POINTS_MEASURED), "pair": (STAGES, STACK_MEASURED)}


class SampledPriors(Experiment):
    """What a prior without density may be: a cloud of points, and a pair that was trained before.

        pi(x) q(z | x) = pi(z) p(x | z)

    Where the players agree, codes of data are distributed as the prior. Moons: a code z = (z0, z1)
    in the plane, and q(z0 | x) q(z1 | z0, x), so that q(z | x) may bend as the moons do. The prior
    is blurred at first: codes move along a moon but not from one to the other, so that the shares
    of the moons are settled while these still touch. Pair: a first pair whose pixels are linear in
    its bits, a second over its codes, and the first trained on with the second as its prior, in a
    third of the updates each; against one alone with all.

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
        x = (train.x > preparation.threshold).astype("float32")
        held_out = (test.x[:SAMPLES] > preparation.threshold).astype("float32")
        part = {"moons": self._moons, "pair": self._stack}[settings["prior"]]
        found, shown = part(settings, train, preparation, x, held_out)
        np.savez(folder / "shown.npz", **shown, y=np.asarray(test.y)[:SAMPLES])
        return found

    def _moons(self, settings, train, preparation, x, held_out):
        noise = settings["noise"]
        families = {"x": Bernoulli(x.shape[1:]), "z0": Normal(1), "z1": Normal(1)}
        hidden = dict.fromkeys(families, 3 * [settings["width"]])
        given = {"decoder": {"x": ("z0", "z1")}, "encoder": {"z0": "x", "z1": ("z0", "x")}}
        points = moons(POINTS, noise=noise, seed=1000 + settings["seed"])
        pair = pair_of(families, **given, hidden=hidden, prior=apart(points))
        for blur, steps in settings["blurs"]:  # standard deviation of the points' noise
            cloud = moons(POINTS, noise=blur, seed=1000 + settings["seed"])
            blurred = Pair(pair.decoder, pair.encoder, prior=apart(cloud))
            fit(blurred, train.x, preparation, settings, steps=steps)
        dense = cKDTree(moons(10 * POINTS, noise=noise, seed=1))
        near = np.quantile(dense.query(moons(POINTS, noise=noise, seed=2))[0], 0.99)
        found = {f"{kind}/{of}": [] for kind in POINTS_MEASURED for of in CODES}
        for draw in range(DRAWS):
            codes = np.concatenate([*pair.encode(held_out, seed=draw).values()], axis=1)
            prior, again = np.split(moons(2 * len(codes), noise=noise, seed=10 + draw), 2)
            for of, z in zip(CODES, (codes, again), strict=True):
                distances = cdist(z, prior)  # matched one to one, at the least sum
                found[f"transport/{of}"].append(distances[linear_sum_assignment(distances)].mean())
                found[f"kernel/{of}"].append(evaluation.kernel_distance(z, prior))
                found[f"near/{of}"].append(np.mean(dense.query(z)[0] < near))
        shown = {"points": points[:1000], "codes": codes, "held-out": held_out[:SHOWN]}
        shown["arcs"] = moons(2 * SHOWN, noise=None, seed=0)
        shown["along"] = pair.decode(apart(shown["arcs"]), output="mean")["x"]
        shown["moons: reconstructed"] = pair.reconstruct(shown["held-out"])["x"]
        return {name: float(np.mean(values)) for name, values in found.items()}, shown

    def _stack(self, settings, train, preparation, x, held_out):
        width, steps, seed = settings["width"], settings["steps"], settings["seed"]
        code = Bernoulli((1, 1, settings["bits"]))  # to the second pair an image of one pixel
        families = {"x": Bernoulli(x.shape[1:]), "z0": code}
        options = {"num_classes": train.num_classes, "extractor": "classifier"}
        options["path"] = self.folder.parent / f"features-{train.name}-threshold.keras"
        features = evaluation.feature_extractor(x, train.y, **options)
        found, shown, real = {}, {}, features(held_out)

        def linear(prior=None):
            root = {"z0": ()} if prior is None else {}
            given = {"decoder": {**root, "x": "z0"}, "encoder": {"z0": "x"}}
            return pair_of(families, **given, hidden={"x": [], "z0": [width, width]}, prior=prior)

        def look(stage, pair):
            dreams = pair.generate(SAMPLES, seed=seed, output="mode")
            chains = pair.limiting(SAMPLES, steps=ALTERNATIONS, seed=seed, output="mode")
            for kind, values in {"one_shot": dreams, "limiting": chains}.items():
                found[f"{kind}/{stage}"] = evaluation.frechet_distance(real, features(values["x"]))
            again = pair.generate(SAMPLES, seed=seed + 1)
            for kind, values in {"kernel": pair.encode(held_out), "again": again}.items():
                signs = [2.0 * z.reshape(len(z), -1) - 1.0 for z in (values["z0"], dreams["z0"])]
                found[f"{kind}/{stage}"] = evaluation.kernel_distance(*signs)
            shown[f"pair: {stage}"] = dreams["x"][:SHOWN]

        def encoded(values, seed):
            return {"x": first.chain.encode(preparation(values, seed), seed=seed)["z0"]}

        alone, first = linear(), linear()
        fit(alone, train.x, preparation, settings, steps=steps)
        look(STAGES[0], alone)
        fit(first, train.x, preparation, settings, steps=steps // 3)
        look(STAGES[1], first)
        second = zoo.Ladder(code.shape, latents=settings["top"], order="reverse", width=width)
        fit(second, train.x, encoded, settings, steps=steps // 3)
        last = linear(prior=second)
        last.decoder.set_weights(first.decoder.get_weights())  # bits keep what the second learned
        last.encoder.set_weights(first.encoder.get_weights())
        look(STAGES[2], last)
        fit(last, train.x, preparation, settings, steps=steps // 3)
        look(STAGES[3], last)
        return found, shown

    def table(self, results):
        tables = []
        for prior, (labels, kinds) in TABLES.items():
            found = [r["found"] for r in results.values() if r["settings"]["prior"] == prior]
            columns = [
                [mean_of((f[f"{k}/{of}"] for f in found), digits=3) for of in labels] for k in kinds
            ]
            tables.append(markdown([prior, *kinds.values()], zip(labels, *columns, strict=True)))
        return "\n".join(tables)

    def picture(self, path, results):
        shown = {}
        for prior in TABLES:
            shown |= np.load(self.folder / f"{prior}-seed-{self.seeds[0]}" / "shown.npz")
        rows = {label: shown[label] for label in shown if label == "held-out" or ":" in label}
        figure = Figure(figsize=(15, 11), layout="constrained")
        cells = figure.add_gridspec(5 + len(rows), 3)
        titles = ("points of the prior", "codes of held-out images, by class", "decoded")
        options = {"xlim": (-2.4, 2.4), "ylim": (-2.2, 2.2)}
        axes = [figure.add_subplot(cells[:5, i], title=t, **options) for i, t in enumerate(titles)]
        axes[0].scatter(*shown["points"].T, s=4, color="0.4")
        dots = axes[1].scatter(*shown["codes"].T, s=9, c=shown["y"], cmap="tab10")
        axes[1].legend(*dots.legend_elements(), ncols=2, fontsize=7, loc="lower left")
        for (u, v), image in zip(shown["arcs"], shown["along"], strict=True):
            box = (u - 0.12, u + 0.12, v - 0.14, v + 0.14)
            axes[2].imshow(image.squeeze(), extent=box, cmap="gray", aspect="auto", vmin=0, vmax=1)
        for index, (label, row) in enumerate(rows.items()):
            panel = figure.add_subplot(cells[5 + index, :], xticks=[], yticks=[])
            panel.imshow(pictures.grid(row, columns=SHOWN).squeeze(), cmap="gray", vmin=0, vmax=255)
            panel.set_ylabel(label, rotation=0, ha="right", va="center")
        figure.savefig(path, dpi=80, bbox_inches="tight")


def moons(n, *, noise, seed):
    """Returns n independent points [n, 2] of two moons; without noise, evenly spaced ones."""
    many = n if noise is None else 20 * n  # scikit-learn spaces evenly: few of many are independent
    points, _ = make_moons(many, shuffle=False, noise=noise, random_state=seed)
    points = (points - (0.5, 0.25)) / (0.87, 0.5)  # mean and standard deviation of moons
    return points[np.random.RandomState(seed).permutation(many)[:n]].astype("float32")


def apart(points):
    """Returns points [n, 2] as codes {"z0": [n, 1], "z1": [n, 1]}."""
    return {"z0": points[:, :1], "z1": points[:, 1:]}


def pair_of(families, *, decoder, encoder, hidden, prior=None):
    """Returns a `Pair` of MLPs: {name: names it is given} per player, {name: widths} of all."""

    def factor(name, given):
        units = math.prod(families[name].raw_shape)
        return Factor(name, given=given, network=MLP(hidden[name], units) if given else None)

    def player(name, factors):
        return Player([factor(*each) for each in factors.items()], families=families, name=name)

    return Pair(player("decoder", decoder), player("encoder", encoder), prior=prior)


def fit(pair, x, transform, settings, *, steps):
    """Trains a pair on images [N, H, W, C] that are transformed anew in every step."""
    seed, rates = settings["seed"], dict.fromkeys(("decoder", "encoder"), settings["rate"])
    batches = Batches({"x": x}, batch_size=settings["batch_size"], seed=seed, transform=transform)
    play(pair, batches, rates=rates, steps=steps, seed=seed, beta_1=settings["beta_1"])
