"""The experiment of mixtures in the plane: eight Gaussians on a ring, learned by every game."""

import math
import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from keras_symvae import Critic, Factor, Learner, Pair, Player, learners, seeds
from keras_symvae.data.sources import FunctionSource
from keras_symvae.families import Normal
from scripts.experiments import training
from scripts.experiments.experiment import Experiment
from scripts.experiments.place import Place
from scripts.experiments.plane_mixtures.config import Config
from scripts.experiments.plane_mixtures.recipes import CRITICS
from scripts.experiments.tables import Results, markdown, means
from zoo.networks.mlp import MLP
from zoo.presets.recipes import Recipe, both

MODES, RADIUS, SPREAD = 8, 2.0, 0.1
NEAR, SHARE = 3.0, 0.25  # standard deviations, and of its share of samples: a mode is covered
GRID = 0.05  # distance of the codes that the likelihood is summed over
MEASURED = {
    "modes": (f"modes of {MODES}", 1),
    "near": ("near a mode", 3),
    "limiting/modes": ("modes after {alternations} alternations", 1),
    "limiting/near": ("near after them", 3),
    "reconstruction": ("reconstruction error", 3),
    "log-likelihood": ("log p(x), nats", 2),
    "same": ("same mode encoded and decoded", 3),
    "milliseconds": ("ms per step", 1),
}


def centres() -> np.ndarray:
    """Returns the means of the modes [8, 2]."""
    angle = 2.0 * math.pi * np.arange(MODES) / MODES
    return (RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype("float32")


@keras.saving.register_keras_serializable(package="scripts")
def ring(size: int, seed: Any) -> dict[str, tf.Tensor]:
    """Returns `size` draws {"x": [size, 2]} of the mixture, with a stateless seed [2]."""
    mode = tf.random.stateless_uniform([size], seeds.fold(seed, 0), 0, MODES, tf.int32)
    noise = tf.random.stateless_normal([size, 2], seeds.fold(seed, 1))
    return {"x": tf.gather(tf.constant(centres()), mode) + SPREAD * noise}


def pair_of(settings: dict[str, Any]) -> Pair:
    """Returns the untrained `Pair` p(z) p(x | z) and q(z | x) of MLPs."""
    families = {
        "x": Normal(2, scale=settings["scale"], spread=RADIUS / math.sqrt(2.0)),
        "z": Normal(settings["latent"]),
    }

    def factor(name: str, given: str) -> Factor:
        units = math.prod(families[name].raw_shape)
        hidden = 2 * [settings["width"]]
        return Factor(
            name, given=given, network=MLP(hidden, units, activation=settings["activation"])
        )

    decoder = Player([Factor("z"), factor("x", "z")], families=families, name="decoder")
    return Pair(decoder, Player([factor("z", "x")], families=families, name="encoder"))


@keras.saving.register_keras_serializable(package="scripts")
class Waves(keras.layers.Layer):
    """An MLP of inputs side by side, and of the first one by sines and cosines as well.

    Smooth networks learn slowly what changes over a tenth of the plane's width; waves are sharp.

    Args:
        widths: of the hidden layers.
        frequencies: of the waves, in radians per unit of the input.
        activation: of the hidden layers.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        frequencies: Sequence[float],
        activation: str,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.widths, self.frequencies = tuple(widths), tuple(frequencies)
        self.activation = activation
        self.body = MLP(self.widths, 1, activation=activation)

    def call(self, inputs: Any) -> Any:
        inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        phases = [frequency * inputs[0] for frequency in self.frequencies]
        waves = [wave(phase) for phase in phases for wave in (keras.ops.sin, keras.ops.cos)]
        return self.body([*inputs, *waves])

    def get_config(self) -> dict[str, Any]:
        own = {"widths": self.widths, "frequencies": self.frequencies}
        return {**super().get_config(), **own, "activation": self.activation}


class PlaneMixtures(Experiment[Config]):
    """Eight Gaussians of standard deviation 0.1 on a ring of radius 2, and what a game makes of it.

    A mode is covered if at least a quarter of its share of samples lies within three of its
    standard deviations; a sample is near if it lies so to any mode, as 98.9 % of the data do. The
    reconstruction error is the root of the mean squared distance between data and the means of
    their reconstructions. A sample from the prior is of the same mode if, encoded and decoded, it
    is nearest to the mode that it was nearest to before.

    Args: see `Experiment`; there are no data to choose.
    """

    name = "plane_mixtures"
    usual = "ring"

    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        return self.varied("method", self.config.methods, seed=seed, data=self.data)

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        config = self.config
        learner, seconds = trained(settings)
        pair, found = learner.pair, {"milliseconds": 1000.0 * seconds}
        fork = seeds.make(1_000_000 + settings["seed"])
        data = ring(config.samples, fork)["x"].numpy()
        samples = pair.generate(config.samples, seed=1)["x"]
        chains = pair.limiting(config.samples, steps=config.alternations, seed=2)["x"]
        rebuilt = pair.reconstruct(data, seed=3)["x"]
        again = pair.reconstruct(samples, seed=4)["x"]
        found |= covered(samples)
        found |= {f"limiting/{key}": value for key, value in covered(chains).items()}
        found["reconstruction"] = float(np.sqrt(np.mean(np.sum((data - rebuilt) ** 2, axis=1))))
        found["log-likelihood"] = log_likelihood(pair, data[: config.likelihood_data])
        found["same"] = float(np.mean(nearest(samples)[0] == nearest(again)[0]))
        shown = {"data": data, "samples": samples, "chains": chains, "rebuilt": rebuilt}
        kept = {key: value[: config.shown] for key, value in shown.items()}
        np.savez(folder / "shown.npz", **kept)
        return found

    def table(self, results: Results) -> str:
        alternations = self.config.alternations
        heads = [head.format(alternations=alternations) for head, _ in MEASURED.values()]
        digits = {key: number for key, (_, number) in MEASURED.items()}
        return markdown(["learner", *heads], means(results, self.config.methods, digits))

    def picture(self, place: Place, results: Results) -> None:
        kept = {
            label: np.load(self.folder / f"{label}-seed-{self.seeds[0]}" / "shown.npz")
            for label in self.config.methods
        }
        panels = {"data": next(iter(kept.values()))["data"]}
        panels |= {label: shown["samples"] for label, shown in kept.items()}
        columns = min(6, len(panels))
        size = (2.6 * columns, 2.7 * math.ceil(len(panels) / columns))
        figure = Figure(figsize=size, layout="constrained")
        options: Any = {"sharex": True, "sharey": True, "squeeze": False}
        grid = figure.subplots(math.ceil(len(panels) / columns), columns, **options).ravel()
        for axes, (label, points) in zip(grid, panels.items(), strict=False):
            axes.scatter(*points.T, s=1, alpha=0.5)
            axes.set(title=label, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
        for axes in grid[len(panels) :]:
            axes.axis("off")
        figure.savefig(place.picture(), dpi=80)


def trained(settings: dict[str, Any]) -> tuple[Learner, float]:
    """Returns the learner of some settings, trained on the ring, and the seconds per step."""
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
    learner = training.compiled(
        make,
        optimizer=recipe.optimizer(steps=settings["steps"]),
        seed=settings["seed"],
        group=20,
    )
    source = FunctionSource(ring, names=("x",))
    budget = {name: settings[name] for name in ("steps", "warm", "batch_size")}
    return learner, training.fit(learner, source, **budget)


def critic_of(name: str, given: Sequence[str], settings: dict[str, Any]) -> Critic:
    """Returns the `Critic` of this name; one of log q(z | x) - log p(z) starts near it."""
    widths, activation = 2 * [settings["critic_width"]], settings["activation"]
    if "x" in given:
        network = Waves(widths, frequencies=settings["frequencies"], activation=activation)
    else:
        network = MLP(widths, 1, activation=activation)
    of_codes = name == "critic_codes" or settings["learner"] == "avb"
    return Critic(given, network=network, offset="z" if of_codes else ())


def log_likelihood(pair: Pair, x: np.ndarray) -> float:
    """Returns the mean log p(x) of points [N, 2] in nats, by summing p(z) p(x | z) over a grid."""
    axis = np.arange(-5.0, 5.0, GRID, dtype="float32") + GRID / 2
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    family: Any = pair.families["x"]
    means, variance = pair.decode({"z": z}, output="mean")["x"], family.scale**2
    squares = cdist(x, means, "sqeuclidean") / variance + np.sum(z**2, axis=1)
    scores = np.logaddexp.reduce(-0.5 * squares, axis=1) + 2.0 * math.log(GRID)
    return float(np.mean(scores) - 2.0 * math.log(2.0 * math.pi) - math.log(variance))


def nearest(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (number of the nearest mode, distance in standard deviations), [N] each."""
    distances = np.linalg.norm(points[:, None] - centres(), axis=2) / SPREAD
    return distances.argmin(axis=1), distances.min(axis=1)


def covered(points: np.ndarray) -> dict[str, float]:
    """Returns how many modes points [N, 2] cover, and the share of points near a mode."""
    mode, distance = nearest(points)
    near = distance < NEAR
    counts = np.bincount(mode[near], minlength=MODES)
    modes = np.sum(counts >= SHARE * len(points) / MODES)
    return {"modes": float(modes), "near": float(near.mean())}
