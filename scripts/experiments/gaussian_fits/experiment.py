"""The experiment of Gaussian fits: one normal distribution for a mixture, by every divergence."""

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
from scripts.experiments.experiment import Experiment, markdown, mean_of
from zoo.presets.recipes import Recipe

SHARES, MEANS, SPREADS = (0.4, 0.6), (-1.0, 2.0), (0.4, 1.3)  # of the components of the mixture
DIVERGENCES = (
    "kl",
    "reverse_kl",
    "jensen_shannon",
    "jeffreys",
    "pearson",
    "squared_hellinger",
)
TRAINING = {"steps": 1500, "batch_size": 2048, "rate": 5e-3, "critic_steps": 2, "width": 64}
GRID = np.linspace(-14.0, 16.0, 6001)
STARTS = ((0.0, 0.0), (1.5, 0.0), (0.0, 0.7), (1.5, 0.7))  # mean and log standard deviation


def mixture(x):
    """Returns log p(x) of the mixture, elementwise, nats."""
    parts = zip(SHARES, MEANS, SPREADS, strict=True)
    logs = [np.log(w) + scipy.stats.norm.logpdf(x, mean, spread) for w, mean, spread in parts]
    return np.logaddexp.reduce(logs, axis=0)


@keras.saving.register_keras_serializable(package="scripts")
def draws(size, seed):
    """Returns `size` draws {"x": [size, 1]} of the mixture, with a stateless seed [2]."""
    first = tf.random.stateless_uniform([size, 1], seeds.fold(seed, 0)) < SHARES[0]
    noise = tf.random.stateless_normal([size, 1], seeds.fold(seed, 1))
    one, other = (mean + spread * noise for mean, spread in zip(MEANS, SPREADS, strict=True))
    return {"x": tf.where(first, one, other)}


def divergence(f, mean, spread):
    """Returns D_f of the mixture from N(mean, spread^2), by quadrature, nats."""
    log_p, log_q = mixture(GRID), scipy.stats.norm.logpdf(GRID, mean, spread)
    ratio = tf.constant(np.exp(np.clip(log_p - log_q, -600.0, 600.0)))
    inside = np.exp(log_q) * divergences.get(f).f(ratio).numpy()
    return float(np.sum(inside) * (GRID[1] - GRID[0]))


def best(f):
    """Returns (mean, standard deviation) of the normal distribution at the least D_f."""

    def value(point):
        return divergence(f, point[0], np.exp(point[1]))

    options = {"xatol": 1e-6, "fatol": 1e-10}
    found = [
        scipy.optimize.minimize(value, start, method="Nelder-Mead", options=options)
        for start in STARTS
    ]
    mean, log_spread = min(found, key=lambda result: result.fun).x
    return float(mean), float(np.exp(log_spread))


def fitted(f, *, steps, batch_size, rate, critic_steps, width, seed):
    """Returns (mean, standard deviation) that an f-GAN learned, from samples alone.

    Args:
        f: name of the divergence.
        steps, batch_size: of the decoder; every batch is drawn anew.
        rate: peak rate of Adam for decoder and critic.
        critic_steps: updates of the critic per step.
        width: of the two hidden layers of the critic.
        seed: of weights and draws.
    """
    keras.utils.set_random_seed(seed)
    families = {"x": Normal(1), "z": Normal(1)}
    line = keras.layers.Dense(1, kernel_initializer="ones")  # x = mean + spread z
    sampler = ImplicitFactor("x", given="z", network=line, noise_shape=None)
    decoder = Player([Factor("z"), sampler], families=families, name="decoder")
    inverse = Factor("z", given="x", network=keras.layers.Dense(2))
    encoder = Player([inverse], families=families, name="encoder")
    critic = Critic("x", widths=(width, width), activation="tanh")
    learner = FGAN(
        Pair(decoder, encoder), divergence=f, critic=critic, critic_steps=critic_steps, seed=seed
    )
    game = Recipe({"decoder": rate, "encoder": rate}, beta_1=0.5).optimizer(steps=steps)
    game |= Recipe({"critic": rate}, beta_1=0.5).optimizer(steps=steps * critic_steps)
    learner.compile(game, steps_per_execution=50)  # pyright: ignore[reportArgumentType]
    source = FunctionSource(draws, names=["x"])
    learner.fit(source, batch_size=batch_size, steps_per_epoch=steps, verbose=0)
    spread, mean = (float(np.squeeze(weight)) for weight in line.get_weights())
    return mean, abs(spread)


class GaussianFits(Experiment):
    """A mixture of two Gaussians, and the one Gaussian that an f-GAN makes of its samples.

        x = mean + spread z,  z ~ N(0, 1)    learned, against    argmin D_f(mixture, N)

    The least D_f, and every D_f of every fit, come from quadrature; what was trained with f has to
    be the best of all when it is measured by f.

    Args: see `Experiment`; there are no data to choose.

    Reference: Nowozin, Cseke, Tomioka, f-GAN, NIPS 2016; the mixture is another one.
    """

    name = "gaussian_fits"
    usual = "mixture"

    def settings(self, seed):
        common = {**TRAINING, "data": self.data, "seed": seed}
        return {f"{f}-seed-{seed}": {"divergence": f, **common} for f in DIVERGENCES}

    def measure(self, settings, folder):
        f = settings["divergence"]
        options = {k: v for k, v in settings.items() if k not in ("divergence", "data")}
        mean, spread = fitted(f, **options)
        ideal = best(f)
        found = {"mean": mean, "spread": spread, "ideal/mean": ideal[0], "ideal/spread": ideal[1]}
        found["ideal/divergence"] = divergence(f, *ideal)
        return found | {f"by/{judge}": divergence(judge, mean, spread) for judge in DIVERGENCES}

    def table(self, results):
        found = {f: self._found(results, f) for f in DIVERGENCES}
        heads = ["trained with", "mean", "least D_f", "standard deviation", "least D_f"]
        rows = []
        for f, each in found.items():
            rows.append([f.replace("_", " ")])
            for kind in ("mean", "spread"):
                learned = mean_of((part[kind] for part in each), digits=3)
                rows[-1] += [learned, f"{each[0][f'ideal/{kind}']:.3f}"]
        fits = markdown(heads, rows)
        heads = ["trained with", *(f"by {f.replace('_', ' ')}" for f in DIVERGENCES)]
        by = {f: self.judged(results, f) for f in DIVERGENCES}
        rows = [
            [f.replace("_", " "), *(self._cell(by[judge], f) for judge in DIVERGENCES)]
            for f in DIVERGENCES
        ]
        rows.append(["quadrature", *(f"{found[f][0]['ideal/divergence']:.4f}" for f in found)])
        return f"{fits}\n{markdown(heads, rows)}"

    def judged(self, results, judge):
        """Returns {trained with: D_judge}, the means over seeds."""
        return {
            f: float(np.mean([each[f"by/{judge}"] for each in self._found(results, f)]))
            for f in DIVERGENCES
        }

    def _found(self, results, f):
        return [r["found"] for r in results.values() if r["settings"]["divergence"] == f]

    def _cell(self, values, f):
        shown = f"{values[f]:.4f}" if values[f] < 100.0 else f"{values[f]:.0e}"
        return f"**{shown}**" if values[f] == min(values.values()) else shown

    def picture(self, path, results):
        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        axes = figure.subplots()
        x = np.linspace(-4.0, 6.5, 500)
        axes.fill_between(x, np.exp(mixture(x)), color="0.85", label="mixture")
        for index, f in enumerate(DIVERGENCES):
            (first, *_) = self._found(results, f)
            for kind, style in (("ideal/", ":"), ("", "-")):
                density = scipy.stats.norm.pdf(x, first[f"{kind}mean"], first[f"{kind}spread"])
                label = None if kind else f.replace("_", " ")
                axes.plot(x, density, style, color=f"C{index}", label=label)
        axes.set(xlabel="x", yticks=[], title="learned, and at the least divergence (dotted)")
        axes.legend(fontsize=8)
        figure.savefig(path, dpi=90)
