"""The experiment of families at work: a table of six kinds of columns, learned and drawn again."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
import scipy.stats
from matplotlib.figure import Figure

import zoo
from keras_symvae import Batches, SymmetricEquilibrium
from keras_symvae.families import Normal
from scripts.experiments import training
from scripts.experiments.experiment import Experiment
from scripts.experiments.families_at_work.config import Config
from scripts.experiments.place import Place
from scripts.experiments.tables import Results, findings, markdown, mean_of
from zoo.presets.recipes import Recipe

Cells = dict[str, np.ndarray]
GROUPS = ("early", "noon", "late")
SHARES = (0.5, 0.3, 0.2)
# What the cells of a group are drawn from: mean and standard deviation; rate; shape and mean; a, b;
# hour and concentration.
TRUTH = {
    "real": ((-2.0, 0.5), (0.0, 1.0), (3.0, 0.7)),
    "count": ((2.0,), (9.0,), (25.0,)),
    "positive": ((2.0, 1.0), (6.0, 3.0), (20.0, 0.5)),
    "bounded": ((2.0, 8.0), (5.0, 5.0), (6.0, 1.5)),
    "hour": ((23.0, 4.0), (12.0, 2.0), (18.0, 8.0)),
}
KINDS = {"positive": "positive", "bounded": "bounded", "hour": {"kind": "angle", "period": 24.0}}
DAY = 24.0 / (2.0 * np.pi)


def table(rows: int, seed: int) -> Cells:
    """Returns {column: [rows]}: a class, and cells that are independent within a class."""
    rng = np.random.default_rng(seed)
    group = rng.choice(len(GROUPS), rows, p=SHARES)
    of = {name: np.array(each)[group].T for name, each in TRUTH.items()}
    (shape, mean), (hour, concentration) = of["positive"], of["hour"]
    return {
        "group": np.array(GROUPS)[group],
        "real": rng.normal(*of["real"]),
        "count": rng.poisson(*of["count"]),
        "positive": rng.gamma(shape, mean / shape),
        "bounded": rng.beta(*of["bounded"]),
        "hour": np.mod(DAY * rng.vonmises(hour / DAY, concentration), 24.0),
    }


def parameters(cells: Cells) -> dict[str, dict[str, list[float]]]:
    """Returns {group: {column: parameters}} of the cells of each group, by their moments."""
    found: dict[str, dict[str, list[float]]] = {}
    for group in GROUPS:
        of = {name: np.asarray(c)[cells["group"] == group] for name, c in cells.items()}
        mean, share = of["positive"].mean(), of["bounded"].mean()
        both = share * (1.0 - share) / of["bounded"].var() - 1.0
        turn = np.exp(1j * of["hour"] / DAY).mean()
        concentration = scipy.stats.vonmises.fit(of["hour"] / DAY, fscale=1)[0]
        found[group] = {
            "group": [len(of["real"]) / len(cells["group"])],
            "real": [of["real"].mean(), of["real"].std()],
            "count": [of["count"].mean(), of["count"].var() / of["count"].mean()],
            "positive": [mean**2 / of["positive"].var(), mean],
            "bounded": [share * both, (1.0 - share) * both],
            "hour": [np.mod(np.angle(turn) * DAY, 24.0), concentration],
        }
        found[group] = {n: [float(each) for each in v] for n, v in found[group].items()}
    return found


class FamiliesAtWork(Experiment[Config]):
    """A class, and a column of every other family whose parameters the class decides.

    A pair that knows the table alone draws rows, and the parameters within each class of these are
    set beside those that the table was made with.

    Args: see `Experiment`; there are no data to choose.
    """

    name = "families_at_work"
    usual = "mixed table"

    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        return self.varied("learner", {"symmetric": self.config}, seed=seed, data=self.data)

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        names = [field.name for field in dataclasses.fields(Config)]
        config, seed = Config(**{name: settings[name] for name in names}), settings["seed"]
        data = table(config.rows, seed)

        def make() -> SymmetricEquilibrium:
            pair = zoo.Table(
                zoo.describe(data, KINDS), latent=Normal(config.latent), width=config.width
            )
            return SymmetricEquilibrium(pair, draws=config.draws, seed=seed)

        rates = {"decoder": config.rate, "encoder": config.rate}
        optimizer = Recipe(rates, beta_1=0.9).optimizer(steps=config.steps)
        learner = training.compiled(make, optimizer=optimizer, seed=seed, group=50)
        pair = learner.pair
        rows = {"row": pair.rows(data)}
        training.fit(
            learner, Batches(rows, batch_size=config.batch_size, seed=seed), steps=config.steps
        )
        drawn = pair.cells(learner.generate(config.drawn, seed=seed)["row"])
        np.savez(folder / "drawn.npz", **{name: cells[:2000] for name, cells in drawn.items()})
        return {"drawn": parameters(drawn), "data": parameters(data)}

    def table(self, results: Results) -> str:
        heads = ["group", "column", "made with", "rows drawn", "rows given"]
        rows = []
        for index, group in enumerate(GROUPS):
            truth = {"group": (SHARES[index],)} | {n: each[index] for n, each in TRUTH.items()}
            truth["count"] = (*truth["count"], 1.0)  # variance / mean of a Poisson count
            for column, made in truth.items():
                found = [
                    ", ".join(
                        mean_of(each[kind][group][column][place] for each in findings(results))
                        for place in range(len(made))
                    )
                    for kind in ("drawn", "data")
                ]
                rows.append([group, column, ", ".join(f"{each:g}" for each in made), *found])
        return markdown(heads, rows)

    def picture(self, place: Place, results: Results) -> None:
        label, first = next(iter(results.items()))
        data = table(first["settings"]["rows"], first["settings"]["seed"])
        with np.load(self.folder / label / "drawn.npz") as kept:
            drawn = dict(kept)
        figure = Figure(figsize=(10.0, 5.0), layout="constrained")
        for axes, name in zip(figure.subplots(2, 3).flat, data, strict=True):
            both = [data[name], drawn[name]]
            if name == "group":
                both = [np.searchsorted(GROUPS_SORTED, each) for each in both]
            edges = np.histogram_bin_edges(np.concatenate(both), 30)
            if name in ("group", "count"):
                edges = np.arange(np.max(both[0]) + 2) - 0.5
            axes.hist(both[0], edges, color="0.8", density=True, label="table")
            axes.hist(both[1], edges, color="C0", density=True, histtype="step", label="drawn")
            axes.set(title=name, yticks=[])
            if name == "group":
                axes.set_xticks(range(len(GROUPS)), GROUPS_SORTED)
                axes.legend(fontsize=8)
        figure.savefig(place.picture(), dpi=90)


GROUPS_SORTED = sorted(GROUPS)
