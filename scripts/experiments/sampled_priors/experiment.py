"""The experiment of priors known only by samples: two moons, and the samples of another pair."""

import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

import zoo
from keras_symvae import Batches, Factor, Pair, Player, evaluation, pictures
from keras_symvae.families import Bernoulli, Family, Normal
from scripts.experiments import judge
from scripts.experiments.experiment import Experiment
from scripts.experiments.judge import Judge
from scripts.experiments.place import Place
from scripts.experiments.sampled_priors.bits import Bits
from scripts.experiments.sampled_priors.config import Config
from scripts.experiments.sampled_priors.moons import apart, moons
from scripts.experiments.tables import Results, findings, markdown, mean_of
from scripts.experiments.training import parts, play
from zoo.datasets.preparation import Preparation
from zoo.networks.mlp import MLP
from zoo.presets.recipes import both

CODES = ("held-out images", "the prior, drawn again")
STAGES = ("one pair, uniform bits", "first pair", "second as its prior", "trained on with it")
POINTS_MEASURED = {"kernel": "kernel distance", "transport": "transport", "near": "on the moons"}
STACK_MEASURED = {"one_shot": "Frechet, one-shot", "limiting": "after {alternations}"}
STACK_MEASURED |= {"kernel": "kernel, codes to prior", "again": "prior to prior"}
TABLES = {"moons": (CODES, POINTS_MEASURED), "pair": (STAGES, STACK_MEASURED)}


Measured = tuple[dict[str, float], dict[str, Any]]  # numbers, and what the picture shows


class SampledPriors(Experiment[Config]):
    """What a prior without density may be: a cloud of points, and a pair that was trained before.

        pi(x) q(z | x) = pi(z) p(x | z)

    If the players agree, codes of data are distributed as the prior. Moons: a code z = (z0, z1)
    in the plane, and q(z0 | x) q(z1 | z0, x), so that q(z | x) may bend as the moons do. The prior
    is blurred at first: codes move along a moon but not from one to the other, so that the shares
    of the moons are settled while these still touch. Pair: a first pair whose pixels are linear in
    its bits, a second over its codes, and the first trained on with the second as its prior, in a
    third of the updates each; against one alone with all.

    Args: see `Experiment`.
    """

    name = "sampled_priors"
    usual = "digits"

    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        priors = {"moons": self.config.moons, "pair": self.config.stack}
        return self.varied("prior", priors, seed=seed, data=self.data)

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        keras.utils.set_random_seed(settings["seed"])
        preparation = Preparation(binarize="threshold", flip=settings["flip"])
        train, test = parts(settings["data"])
        images = Bits(train, test.x[: self.config.samples], preparation)
        part = {"moons": self._moons, "pair": self._stack}[settings["prior"]]
        found, shown = part(settings, images)
        np.savez(folder / "shown.npz", **shown, y=np.asarray(test.y)[: self.config.samples])
        return found

    def _moons(self, settings: dict[str, Any], images: Bits) -> Measured:
        config, noise, held_out = self.config, settings["noise"], images.held_out
        families = {"x": Bernoulli(held_out.shape[1:]), "z0": Normal(1), "z1": Normal(1)}
        hidden = dict.fromkeys(families, 3 * [settings["width"]])
        given = {"decoder": {"x": ("z0", "z1")}, "encoder": {"z0": "x", "z1": ("z0", "x")}}
        points = moons(config.points, noise=noise, seed=1000 + settings["seed"])
        pair = pair_of(families, **given, hidden=hidden, prior=apart(points))
        for blur, steps in settings["blurs"]:  # standard deviation of the points' noise
            cloud = moons(config.points, noise=blur, seed=1000 + settings["seed"])
            blurred = Pair(pair.decoder, pair.encoder, prior=apart(cloud))
            fit(blurred, images, settings, steps=steps)
        dense = cKDTree(moons(10 * config.points, noise=noise, seed=1))
        near = np.quantile(dense.query(moons(config.points, noise=noise, seed=2))[0], 0.99)
        found = {f"{kind}/{of}": [] for kind in POINTS_MEASURED for of in CODES}
        every = [
            np.concatenate([*pair.encode(held_out, seed=draw).values()], axis=1)
            for draw in range(config.draws)
        ]
        for draw, codes in enumerate(every):
            prior, again = np.split(moons(2 * len(codes), noise=noise, seed=10 + draw), 2)
            for of, z in zip(CODES, (codes, again), strict=True):
                distances = cdist(z, prior)  # matched one to one, at the least sum
                found[f"transport/{of}"].append(distances[linear_sum_assignment(distances)].mean())
                found[f"kernel/{of}"].append(evaluation.kernel_distance(z, prior))
                found[f"near/{of}"].append(np.mean(dense.query(z)[0] < near))
        shown = {"points": points[:1000], "codes": every[-1], "held-out": held_out[: config.shown]}
        shown["arcs"] = moons(2 * config.shown, noise=None, seed=0)
        shown["along"] = pair.decode(apart(shown["arcs"]), output="mean")["x"]
        shown["moons: reconstructed"] = pair.reconstruct(shown["held-out"])["x"]
        return {name: float(np.mean(values)) for name, values in found.items()}, shown

    def _stack(self, settings: dict[str, Any], images: Bits) -> Measured:
        width, steps, seed = settings["width"], settings["steps"], settings["seed"]
        train, held_out = images.train, images.held_out
        code = Bernoulli((1, 1, settings["bits"]))  # to the second pair an image of one pixel
        families = {"x": Bernoulli(held_out.shape[1:]), "z0": code}
        if train.y is None or train.num_classes is None:
            raise ValueError(f"{settings['data']!r} has no labels to train a classifier with")
        path = self.folder.parent / f"features-{train.name}-threshold.keras"
        x = images.bits(train.x)
        features = judge.classifier(x, train.y, num_classes=train.num_classes, path=path)
        distances, found, shown = Judge(features, held_out), {}, {}

        def linear(prior: Pair | None = None) -> Pair:
            root = {"z0": ()} if prior is None else {}
            given = {"decoder": {**root, "x": "z0"}, "encoder": {"z0": "x"}}
            return pair_of(families, **given, hidden={"x": [], "z0": [width, width]}, prior=prior)

        def look(stage: str, pair: Pair) -> None:
            numbers, dreams = self._looked(pair, distances, held_out, seed=seed)
            found.update({f"{name}/{stage}": number for name, number in numbers.items()})
            shown[f"pair: {stage}"] = dreams[: self.config.shown]

        def encoded(values: dict[str, Any], seed: Any) -> dict[str, Any]:
            return {"x": first.chain.encode(images.preparation(values, seed), seed=seed)["z0"]}

        alone, first = linear(), linear()
        fit(alone, images, settings, steps=steps)
        look(STAGES[0], alone)
        fit(first, images, settings, steps=steps // 3)
        look(STAGES[1], first)
        second = zoo.Ladder(code.shape, latents=settings["top"], order="reverse", width=width)
        fit(second, images, settings, steps=steps // 3, transform=encoded)
        last = linear(prior=second)
        last.decoder.set_weights(first.decoder.get_weights())  # bits keep what the second learned
        last.encoder.set_weights(first.encoder.get_weights())
        look(STAGES[2], last)
        fit(last, images, settings, steps=steps // 3)
        look(STAGES[3], last)
        return found, shown

    def _looked(
        self, pair: Pair, distances: Judge, held_out: np.ndarray, *, seed: int
    ) -> tuple[dict[str, float], np.ndarray]:
        """Returns ({measure: number}, dreams) of a pair of one code z0."""
        n, steps = self.config.samples, self.config.alternations
        dreams = pair.generate(n, seed=seed, output="mode")
        chains = pair.limiting(n, steps=steps, seed=seed, output="mode")
        found = {"one_shot": distances.distance(dreams["x"])}
        found["limiting"] = distances.distance(chains["x"])
        again = pair.generate(n, seed=seed + 1)
        for kind, values in {"kernel": pair.encode(held_out), "again": again}.items():
            signs = [2.0 * z.reshape(len(z), -1) - 1.0 for z in (values["z0"], dreams["z0"])]
            found[kind] = evaluation.kernel_distance(*signs)
        return found, dreams["x"]

    def table(self, results: Results) -> str:
        tables = []
        for prior, (labels, kinds) in TABLES.items():
            found = findings(results, prior=prior)
            heads = [head.format(alternations=self.config.alternations) for head in kinds.values()]
            columns = [
                [mean_of((f[f"{k}/{of}"] for f in found), digits=3) for of in labels] for k in kinds
            ]
            tables.append(markdown([prior, *heads], zip(labels, *columns, strict=True)))
        return "\n".join(tables)

    def picture(self, place: Place, results: Results) -> None:
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
            images = pictures.grid(row, columns=self.config.shown)
            panel.imshow(images.squeeze(), cmap="gray", vmin=0, vmax=255)
            panel.set_ylabel(label, rotation=0, ha="right", va="center")
        figure.savefig(place.picture(), dpi=80, bbox_inches="tight")


def pair_of(
    families: Mapping[str, Family],
    *,
    decoder: Mapping[str, Any],
    encoder: Mapping[str, Any],
    hidden: Mapping[str, Sequence[int]],
    prior: Any = None,
) -> Pair:
    """Returns a `Pair` of MLPs: {name: names it is given} per player, {name: widths} of all."""

    def factor(name: str, given: Any) -> Factor:
        units = math.prod(families[name].raw_shape)
        return Factor(name, given=given, network=MLP(hidden[name], units) if given else None)

    def player(name: str, factors: Mapping[str, Any]) -> Player:
        return Player([factor(*each) for each in factors.items()], families=families, name=name)

    return Pair(player("decoder", decoder), player("encoder", encoder), prior=prior)


def fit(
    pair: Pair,
    images: Bits,
    settings: dict[str, Any],
    *,
    steps: int,
    transform: Callable[[dict[str, Any], Any], dict[str, Any]] | None = None,
) -> None:
    """Trains a pair on images that are prepared, or otherwise transformed, anew in every step."""
    seed, rates = settings["seed"], both(settings["rate"])
    options = {"batch_size": settings["batch_size"], "seed": seed}
    batches = Batches({"x": images.train.x}, transform=transform or images.preparation, **options)
    play(pair, batches, rates=rates, steps=steps, seed=seed, beta_1=settings["beta_1"])
