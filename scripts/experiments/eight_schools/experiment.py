"""The experiment of posteriors: eight schools, by sampling and by approximations."""

import pathlib
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_symvae import Factor, Pair, Player, evaluation
from keras_symvae.families import Family, Normal
from scripts.experiments.eight_schools import inference
from scripts.experiments.eight_schools.config import Config
from scripts.experiments.experiment import Experiment
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, findings, markdown, mean_of

# Effects of coaching in eight schools and their standard errors (Rubin 1981), a tenth of the
# points, so that a standard normal prior of mean and spread is a wide one.
EFFECTS = np.array([2.8, 0.8, -0.3, 0.7, -0.1, 0.1, 1.8, 1.2])
ERRORS = (0.8, 0.5, 0.8, 0.6, 0.5, 0.6, 0.5, 0.4)
X = (EFFECTS / ERRORS).astype("float32")[None]  # [1, 8], of unit noise
QUANTITIES = ("mu", "abs(tau)", *(f"theta_{school}" for school in range(1, 9)))
SHOWN = ("mu", "abs(tau)", "theta_1")
MEASURED = {"kernel": 4, "error/mean": 2, "error/std": 2}
MEASURED |= {"ELBO": 2, "evidence": 2, "R-hat": 4, "seconds": 1}


@keras.saving.register_keras_serializable(package="scripts")
class SchoolMeans(keras.layers.Layer):
    """(mu + tau eta) / sigma of codes z = (mu, tau, eta) [B, 2 + S], without weights.

    Args:
        errors: the S standard errors sigma.
    """

    def __init__(self, errors: Sequence[float], **kwargs: Any):
        super().__init__(**kwargs)
        self.errors = tuple(errors)

    def call(self, z: Any) -> Any:
        return (z[:, :1] + z[:, 1:2] * z[:, 2:]) / keras.ops.convert_to_tensor(self.errors)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple:
        return (input_shape[0], len(self.errors))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "errors": self.errors}


def families() -> dict[str, Family]:
    """Returns the families of x = y / sigma and z = (mu, tau, eta), read as they are."""
    return {"x": Normal(len(ERRORS), scale=1.0), "z": Normal(2 + len(ERRORS))}


def decoder() -> Player:
    """Returns p(z) p(x | z): mu, tau, eta_s ~ N(0, 1), y_s ~ N(mu + tau eta_s, sigma_s)."""
    factors = [Factor("z"), Factor("x", given="z", network=SchoolMeans(ERRORS))]
    return Player(factors, families=families(), name="decoder")


def evidence(*, num_chains: int, num_steps: int, seed: int) -> float:
    """Returns log p(x) in nats by annealed importance sampling: the summit of every ELBO."""
    encoder = Player(
        [Factor("z", given="x", network=keras.layers.Dense(20))],
        families=families(),
        name="encoder",
    )
    pair = Pair(decoder(), encoder)
    options: dict[str, Any] = {"num_chains": num_chains, "num_steps": num_steps, "seed": seed}
    return float(evaluation.annealed_log_likelihood(pair, X, **options)[0])


def quantities(z: np.ndarray) -> np.ndarray:
    """Returns mu, |tau| and all theta = mu + tau eta [N, 10] of codes z [N, 10].

    The posterior does not change when tau and eta change their signs together, so the means of tau
    and eta are 0 and say nothing, and an approximation that chose one sign is not wrong about
    anything that can be observed. What is compared does not depend on the sign.
    """
    mu, tau, eta = z[:, :1], z[:, 1:2], z[:, 2:]
    return np.concatenate([mu, np.abs(tau), mu + tau * eta], axis=1)


class EightSchools(Experiment[Config]):
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
    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        return self.varied("method", self.config.methods, seed=seed, data=self.data)

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        config = self.config
        options = {k: v for k, v in settings.items() if k not in ("method", "data")}
        begun = time.monotonic()
        z, found = self.draws(settings["method"], options)
        found["seconds"] = time.monotonic() - begun
        if settings["method"] == "nuts":
            z, judge = np.split(z, 2)  # of one half of the chains, and of the other
            budget = {"num_chains": config.num_chains, "num_steps": config.num_steps}
            found["evidence"] = evidence(seed=settings["seed"], **budget)
        else:
            judge = self._kept(f"nuts-seed-{settings['seed']}")
        np.savez(folder / "draws.npz", z=z)
        return found | compared(quantities(z), quantities(judge), draws=config.compared)

    def draws(self, method: str, options: dict[str, Any]) -> tuple[np.ndarray, dict[str, float]]:
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

    def _kept(self, label: str) -> np.ndarray:
        return np.load(self.folder / label / "draws.npz")["z"]

    def table(self, results: Results) -> str:
        heads = ["method", *(f"{name}: mean, std" for name in SHOWN), "kernel distance"]
        heads += ["largest error of a mean", "of a std"]
        heads += ["ELBO", "log p(x)", "largest R-hat", "seconds"]
        rows = []
        for method in self.config.methods:
            of_method = findings(results, method=method)
            cells = [method]
            for name in SHOWN:
                kinds = [
                    np.mean([each[f"{kind}/{name}"] for each in of_method])
                    for kind in ("mean", "std")
                ]
                cells.append(", ".join(f"{moment:.2f}" for moment in kinds))
            for key, digits in MEASURED.items():
                held = [each[key] for each in of_method if key in each]
                cells.append(mean_of(held, digits=digits) if held else "")
            rows.append(cells)
        return markdown(heads, rows)

    def picture(self, place: Place, results: Results) -> None:
        kept = {
            method: quantities(self._kept(f"{method}-seed-{self.seeds[0]}"))
            for method in self.config.methods
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
            mu, spread = thinned(values, self.config.points)[:, :2].T
            panels[index].scatter(mu, np.log(spread), s=3, color=f"C{index}")
            panels[index].set(title=method, xlabel="mu", xlim=(-1.0, 2.5), ylim=(-6.0, 2.0))
        panels[0].set_ylabel("log abs(tau)")
        figure.savefig(place.picture(), dpi=80)


def compared(values: np.ndarray, judge: np.ndarray, *, draws: int) -> dict[str, float]:
    """Returns the moments of draws [N, 10] of the quantities, and how far they are from a judge's.

    Errors of moments are the largest of the ten; they and the kernel distance, of this number of
    draws, are in standard deviations of the judge.
    """
    found = {}
    for index, name in enumerate(QUANTITIES):
        found[f"mean/{name}"] = float(values[:, index].mean())
        found[f"std/{name}"] = float(values[:, index].std())
    unit = judge.std(0)
    found["error/mean"] = float(np.max(np.abs(values.mean(0) - judge.mean(0)) / unit))
    found["error/std"] = float(np.max(np.abs(values.std(0) - unit) / unit))
    sets = [thinned((part - judge.mean(0)) / unit, draws) for part in (values, judge)]
    return found | {"kernel": evaluation.kernel_distance(*sets)}


def thinned(rows: np.ndarray, number: int) -> np.ndarray:
    """Returns `number` rows at equal distances, or all of them if they are fewer."""
    return rows[:: max(1, len(rows) // number)][:number]
