"""The experiment of the link between f-GAN and WAE: two curves, and the bounds they keep to."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from scripts.experiments.experiment import Experiment
from scripts.experiments.place import Place
from scripts.experiments.primal_dual.config import Config
from scripts.experiments.primal_dual.finite_spaces import FiniteSpace
from scripts.experiments.primal_dual.learned_sides import (
    random_line,
    value_of_critic,
    value_of_encoder,
)
from scripts.experiments.tables import Results, findings, markdown, mean_of

CURVES = {"wae": ("WAE", {"color": "C1", "lw": 4}), "gan": ("f-GAN", {"color": "C0", "ls": "--"})}
MARKS = {
    "wae": ("WAE, learned", {"color": "C3", "marker": "v"}),
    "onward": ("WAE, learned and moved on", {"color": "C4", "marker": "1"}),
    "gan": ("f-GAN, learned", {"color": "C2", "marker": "^"}),
}


class PrimalDual(Experiment[Config]):
    """The value of a GAN with Lipschitz critics and of a WAE, on finite spaces, over lambda.

        GAN(f, lambda) <= WAE(f, lambda),  equal for invertible G or infinite f'(inf)
        GAN(f, lambda) <= min(lambda D_f(data, model), W_c(data, model))

    Points uniform in a square of side 1 with Euclidean c, and random data and prior; on one larger
    space the blurred transport that scales, against the exact value; and codes N(0, 1) decoded to a
    line through the square, with a critic and an encoder that networks learn, see `learned_sides`.

    Args: see `Experiment`; there are no images, so `data` is not read.

    Reference: Husain, Nock, Williamson 2019, A Primal-Dual Link between GANs and Autoencoders.
    """

    name = "primal_dual"
    usual = "none"

    defaults = Config()

    def settings(self, seed: int) -> dict[str, dict[str, Any]]:
        config = self.config
        usual = {"points": config.points, "divergences": config.divergences}
        usual |= {"weights": config.weights, "seed": seed}
        exact = {
            kind: {**usual, "decoder": kind, "codes": codes}
            for kind, codes in config.decoders.items()
        }
        larger = {"decoder": "larger", "points": config.larger, "codes": config.larger // 2}
        larger |= {"blurs": config.blurs, "weight": config.shown, "seed": seed}
        line = {**usual, "decoder": "line", "intervals": config.intervals}
        line |= {"learned": config.learned, "penalty": config.penalty, "gentle": config.gentle}
        line["training"] = {k: dataclasses.asdict(each) for k, each in config.training.items()}
        settings = {**exact, "larger": larger, "line": line}
        return {f"{kind}-seed-{seed}": each for kind, each in settings.items()}

    def measure(self, settings: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
        if "learned" in settings:
            return self._learned(settings)
        space = random_space(settings["points"], codes=settings["codes"], seed=settings["seed"])
        if "blurs" in settings:
            weight = settings["weight"]
            blurred = [space.entropic_wae(weight=weight, blur=blur) for blur in settings["blurs"]]
            return {"exact": space.wae("kl", weight=weight), "blurred": blurred}
        return curves(space, settings)

    def _learned(self, settings: dict[str, Any]) -> dict[str, Any]:
        seed = settings["seed"]
        line = random_line(settings["points"], intervals=settings["intervals"], seed=seed)
        space = line.space()
        found = curves(space, settings)
        of = {side: {"training": t, "seed": seed} for side, t in settings["training"].items()}
        for f in settings["divergences"]:
            kept = {side: found.setdefault(f"learned/{side}/{f}", []) for side in MARKS}
            for weight in settings["learned"]:
                d = line.critic(f, weight=weight, penalty=settings["penalty"], **of["gan"])
                kept["gan"].append(value_of_critic(space, d, f, weight=weight))
                gentle = settings["gentle"].get(f, 0.0)
                encoder = line.encoder(f, weight=weight, penalty=gentle, **of["wae"])
                for side, onward in (("wae", False), ("onward", True)):
                    value = value_of_encoder(space, encoder, f, weight=weight, onward=onward)
                    kept[side].append(value)
        return found

    def table(self, results: Results) -> str:
        tables = (self._exact_table, self._blurred_table, self._learned_table)
        return "\n".join(table(results) for table in tables)

    def _exact_table(self, results: Results) -> str:
        config, rows = self.config, []
        shown = config.weights.index(config.shown)
        for kind in config.decoders:
            of_kind = findings(results, decoder=kind)
            for f in config.divergences:
                divergences = [v[f"divergence/{f}"] for v in of_kind if f"divergence/{f}" in v]
                gap = max(np.max(np.subtract(v[f"wae/{f}"], v[f"gan/{f}"])) for v in of_kind)
                cells = [[v["transport"] for v in of_kind]]
                cells += [[v[f"{curve}/{f}"][shown] for v in of_kind] for curve in CURVES]
                distance = mean_of(divergences, digits=4) if divergences else "infinite"
                means = [mean_of(cell, digits=4) for cell in cells]
                rows.append([kind, f, distance, *means, f"{gap:.2g}"])
        curves = [f"{label} at lambda = {config.shown}" for label, _ in CURVES.values()]
        return markdown(["G", "f", "D_f", "W_c", *curves, "largest WAE - GAN"], rows)

    def _blurred_table(self, results: Results) -> str:
        config, larger = self.config, findings(results, decoder="larger")
        rows = [
            [blur, mean_of((found["blurred"][i] for found in larger), digits=4)]
            for i, blur in enumerate(config.blurs)
        ]
        rows.append(["none, exact", mean_of((found["exact"] for found in larger), digits=4)])
        heads = [f"blur, {config.larger} points, kl", f"WAE at lambda = {config.shown}"]
        return markdown(heads, rows)

    def _learned_table(self, results: Results) -> str:
        config, found, rows = self.config, findings(results, decoder="line"), []
        heads = ["f, G onto a line", "lambda", "f-GAN learned", "f-GAN", "WAE"]
        heads += ["WAE learned, moved on", "WAE learned", "W_c"]
        for f in config.divergences:
            for index, weight in enumerate(config.learned):
                at = config.weights.index(weight)
                cells = [[each[f"learned/gan/{f}"][index] for each in found]]
                cells += [[each[f"{side}/{f}"][at] for each in found] for side in ("gan", "wae")]
                for side in ("onward", "wae"):
                    cells.append([each[f"learned/{side}/{f}"][index] for each in found])
                cells.append([each["transport"] for each in found])
                rows.append([f, weight, *(mean_of(cell, digits=3) for cell in cells)])
        return markdown(heads, rows)

    def picture(self, place: Place, results: Results) -> None:
        divergences, rows = self.config.divergences, (*self.config.decoders, "line")
        figure = Figure(figsize=(3.2 * len(divergences), 2.8 * len(rows)), layout="constrained")
        axes = figure.subplots(
            len(rows), len(divergences), sharex=True, sharey="row", squeeze=False
        )
        for row, kind in zip(axes, rows, strict=True):
            (found,) = findings(results, decoder=kind, seed=self.seeds[0])
            row[0].set_ylabel(f"G {kind}")
            row[0].set_ylim(0.0, 1.2 * found["transport"])
            for panel, f in zip(row, divergences, strict=True):
                self._panel(panel, found, f, marks=MARKS if kind == "line" else {})
                panel.set_title(f.replace("_", " ") if kind == rows[0] else "")
        for panel in axes[-1]:
            panel.set_xlabel("$\\lambda$")
        axes[-1, -1].legend(loc="lower right", fontsize=8)
        figure.savefig(place.picture(), dpi=90)

    def _panel(self, panel: Any, found: dict[str, Any], f: str, *, marks: dict) -> None:
        config = self.config
        weights = np.geomspace(config.weights[0], config.weights[-1], 400)
        bound = np.minimum(weights * found.get(f"divergence/{f}", np.inf), found["transport"])
        for curve, (label, style) in CURVES.items():
            panel.semilogx(config.weights, found[f"{curve}/{f}"], label=label, **style)
        panel.semilogx(weights, bound, color="0.3", ls=":", label="bound of f-GAN")
        for side, (label, mark) in marks.items():
            learned = found[f"learned/{side}/{f}"]
            panel.semilogx(config.learned, learned, ls="", label=label, **mark)


def curves(space: FiniteSpace, settings: dict[str, Any]) -> dict[str, Any]:
    """Returns both sides over all weights, {"gan/kl": [...]}, and their bounds."""
    found: dict[str, Any] = {"transport": space.transport()}
    for f in settings["divergences"]:
        divergence = space.divergence(f)
        if np.isfinite(divergence):  # JSON has no infinity
            found[f"divergence/{f}"] = divergence
        found[f"gan/{f}"] = [space.gan(f, weight=weight) for weight in settings["weights"]]
        found[f"wae/{f}"] = [space.wae(f, weight=weight) for weight in settings["weights"]]
    return found


def random_space(points: int, *, codes: int, seed: int) -> FiniteSpace:
    """Returns a random `FiniteSpace` with this number of codes.

    With more codes than points G is onto but not injective, with fewer injective but not onto.
    """
    rng = np.random.default_rng(seed)
    places = rng.random((points, 2))
    order = rng.permutation(points)
    decoder = np.concatenate([order, rng.integers(points, size=max(codes - points, 0))])[:codes]
    data, prior = (rng.dirichlet(np.full(n, 2.0)) for n in (points, codes))
    return FiniteSpace(cdist(places, places), data, prior, decoder)
