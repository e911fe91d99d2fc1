"""The experiment of Gaussian fits: one normal distribution for a mixture, by every divergence."""

import pathlib
from typing import Any

import keras
import numpy as np
import scipy.optimize
import scipy.stats
import tensorflow as tf
from matplotlib.figure import Figure

from keras_symvae import FGAN, Critic, Factor, ImplicitFactor, Pair, Player, seeds
from keras_symvae.data.sources import FunctionSource
from keras_symvae.families import Normal
from keras_symvae.learners.adversarial import divergences
from scripts.experiments import training
from scripts.experiments.experiment import Experiment
from scripts.experiments.gaussian_fits.config import Config
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, findings, markdown, mean_of

SHARES, MEANS, SPREADS = (0.4, 0.6), (-1.0, 2.0), (0.4, 1.3)  # of the components of the mixture
GRID = np.linspace(-14.0, 16.0, 6001)
STARTS = ((0.0, 0.0), (1.5, 0.0), (0.0, 0.7), (1.5, 0.7))  # mean and log standard deviation


def mixture(x: np.ndarray) -> np.ndarray:
    """Returns log p(x) of the mixture, elementwise, nats."""
    parts = zip(SHARES, MEANS, SPREADS, strict=True)
    logs = [np.log(w) + scipy.stats.norm.logpdf(x, mean, spread) for w, mean, spread in parts]
    return np.logaddexp.reduce(logs, axis=0)


@keras.saving.register_keras_serializable(package="scripts")
def draws(size: int, seed: Any) -> dict[str, tf.Tensor]:
    """Returns `size` draws {"x": [size, 1]} of the mixture, with a stateless seed [2]."""
    first = tf.random.stateless_uniform([size, 1], seeds.fold(seed, 0)) < SHARES[0]
    noise = tf.random.stateless_normal([size, 1], seeds.fold(seed, 1))
    one, other = (mean + spread * noise for mean, spread in zip(MEANS, SPREADS, strict=True))
    return {"x": tf.where(first, one, other)}


def divergence(f: str, mean: float, spread: float) -> float:
    """Returns D_f of the mixture from N(mean, spread^2), by quadrature, nats."""
    log_p, log_q = mixture(GRID), scipy.stats.norm.logpdf(GRID, mean, spread)
    ratio = tf.constant(np.exp(np.clip(log_p - log_q, -600.0, 600.0)))
    inside = np.exp(log_q) * divergences.get(f).f(ratio).numpy()
    return float(np.sum(inside) * (GRID[1] - GRID[0]))


def best(f: str) -> tuple[float, float]:
    """Returns (mean, standard deviation) of the normal distribution of least D_f."""

    def value(point):
        return divergence(f, point[0], np.exp(point[1]))

    options = {"xatol": 1e-6, "fatol": 1e-10}
    found = [
        scipy.optimize.minimize(value, start, method="Nelder-Mead", options=options)
        for start in STARTS
    ]
    mean, log_spread = min(found, key=lambda result: result.fun).x
    return float(mean), float(np.exp(log_spread))


def fitted(
    f: str,
    *,
    steps: int,
    batch_size: int,
    rate: float,
    critic_steps: int,
    width: int,
    seed: int,
) -> tuple[float, float]:
    """Returns (mean, standard deviation) that an f-GAN learned, from samples alone.

    Args:
        f: name of the divergence.
        steps, batch_size: of the decoder; every batch is drawn anew.
        rate: peak rate of Adam for decoder and critic.
        critic_steps: updates of the critic per step.
        width: of the two hidden layers of the critic.
        seed: of weights and draws.
    """

    def make() -> FGAN:
        families = {"x": Normal(1), "z": Normal(1)}
        line = keras.layers.Dense(1, kernel_initializer="ones")  # x = mean + spread z
        sampler = ImplicitFactor("x", given="z", network=line, noise_shape=None)
        decoder = Player([Factor("z"), sampler], families=families, name="decoder")
        inverse = Factor("z", given="x", network=keras.layers.Dense(2))
        encoder = Player([inverse], families=families, name="encoder")
        critic = Critic("x", widths=(width, width), activation="tanh")
        pair = Pair(decoder, encoder)
        return FGAN(pair, divergence=f, critic=critic, critic_steps=critic_steps, seed=seed)

    rates = {"decoder": rate, "encoder": rate}
    optimizer = training.optimizers(rates, critic_rate=rate, steps=steps, critic_steps=critic_steps)
    learner = training.compiled(make, optimizer=optimizer, seed=seed, group=50)
    training.fit(learner, FunctionSource(draws, names=["x"]), steps=steps, batch_size=batch_size)
    line = learner.pair.decoder.factor("x").network
    spread, mean = (float(np.squeeze(weight)) for weight in line.get_weights())
    return mean, abs(spread)


class GaussianFits(Experiment[Config]):
    """A mixture of two Gaussians, and the one Gaussian that an f-GAN makes of its samples.

        x = mean + spread z,  z ~ N(0, 1)    learned, against    argmin D_f(mixture, N)

    The least D_f, and every D_f of every fit, come from quadrature; what was trained with f has to
    be the best of all when it is measured by f.

    Args: see `Experiment`; there are no data to choose.

    Reference: Nowozin, Cseke, Tomioka, f-GAN, NIPS 2016; the mixture is another one.
    """

    name = "gaussian_fits"
    usual = "mixture"

    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        fits = dict.fromkeys(self.config.divergences, self.config.training)
        return self.varied("divergence", fits, seed=seed, data=self.data)

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        f = settings["divergence"]
        options = {k: v for k, v in settings.items() if k not in ("divergence", "data")}
        mean, spread = fitted(f, **options)
        ideal = best(f)
        found = {"mean": mean, "spread": spread, "ideal/mean": ideal[0], "ideal/spread": ideal[1]}
        found["ideal/divergence"] = divergence(f, *ideal)
        by = {f"by/{g}": divergence(g, mean, spread) for g in self.config.divergences}
        return found | by

    def table(self, results: Results) -> str:
        every = self.config.divergences
        found = {f: findings(results, divergence=f) for f in every}
        heads = ["trained with", "mean", "least D_f", "standard deviation", "least D_f"]
        rows = []
        for f, each in found.items():
            rows.append([f.replace("_", " ")])
            for kind in ("mean", "spread"):
                learned = mean_of((part[kind] for part in each), digits=3)
                rows[-1] += [learned, f"{each[0][f'ideal/{kind}']:.3f}"]
        fits = markdown(heads, rows)
        heads = ["trained with", *(f"by {f.replace('_', ' ')}" for f in every)]
        by = {f: self.judged(results, f) for f in every}
        rows = [
            [f.replace("_", " "), *(self._cell(by[judge], f) for judge in every)] for f in every
        ]
        rows.append(["quadrature", *(f"{found[f][0]['ideal/divergence']:.4f}" for f in found)])
        return f"{fits}\n{markdown(heads, rows)}"

    def judged(self, results: Results, judge: str) -> dict[str, float]:
        """Returns {trained with: D_judge}, the means over seeds."""
        return {
            f: float(np.mean([each[f"by/{judge}"] for each in findings(results, divergence=f)]))
            for f in self.config.divergences
        }

    def _cell(self, values: dict[str, float], f: str) -> str:
        shown = f"{values[f]:.4f}" if values[f] < 100.0 else f"{values[f]:.0e}"
        return f"**{shown}**" if values[f] == min(values.values()) else shown

    def picture(self, place: Place, results: Results) -> None:
        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        axes = figure.subplots()
        x = np.linspace(-4.0, 6.5, 500)
        axes.fill_between(x, np.exp(mixture(x)), color="0.85", label="mixture")
        for index, f in enumerate(self.config.divergences):
            first, *_ = findings(results, divergence=f)
            for kind, style in (("ideal/", ":"), ("", "-")):
                density = scipy.stats.norm.pdf(x, first[f"{kind}mean"], first[f"{kind}spread"])
                label = None if kind else f.replace("_", " ")
                axes.plot(x, density, style, color=f"C{index}", label=label)
        axes.set(xlabel="x", yticks=[], title="learned, and at the least divergence (dotted)")
        axes.legend(fontsize=8)
        figure.savefig(place.picture(), dpi=90)
