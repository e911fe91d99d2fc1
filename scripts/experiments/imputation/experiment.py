"""The experiment of imputation: hidden cells of tables, filled by draws of the limiting chain."""

import dataclasses
import functools
import pathlib
from typing import Any

import keras
import numpy as np
import sklearn.datasets
from matplotlib.figure import Figure

import zoo
from keras_symvae import Batches, Learner, learners
from keras_symvae.families import Normal
from scripts.experiments import training
from scripts.experiments.experiment import Experiment
from scripts.experiments.imputation import fillers
from scripts.experiments.imputation.config import Config
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, findings, markdown, mean_of

OTHERS = "scikit-learn"  # the method under which all of its fillers are measured
SIZES = ("trees", "rounds", "draws", "turns", "seed")  # what `fillers.filled` takes
LEVEL = 0.9  # of the intervals
STEEP = 2.0  # how fast a cell's chance to be hidden grows with its standardised value


def hidden(rows: np.ndarray, *, mechanism: str, share: float, seed: int) -> np.ndarray:
    """Returns bool [N, D]: the cells that are hidden; every row keeps one.

    Args:
        rows: standardised.
        mechanism: "random": every cell with the same chance; "own value": with a chance of
            2 share / (1 + exp(-STEEP cell)), so that what is missing depends on what it is.
        share: of the cells, about.
        seed: integer.
    """
    rng = np.random.default_rng(seed)
    chance = np.full(rows.shape, share)
    if mechanism == "own value":
        chance = 2.0 * share / (1.0 + np.exp(-STEEP * rows))
    found = rng.random(rows.shape) < chance
    lost = found.all(axis=1)
    found[lost, rng.integers(0, rows.shape[1], lost.sum())] = False
    return found


def judged(rows: np.ndarray, imputed: np.ndarray, where: np.ndarray) -> dict[str, float]:
    """Returns what imputations [S, N, D] say of the cells [N, D] that were hidden.

    "rmse" is that of their mean; with several there are "coverage", the share of cells within the
    central 90% of draws, and "width" of this interval, both in units of `rows`.
    """
    error = (imputed.mean(axis=0) - rows)[where]
    found = {"rmse": float(np.sqrt(np.mean(error**2)))}
    if len(imputed) > 1:
        tail = (1.0 - LEVEL) / 2.0
        # With these places one more draw of the same distribution lies within by LEVEL exactly.
        low, high = np.quantile(imputed, [tail, 1.0 - tail], axis=0, method="weibull")
        found["coverage"] = float(np.mean(((low <= rows) & (rows <= high))[where]))
        found["width"] = float(np.mean((high - low)[where]))
    return found


class Imputation(Experiment[Config]):
    """Hidden cells of three tables of scikit-learn, filled by `zoo.Table.impute` and by others.

    Errors are those of hidden cells, in standard deviations of their whole columns. Nobody sees
    these: every method standardises by the cells that are left.

    Args: see `Experiment`; there are no data to choose.
    """

    name = "imputation"
    usual = "scikit-learn"

    defaults = Config()

    @functools.cached_property
    def _learners(self) -> dict[tuple[str, str], tuple[Learner, list[np.ndarray]]]:
        """{(table, method): (learner, first state of its optimizer)}."""
        return {}

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        config = self.config
        sizes = {name: getattr(config, name) for name in SIZES if name != "seed"}
        own = {name: dataclasses.asdict(each) for name, each in config.trainings.items()}
        return {
            f"{table}-{mechanism.replace(' ', '-')}-{method}-seed-{seed}": {
                "method": method,
                "table": table,
                "columns": columns,
                "mechanism": mechanism,
                "share": config.share,
                **options,
                "data": self.data,
                "seed": seed,
            }
            for method, options in {OTHERS: sizes, **own}.items()
            for table, columns in config.tables.items()
            for mechanism in config.mechanisms
        }

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        data = getattr(sklearn.datasets, f"load_{settings['table']}")().data
        data = data[:, : settings["columns"]]
        rows = (data - data.mean(axis=0)) / data.std(axis=0)
        options = {name: settings[name] for name in ("mechanism", "share", "seed")}
        where = hidden(rows, **options)
        known = np.where(where, np.nan, rows)
        if settings["method"] != OTHERS:
            found = {settings["method"]: self._imputed(known, settings)}
        else:
            center, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
            options = {name: settings[name] for name in SIZES}
            others = fillers.filled((known - center) / spread, **options)
            found = {name: center + spread * each for name, each in others.items()}
        return {
            f"{name}/{key}": number
            for name, imputed in found.items()
            for key, number in judged(rows, imputed, where).items()
        }

    def _imputed(self, known: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
        """Returns imputations [S, N, D] of a pair that was trained on the known cells."""
        center, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
        rows = ((known - center) / spread).astype("float32")
        learner = self._learner(settings, columns=rows.shape[1])
        batches = Batches({"row": rows}, batch_size=settings["batch_size"], seed=settings["seed"])
        training.fit(learner, batches, steps=settings["steps"])
        options = {"samples": settings["samples"], "steps": settings["chain"]}
        found = learner.impute(rows, **options, seed=settings["seed"])
        return center + spread * np.stack([each.T for each in found.values()], axis=-1)

    def _learner(self, settings: dict[str, Any], *, columns: int) -> Learner:
        """Returns a learner at its first step; its graph is made once for all seeds."""

        def make() -> Learner:
            names = map(str, range(columns))
            sizes = {"width": settings["width"], "depth": settings["depth"]}
            pair = zoo.Table(
                dict.fromkeys(names, "real"), latent=Normal(settings["latent"]), **sizes
            )
            return learners.get(settings["learner"])(pair, draws=settings["draws"])

        key = settings["table"], settings["method"]
        if key not in self._learners:
            rate = keras.optimizers.schedules.CosineDecay(settings["rate"], settings["steps"])
            adam = keras.optimizers.AdamW(rate, weight_decay=settings["decay"])
            adam.exclude_from_weight_decay(var_names=["bias", "shared"])
            learner = make()
            learner.compile(adam, steps_per_execution=50)
            start = [variable.numpy() for variable in learner.optimizer.variables]
            self._learners[key] = learner, start
        learner, start = self._learners[key]
        keras.utils.set_random_seed(settings["seed"])
        learner.pair.set_weights(make().pair.get_weights())
        learner.steps.assign(0)
        for variable, value in zip(learner.optimizer.variables, start, strict=True):
            variable.assign(value)
        return learner

    @property
    def methods(self) -> list[str]:
        """Names of all that fills cells."""
        return [*fillers.SINGLE, "ridge draws", *self.config.trainings]

    def table(self, results: Results) -> str:
        parts = []
        for key, names in (("rmse", self.methods), ("coverage", self.methods[4:])):
            rows = []
            for table, mechanism, found in self._cases(results):
                values = {n: [each[f"{n}/{key}"] for each in found[n]] for n in names}
                shown = {n: mean_of(each) for n, each in values.items()}
                if key == "rmse":
                    best = min(names, key=lambda n: np.mean(values[n]))
                    shown[best] = f"**{shown[best]}**"
                else:
                    for n in names:
                        width = mean_of((each[f"{n}/width"] for each in found[n]), digits=1)
                        shown[n] += f" (width {width.split(' ')[0]})"
                rows.append([table.replace("_", " "), mechanism, *shown.values()])
            parts.append(markdown(["table", "hidden", *names], rows))
        return "\n".join(parts)

    def _cases(self, results: Results) -> list[tuple[str, str, dict[str, list[dict]]]]:
        """Returns [(table, mechanism, {method: findings})]."""
        found = []
        for table in self.config.tables:
            for mechanism in self.config.mechanisms:
                case = {"table": table, "mechanism": mechanism}
                others = findings(results, method=OTHERS, **case)
                each = dict.fromkeys(self.methods, others)
                each |= {n: findings(results, method=n, **case) for n in self.config.trainings}
                found.append((table, mechanism, each))
        return found

    def picture(self, place: Place, results: Results) -> None:
        figure = Figure(figsize=(10.0, 4.0), layout="constrained")
        errors, shares = figure.subplots(1, 2, width_ratios=(2, 1))
        cases = self._cases(results)
        for axes, key, names in (
            (errors, "rmse", self.methods),
            (shares, "coverage", self.methods[4:]),
        ):
            for index, name in enumerate(names):
                values = [[each[f"{name}/{key}"] for each in found[name]] for *_, found in cases]
                places = np.arange(len(cases)) + (index - len(names) / 2.0) * 0.1
                means, spreads = np.mean(values, axis=1), np.std(values, axis=1)
                color = f"C{self.methods.index(name)}"
                axes.errorbar(places, means, spreads, fmt="o", color=color, label=name)
            labels = [f"{table} {mechanism}".replace("_", " ") for table, mechanism, _ in cases]
            labels = ["\n".join(label.split(" ")) for label in labels]
            axes.set_xticks(range(len(cases)), labels, fontsize=7)
        shares.axhline(LEVEL, color="0.5", linewidth=1.0)
        errors.set(title="error of hidden cells (standard deviations)")
        shares.set(title="share within intervals of 90%")
        errors.legend(fontsize=8, ncols=2)
        figure.savefig(place.picture(), dpi=90)
