"""The experiment of four points: posteriors that fill the prior, and Gaussians that cannot."""

import math
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_symvae import AVB, ELBO, Batches, Critic, Factor, Pair, Player
from scripts.experiments import training
from scripts.experiments.experiment import Experiment
from scripts.experiments.four_points.config import Config
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, markdown, means
from zoo import Implicit
from zoo.networks.mlp import MLP
from zoo.presets.recipes import Recipe

POINTS = np.eye(4, dtype="float32").reshape(4, 2, 2, 1)
SIDE, CELL = 5.0, 0.2  # of the square around 0 where codes are counted, and of its cells
GRID = 0.04  # distance of the codes that the likelihood is summed over
COLUMNS = {
    "log-likelihood": "log p(x)",
    "reconstruction": "-log p(x given z)",
    "KL": "KL(q(z), p(z))",
    "bound": "bound of training",
}


def pair_of(*, basis: int | None = None, gaussian: bool = False) -> Pair:
    """Returns a pair with two codes, z ~ N(0, 1): its encoder implicit, or a Gaussian."""
    pair = Implicit(POINTS.shape[1:], latent=2, noise=16, basis=basis, width=64)
    if not gaussian:
        return pair
    factor = Factor("z", given="x", network=MLP([64, 64], 4, activation="elu"))
    encoder = Player([factor], families=pair.families, name="encoder")
    return Pair(pair.decoder, encoder)


def learner_of(settings: dict[str, Any]) -> ELBO | AVB:
    """Returns the learner of some settings, compiled."""
    seed, basis, adversarial = settings["seed"], settings.get("basis"), "critic_rate" in settings

    def make() -> ELBO | AVB:
        if not adversarial:
            return ELBO(pair_of(gaussian=True), seed=seed)
        return AVB(
            pair_of(basis=basis),
            critic=Critic(("x", "z"), widths=(128, 128), offset=() if basis else "z"),
            adaptive_contrast=basis is not None,
            critic_steps=settings["critic_steps"],
            seed=seed,
        )

    rates, constant = dict(settings["rates"]), ()
    if adversarial:
        rates["critic"], constant = settings["critic_rate"], ("critic",)
    recipe = Recipe(rates, beta_1=settings["beta_1"], constant=constant)
    optimizer = recipe.optimizer(steps=settings["steps"])
    return training.compiled(make, optimizer=optimizer, seed=seed, group=10)


def log_likelihood(pair: Pair) -> np.ndarray:
    """Returns log p(x) [4] in nats, by summing p(z) p(x | z) over a grid of the plane."""
    axis = np.arange(-6.0, 6.0, GRID, dtype="float32") + GRID / 2
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    found = []
    for x in POINTS:
        same = np.broadcast_to(x, (len(z), *x.shape))
        scores = pair.decoder.log_prob({"x": tf.constant(same), "z": tf.constant(z)})
        joint = np.float64(scores["x"]) + np.float64(scores["z"])
        found.append(np.logaddexp.reduce(joint) + 2.0 * math.log(GRID))
    return np.array(found)


def divergence_from_prior(z: np.ndarray) -> float:
    """Returns KL(q(z), p(z)) in nats of draws z [N, 2] of q, p = N(0, 1), by counting.

    The cells of a square and, as one more, all that lies outside: what q and p differ by inside of
    a cell is not seen, and N draws in C cells show (C - 1) / 2 N where there is nothing to see.
    """
    edges = np.linspace(-SIDE, SIDE, round(2 * SIDE / CELL) + 1)
    counts = np.histogram2d(z[:, 0], z[:, 1], bins=(edges, edges))[0].ravel()
    q = np.append(counts, len(z) - counts.sum()) / len(z)
    below = np.array([0.5 * math.erfc(-edge / math.sqrt(2.0)) for edge in edges])
    inside = np.outer(np.diff(below), np.diff(below)).ravel()
    p = np.append(inside, 1.0 - inside.sum())
    used = q > 0.0
    return float(q[used] @ np.log(q[used] / p[used]))


class FourPoints(Experiment[Config]):
    """Four images of one bright pixel and two codes: how much of log p(x) = -log 4 is reached.

    Codes of the four points can share the prior among them without loss only if their
    distributions are four pieces of it, and a Gaussian is no such piece. Likelihoods are summed
    over a fine grid, and KL(q(z), p(z)) of the codes of all four points is counted in cells.

    Args: see `Experiment`; there are no data to choose.

    Reference: Mescheder, Nowozin, Geiger 2017, Adversarial Variational Bayes.
    """

    name = "four_points"
    usual = "four_points"

    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        config = self.config
        common = {"steps": config.steps, "batch_size": config.batch_size, "codes": config.codes}
        return self.varied("method", config.methods, seed=seed, **common)

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        learner = learner_of(settings)
        images = np.repeat(POINTS, settings["batch_size"] // len(POINTS), axis=0)
        batches = Batches({"x": images}, batch_size=len(images), seed=settings["seed"])
        training.fit(learner, batches, steps=settings["steps"])
        logs = learner.history.history
        x = np.repeat(POINTS, settings["codes"], axis=0)
        z = learner.pair.encode(x, seed=settings["seed"])["z"]
        np.savez(folder / "codes.npz", z=z.reshape(len(POINTS), -1, 2)[:, :2000])
        judged = learner.evaluate(batches.dataset().take(100), verbose=0, return_dict=True)
        return {
            "log-likelihood": float(log_likelihood(learner.pair).mean()),
            "reconstruction": float(judged["decoder/x"]),
            "KL": divergence_from_prior(z),
            "bound": -float(judged["loss"]),
            "skipped": int(learner.guard.skipped.numpy()),
            "last": {name: float(values[-1]) for name, values in logs.items()},
        }

    def table(self, results: Results) -> str:
        rows = means(results, self.config.methods, dict.fromkeys(COLUMNS, 3))
        rows.append(["best possible", f"{-math.log(len(POINTS)):.3f}", "0", "0", ""])
        return markdown(["method", *COLUMNS.values()], rows)

    def picture(self, place: Place, results: Results) -> None:
        methods = self.config.methods
        figure = Figure(figsize=(4.0 * len(methods), 4.2), layout="constrained")
        panels = figure.subplots(1, len(methods), sharex=True, sharey=True, squeeze=False)[0]
        for axes, method in zip(panels, methods, strict=True):
            label = f"{method}-seed-{self.seeds[0]}"
            found = results[label]["found"]
            for of_point in np.load(self.folder / label / "codes.npz")["z"]:
                axes.scatter(*of_point.T, s=2)
            axes.set(title=f"{method}: log p(x) = {found['log-likelihood']:.3f}", aspect="equal")
            axes.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5))
        figure.savefig(place.picture(), dpi=80)
