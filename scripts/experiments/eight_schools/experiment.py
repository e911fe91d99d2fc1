"""The experiment of posteriors: eight schools, by sampling and by approximations."""

import time
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_symvae import Factor, Pair, Player, evaluation
from keras_symvae.families import Normal
from scripts.experiments.eight_schools import inference
from scripts.experiments.experiment import Experiment, markdown, mean_of

# Effects of coaching in eight schools and their standard errors (Rubin 1981), a tenth of the
# points, so that a standard normal prior of mean and spread is a wide one.
EFFECTS = np.array([2.8, 0.8, -0.3, 0.7, -0.1, 0.1, 1.8, 1.2])
ERRORS = (0.8, 0.5, 0.8, 0.6, 0.5, 0.6, 0.5, 0.4)
X = (EFFECTS / ERRORS).astype("float32")[None]  # [1, 8], of unit noise
QUANTITIES = ("mu", "abs(tau)", *(f"theta_{school}" for school in range(1, 9)))
SHOWN = ("mu", "abs(tau)", "theta_1")
FIT = {"noise": 4096, "starts": 5, "draws": 16000}
ADVERSARIAL = {
    "start": {"full_rank": True, **FIT},
    "widths": (64,),
    "critic_widths": (64, 64),
    "critic_steps": 5,
    "rate": 3e-4,
    "critic_rate": 3e-3,
    "warmup": 200,
    "steps": 4000,
    "batch_size": 400,
    "draws": 16000,
}
METHODS: dict[str, dict[str, Any]] = {
    "nuts": {"chains": 32, "draws": 4000, "warmup": 1000},
    "mean-field": {"full_rank": False, **FIT},
    "full-rank": {"full_rank": True, **FIT},
    "avb": {"adaptive_contrast": False, **ADVERSARIAL},
    "avb-ac": {"adaptive_contrast": True, **ADVERSARIAL},
}
ANNEALING: dict[str, Any] = {"num_chains": 500, "num_steps": 1000}
MEASURED = {"kernel": 4, "error/mean": 2, "error/std": 2}
MEASURED |= {"ELBO": 2, "evidence": 2, "R-hat": 4, "seconds": 1}
COMPARED, POINTS = 4000, 1000  # draws behind a kernel distance, and in a panel


@keras.saving.register_keras_serializable(package="scripts")
class SchoolMeans(keras.layers.Layer):
    """(mu + tau eta) / sigma of codes z = (mu, tau, eta) [B, 2 + S], without weights.

    Args:
        errors: the S standard errors sigma.
    """

    def __init__(self, errors, **kwargs):
        super().__init__(**kwargs)
        self.errors = tuple(errors)

    def call(self, z):
        return (z[:, :1] + z[:, 1:2] * z[:, 2:]) / keras.ops.convert_to_tensor(self.errors)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], len(self.errors))

    def get_config(self):
        return {**super().get_config(), "errors": self.errors}


def families():
    """Returns the families of x = y / sigma and z = (mu, tau, eta), read as they are."""
    return {"x": Normal(len(ERRORS), scale=1.0), "z": Normal(2 + len(ERRORS))}


def decoder():
    """Returns p(z) p(x | z): mu, tau, eta_s ~ N(0, 1), y_s ~ N(mu + tau eta_s, sigma_s)."""
    factors = [Factor("z"), Factor("x", given="z", network=SchoolMeans(ERRORS))]
    return Player(factors, families=families(), name="decoder")


def evidence(*, seed):
    """Returns log p(x) in nats by annealed importance sampling: the summit of every ELBO."""
    encoder = Player(
        [Factor("z", given="x", network=keras.layers.Dense(20))],
        families=families(),
        name="encoder",
    )
    pair = Pair(decoder(), encoder)
    return float(evaluation.annealed_log_likelihood(pair, X, seed=seed, **ANNEALING)[0])


def quantities(z):
    """Returns mu, |tau| and all theta = mu + tau eta [N, 10] of codes z [N, 10].

    The posterior does not change when tau and eta change their signs together, so the means of tau
    and eta are 0 and say nothing, and an approximation that chose one sign is not wrong about
    anything that can be observed. What is compared does not depend on the sign.
    """
    mu, tau, eta = z[:, :1], z[:, 1:2], z[:, 2:]
    return np.concatenate([mu, np.abs(tau), mu + tau * eta], axis=1)


class EightSchools(Experiment):
    """The posterior of a small hierarchical model, which no Gaussian describes.

        mu, tau, eta_s ~ N(0, 1),    y_s ~ N(mu + tau eta_s, sigma_s),    z = (mu, tau, eta)

    How far the draws of a method are from those of a long No-U-Turn run: their moments, and the
    kernel distance of (mu, |tau|, theta), in units of the standard deviations of the posterior.
    No-U-Turn itself is half of its chains against the other half, which are two runs of it but for
    the step size that they share. The adversarial fits start as the Gaussian of full rank, whose
    time is counted in theirs.

    Args: see `Experiment`; there are no data to choose.

    Reference: Mescheder, Nowozin, Geiger 2017, Adversarial Variational Bayes.
    """

    name = "eight_schools"
    usual = "eight_schools"

    def settings(self, seed):
        common = {"data": self.data, "seed": seed}
        return {
            f"{method}-seed-{seed}": {"method": method, **options, **common}
            for method, options in METHODS.items()
        }

    def measure(self, settings, folder):
        options = {k: v for k, v in settings.items() if k not in ("method", "data")}
        begun = time.monotonic()
        z, found = self.draws(settings["method"], options)
        found["seconds"] = time.monotonic() - begun
        if settings["method"] == "nuts":
            z, judge = np.split(z, 2)  # of one half of the chains, and of the other
            found["evidence"] = evidence(seed=settings["seed"])
        else:
            judge = self._kept(f"nuts-seed-{settings['seed']}")
        np.savez(folder / "draws.npz", z=z)
        return found | compared(quantities(z), quantities(judge))

    def draws(self, method, options):
        """Returns (draws of z [N, 10], {name: number}) of a method; NUTS: chain after chain."""
        player = decoder()
        if method == "nuts":
            z, spread = inference.reference(player, X, **options)
            z = z.swapaxes(0, 1).reshape(-1, z.shape[-1])
            return z, {"R-hat": float(spread.max())}
        if "start" in options:
            start = {**options["start"], "seed": options["seed"]}
            start, _ = inference.gaussian_fit(player, X, **start)
            z, elbo = inference.adversarial_fit(player, X, **{**options, "start": start})
        else:
            z, elbo = inference.gaussian_fit(player, X, **options)
        return z, {"ELBO": float(elbo)}

    def _kept(self, label):
        return np.load(self.folder / label / "draws.npz")["z"]

    def table(self, results):
        heads = ["method", *(f"{name}: mean, std" for name in SHOWN), "kernel distance"]
        heads += ["largest error of a mean", "of a std"]
        heads += ["ELBO", "log p(x)", "largest R-hat", "seconds"]
        rows = []
        for method in METHODS:
            found = [r["found"] for r in results.values() if r["settings"]["method"] == method]
            cells = [method]
            for name in SHOWN:
                kinds = [np.mean([f[f"{kind}/{name}"] for f in found]) for kind in ("mean", "std")]
                cells.append(", ".join(f"{moment:.2f}" for moment in kinds))
            for key, digits in MEASURED.items():
                held = [f[key] for f in found if key in f]
                cells.append(mean_of(held, digits=digits) if held else "")
            rows.append(cells)
        return markdown(heads, rows)

    def picture(self, path, results):
        kept = {
            method: quantities(self._kept(f"{method}-seed-{self.seeds[0]}")) for method in METHODS
        }
        figure = Figure(figsize=(max(12.0, 3.2 * len(kept)), 7.0), layout="constrained")
        halves: Any = figure.subfigures(2)
        above, below = halves
        marginals = above.subplots(1, len(SHOWN))
        for axes, name in zip(marginals, SHOWN, strict=True):
            column = QUANTITIES.index(name)
            low, high = np.quantile(kept["nuts"][:, column], (0.001, 0.999))
            for method, values in kept.items():
                options = {"bins": 60, "range": (low, high), "density": True, "label": method}
                axes.hist(values[:, column], histtype="step", **options)
            axes.set(title=name, yticks=[])
        marginals[0].legend(fontsize=8)
        panels = below.subplots(1, len(kept), sharex=True, sharey=True, squeeze=False)[0]
        for index, (method, values) in enumerate(kept.items()):
            mu, spread = thinned(values, POINTS)[:, :2].T
            panels[index].scatter(mu, np.log(spread), s=3, color=f"C{index}")
            panels[index].set(title=method, xlabel="mu", xlim=(-1.0, 2.5), ylim=(-6.0, 2.0))
        panels[0].set_ylabel("log abs(tau)")
        figure.savefig(path, dpi=80)


def compared(values, judge):
    """Returns the moments of draws [N, 10] of the quantities, and how far they are from a judge's.

    Errors of moments are the largest of the ten, and the kernel distance is taken, in standard
    deviations of the judge.
    """
    found = {}
    for index, name in enumerate(QUANTITIES):
        found[f"mean/{name}"] = float(values[:, index].mean())
        found[f"std/{name}"] = float(values[:, index].std())
    unit = judge.std(0)
    found["error/mean"] = float(np.max(np.abs(values.mean(0) - judge.mean(0)) / unit))
    found["error/std"] = float(np.max(np.abs(values.std(0) - unit) / unit))
    sets = [thinned((part - judge.mean(0)) / unit, COMPARED) for part in (values, judge)]
    return found | {"kernel": evaluation.kernel_distance(*sets)}


def thinned(rows, number):
    """Returns `number` rows at equal distances, or all where they are fewer."""
    return rows[:: max(1, len(rows) // number)][:number]
