"""The experiment of mixtures in the plane: a ring, a grid and two moons, learned by every game."""

import dataclasses
import functools
import math
import pathlib
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from keras_symvae import Learner, Pair, learners, seeds
from keras_symvae.data.sources import FunctionSource
from scripts.experiments import training
from scripts.experiments.experiment import Experiment
from scripts.experiments.place import Place
from scripts.experiments.plane_mixtures.config import Config
from scripts.experiments.plane_mixtures.pace import Pace
from scripts.experiments.plane_mixtures.players import critic_of, pair_of
from scripts.experiments.plane_mixtures.recipes import CRITICS, Method
from scripts.experiments.plane_mixtures.shapes import SAMPLERS, SHAPES
from scripts.experiments.tables import Results, markdown, means
from zoo.presets.recipes import Recipe, both

GRID = 0.05  # distance of the codes that the likelihood is summed over
MEASURED = {
    "covered": ("{kind} of {number}", 1),
    "near": ("near", 3),
    "uneven": ("uneven", 3),
    "limiting/covered": ("{kind} after {alternations} alternations", 1),
    "limiting/near": ("near after them", 3),
    "reconstruction": ("reconstruction error", 3),
    "log-likelihood": ("log p(x), nats", 2),
    "same": ("same one encoded and decoded", 3),
}
PACE = "pace"  # stands for a shape where no more than the time of a step is measured
TIMED = {"milliseconds": ("ms per step", 1), "relative": ("beside symmetric", 2)}


class PlaneMixtures(Experiment[Config]):
    """Three mixtures of Gaussians of standard deviation 0.1, and what a game makes of them.

    A sample is near a shape if it lies within three standard deviations of the points of its
    modes, or of its curve. A mode, or a piece of the curve, is covered if at least a quarter of
    its share of samples is near it. Uneven is the share of the near samples that would have to
    move for all modes or pieces to have as many. The reconstruction error is the root of the mean
    squared distance between data and the means of their reconstructions. A sample from the prior
    is of the same mode or piece if, encoded and decoded, it is nearest to the one that it was
    nearest to before. How long a step takes is measured once for each method, with the first shape
    and the first seed, since it depends on neither.

    Args:
        data: shapes, with commas between them; see `SHAPES`.
        others: see `Experiment`.
    """

    name = "plane_mixtures"
    usual = "ring,grid,moons"

    defaults = Config()

    @functools.cached_property
    def shapes(self) -> list[str]:
        """The names of the shapes.

        Raises:
            ValueError: there is no such shape.
        """
        names = self.data.split(",")
        unknown = [name for name in names if name not in SHAPES]
        if unknown:
            raise ValueError(f"There are no shapes {unknown}; choose of {', '.join(SHAPES)}.")
        return names

    @functools.cached_property
    def pace(self) -> Pace:
        """That of the symmetric game as it is in the paper, with one draw."""
        settings = {**dataclasses.asdict(Method("symmetric")), "seed": 0}
        batch = SAMPLERS["ring"](settings["batch_size"], seeds.make(0))
        return Pace(learner_of(settings), batch, group=self.config.group, rounds=self.config.rounds)

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        thorough = {label: self.config.methods[label] for label in self.config.thorough}
        found = {}
        for shape in self.shapes:
            first = self.seeds[: self.config.others.get(shape, 0)]
            chosen = self.config.methods if seed in first else thorough
            own = self.varied("method", chosen, seed=seed, shape=shape)
            found |= {f"{shape}-{label}": settings for label, settings in own.items()}
        if seed == self.seeds[0]:
            own = self.varied("method", self.config.methods, seed=seed, shape=PACE)
            found |= {f"{PACE}-{label}": settings for label, settings in own.items()}
        return found

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        config, name, learner = self.config, settings["shape"], learner_of(settings)
        if name == PACE:
            return self.pace.of(learner)
        shape = SHAPES[name]
        budget = {key: settings[key] for key in ("steps", "batch_size")}
        training.fit(learner, FunctionSource(SAMPLERS[name], names=("x",)), **budget)
        pair, fork = learner.pair, seeds.make(1_000_000 + settings["seed"])
        data = SAMPLERS[name](config.samples, fork)["x"].numpy()
        samples = pair.generate(config.samples, seed=1)["x"]
        chains = pair.limiting(config.samples, steps=config.alternations, seed=2)["x"]
        rebuilt = pair.reconstruct(data, seed=3)["x"]
        again = pair.reconstruct(samples, seed=4)["x"]
        judged = data[: config.likelihood_data]
        found = shape.coverage(samples)
        found |= {f"limiting/{key}": value for key, value in shape.coverage(chains).items()}
        found |= {f"data/{key}": value for key, value in shape.coverage(data).items()}
        found["reconstruction"] = float(np.sqrt(np.mean(np.sum((data - rebuilt) ** 2, axis=1))))
        found["log-likelihood"] = log_likelihood(pair, judged)
        found["data/log-likelihood"] = float(np.mean(shape.log_prob(judged)))
        found["same"] = float(np.mean(shape.nearest(samples)[0] == shape.nearest(again)[0]))
        kept = {"data": data[: config.shown], "samples": samples[: config.shown]}
        np.savez(folder / "shown.npz", **kept)
        return found

    def table(self, results: Results) -> str:
        timed = {label: r for label, r in results.items() if r["settings"]["shape"] == PACE}
        heads = ["seconds", *(head for head, _ in TIMED.values())]
        digits = {key: number for key, (_, number) in TIMED.items()}
        pace = markdown(heads, means(timed, self.config.methods, digits, partial=True))
        return "\n".join([*(self._table_of(name, results) for name in self.shapes), pace])

    def _table_of(self, name: str, results: Results) -> str:
        shape, alternations = SHAPES[name], self.config.alternations
        words = {"kind": shape.kind, "number": shape.number, "alternations": alternations}
        heads = [head.format(**words) for head, _ in MEASURED.values()]
        digits = {key: number for key, (_, number) in MEASURED.items()}
        own = {k: r for k, r in results.items() if r["settings"]["shape"] == name}
        first = next(iter(self.config.methods))
        of_data = {f"data/{key}": number for key, number in digits.items()}
        (best,) = means(own, [first], of_data, partial=True)
        measured = means(own, self.config.methods, digits, partial=True)
        return markdown([name, *heads], [*measured, ["the data themselves", *best[1:]]])

    def picture(self, place: Place, results: Results) -> None:
        blocks = {name: self._panels(name) for name in self.shapes}
        columns = min(7, max(len(panels) for panels in blocks.values()))
        heights = [math.ceil(len(panels) / columns) for panels in blocks.values()]
        size = (2.2 * columns, 2.4 * sum(heights))
        figure, above = Figure(figsize=size, layout="constrained"), 0
        cells = figure.add_gridspec(sum(heights), columns)
        for panels, height in zip(blocks.values(), heights, strict=True):
            for index, (label, points) in enumerate(panels.items()):
                where = cells[above + index // columns, index % columns]
                axes = figure.add_subplot(where, aspect="equal", xticks=[], yticks=[], title=label)
                axes.set(xlim=(-3.4, 3.4), ylim=(-3.4, 3.4))
                axes.scatter(*points.T, s=1, alpha=0.5, linewidths=0)
            above += height
        figure.savefig(place.picture(), dpi=80)

    def _panels(self, name: str) -> dict[str, np.ndarray]:
        """Returns {title: points [N, 2]} of a shape, of the methods whose points were kept."""
        paths = {
            label: self.folder / f"{name}-{label}-seed-{self.seeds[0]}" / "shown.npz"
            for label in self.config.methods
        }
        shown = {label: np.load(path) for label, path in paths.items() if path.is_file()}
        data = next(iter(shown.values()))["data"]
        return {f"{name}: data": data, **{label: each["samples"] for label, each in shown.items()}}


def learner_of(settings: dict[str, Any]) -> Learner:
    """Returns the untrained learner of some settings."""
    reading = CRITICS[settings["learner"]]
    game = learners.get(settings["learner"].removesuffix("-gan"))

    def make() -> Learner:
        pair = pair_of(settings)
        critics = {name: critic_of(name, given, settings) for name, given in reading.items()}
        options = {"critic_steps": settings["critic_steps"]} if critics else {}
        return game(pair, seed=settings["seed"], **critics, **options, **settings["options"])

    rates = both(settings["rate"])
    rates |= {name: settings["critic_rate"] for name in reading}
    constant = () if settings["critic_decays"] else tuple(reading)
    recipe = Recipe(rates, beta_1=settings["beta_1"], constant=constant)
    return training.compiled(
        make,
        optimizer=recipe.optimizer(steps=settings["steps"]),
        seed=settings["seed"],
        group=20,
    )


def log_likelihood(pair: Pair, x: np.ndarray) -> float:
    """Returns the mean log p(x) of points [N, 2] in nats, by summing p(z) p(x | z) over a grid."""
    axis = np.arange(-5.0, 5.0, GRID, dtype="float32") + GRID / 2
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    family: Any = pair.families["x"]
    means, variance = pair.decode({"z": z}, output="mean")["x"], family.scale**2
    squares = cdist(x, means, "sqeuclidean") / variance + np.sum(z**2, axis=1)
    scores = np.logaddexp.reduce(-0.5 * squares, axis=1) + 2.0 * math.log(GRID)
    return float(np.mean(scores) - 2.0 * math.log(2.0 * math.pi) - math.log(variance))
