"""The experiment of the link between f-GAN and WAE: two curves, and the bounds they keep to."""

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from scripts.experiments.experiment import Experiment, markdown, mean_of
from scripts.experiments.primal_dual.finite_spaces import FiniteSpace
from scripts.experiments.primal_dual.learned_sides import (
    random_line,
    value_of_critic,
    value_of_encoder,
)

POINTS = 8
DECODERS = {"invertible": 8, "onto": 12, "not-onto": 5}  # numbers of codes
DIVERGENCES = ("total_variation", "jensen_shannon", "kl", "pearson")
WEIGHTS = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
SHOWN = 0.3  # the weight of the table, one of WEIGHTS
LARGER, BLURS = 60, (0.3, 0.1, 0.03, 0.01)
INTERVALS = 30  # of equal probability, into which the codes of a line are cut
LEARNED = (0.05, 0.2, 0.8)  # the weights that networks are trained with, some of WEIGHTS
USUAL = {"batch_size": 512, "width": 64, "rate": 1e-3}
TRAINING = {
    "gan": {**USUAL, "steps": 1500, "critic_rate": 4e-3, "critic_steps": 2},
    "wae": {**USUAL, "steps": 2000, "critic_rate": 2e-3, "critic_steps": 4},
}
PENALTY = 10.0  # weight of the gradient penalty of the critic of points
GENTLE = {"total_variation": 10.0}  # and of that of codes, which others do without
CURVES = {"wae": ("WAE", {"color": "C1", "lw": 4}), "gan": ("f-GAN", {"color": "C0", "ls": "--"})}
MARKS = {
    "wae": ("WAE, learned", {"color": "C3", "marker": "v"}),
    "onward": ("WAE, learned and moved on", {"color": "C4", "marker": "1"}),
    "gan": ("f-GAN, learned", {"color": "C2", "marker": "^"}),
}
ROWS = (*DECODERS, "line")


class PrimalDual(Experiment):
    """The value of a GAN with Lipschitz critics and of a WAE, on finite spaces, over lambda.

        GAN(f, lambda) <= WAE(f, lambda),  equal for invertible G or infinite f'(inf)
        GAN(f, lambda) <= min(lambda D_f(data, model), W_c(data, model))

    Points uniform in a square of side 1 with Euclidean c, and random data and prior; on one larger
    space the blurred transport that scales, against the exact value; and codes N(0, 1) decoded to a
    line through the square, with a critic and an encoder that networks learn, see `learned_sides`.

    Args: see `Experiment`; there are no images, and `data` is not read.

    Reference: Husain, Nock, Williamson 2019, A Primal-Dual Link between GANs and Autoencoders.
    """

    name = "primal_dual"
    usual = "none"

    def settings(self, seed):
        usual = {"points": POINTS, "divergences": DIVERGENCES, "weights": WEIGHTS, "seed": seed}
        exact = {kind: {**usual, "decoder": kind, "codes": n} for kind, n in DECODERS.items()}
        larger = {"decoder": "larger", "points": LARGER, "codes": LARGER // 2, "seed": seed}
        larger |= {"blurs": BLURS, "weight": SHOWN}
        line = {**usual, "decoder": "line", "intervals": INTERVALS, "learned": LEARNED}
        line |= {"training": TRAINING, "penalty": PENALTY, "gentle": GENTLE}
        settings = {**exact, "larger": larger, "line": line}
        return {f"{kind}-seed-{seed}": each for kind, each in settings.items()}

    def measure(self, settings, folder):
        if "learned" in settings:
            return self._learned(settings)
        space = random_space(settings["points"], codes=settings["codes"], seed=settings["seed"])
        if "blurs" in settings:
            weight = settings["weight"]
            blurred = [space.entropic_wae(weight=weight, blur=blur) for blur in settings["blurs"]]
            return {"exact": space.wae("kl", weight=weight), "blurred": blurred}
        return curves(space, settings)

    def _learned(self, settings):
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

    def table(self, results):
        shown, rows = WEIGHTS.index(SHOWN), []
        for kind in DECODERS:
            of_kind = [r["found"] for r in results.values() if r["settings"]["decoder"] == kind]
            for f in DIVERGENCES:
                divergences = [v[f"divergence/{f}"] for v in of_kind if f"divergence/{f}" in v]
                gap = max(np.max(np.subtract(v[f"wae/{f}"], v[f"gan/{f}"])) for v in of_kind)
                cells = [[v["transport"] for v in of_kind]]
                cells += [[v[f"{curve}/{f}"][shown] for v in of_kind] for curve in CURVES]
                rows.append(
                    [kind, f, mean_of(divergences, digits=4) if divergences else "infinite"]
                )
                rows[-1] += [*(mean_of(cell, digits=4) for cell in cells), f"{gap:.2g}"]
        at = f"at lambda = {SHOWN}"
        curves = [f"{label} {at}" for label, _ in CURVES.values()]
        heads = ["G", "f", "D_f", "W_c", *curves, "largest WAE - GAN"]
        larger = [r["found"] for r in results.values() if r["settings"]["decoder"] == "larger"]
        of_blur = [
            [blur, mean_of((found["blurred"][i] for found in larger), digits=4)]
            for i, blur in enumerate(BLURS)
        ]
        of_blur.append(["none, exact", mean_of((found["exact"] for found in larger), digits=4)])
        blurred = markdown([f"blur, {LARGER} points, kl", f"WAE {at}"], of_blur)
        return f"{markdown(heads, rows)}\n{blurred}\n{self._learned_table(results)}"

    def _learned_table(self, results):
        found = [r["found"] for r in results.values() if r["settings"]["decoder"] == "line"]
        heads = [
            "f, G onto a line",
            "lambda",
            "f-GAN learned",
            "f-GAN",
            "WAE",
            "WAE learned, moved on",
            "WAE learned",
            "W_c",
        ]
        rows = []
        for f in DIVERGENCES:
            for index, weight in enumerate(LEARNED):
                at = WEIGHTS.index(weight)
                cells = [[each[f"learned/gan/{f}"][index] for each in found]]
                cells += [[each[f"{side}/{f}"][at] for each in found] for side in ("gan", "wae")]
                for side in ("onward", "wae"):
                    cells.append([each[f"learned/{side}/{f}"][index] for each in found])
                cells.append([each["transport"] for each in found])
                rows.append([f, weight, *(mean_of(cell, digits=3) for cell in cells)])
        return markdown(heads, rows)

    def picture(self, path, results):
        figure = Figure(figsize=(3.2 * len(DIVERGENCES), 2.8 * len(ROWS)), layout="constrained")
        axes = figure.subplots(
            len(ROWS), len(DIVERGENCES), sharex=True, sharey="row", squeeze=False
        )
        first = [r for r in results.values() if r["settings"]["seed"] == self.seeds[0]]
        for row, kind in zip(axes, ROWS, strict=True):
            (found,) = [r["found"] for r in first if r["settings"]["decoder"] == kind]
            row[0].set_ylabel(f"G {kind}")
            row[0].set_ylim(0.0, 1.2 * found["transport"])
            for panel, f in zip(row, DIVERGENCES, strict=True):
                weights = np.geomspace(WEIGHTS[0], WEIGHTS[-1], 400)
                bound = weights * found.get(f"divergence/{f}", np.inf)
                bound = np.minimum(bound, found["transport"])
                for curve, (label, style) in CURVES.items():
                    panel.semilogx(WEIGHTS, found[f"{curve}/{f}"], label=label, **style)
                panel.semilogx(weights, bound, color="0.3", ls=":", label="bound of f-GAN")
                for side, (label, mark) in MARKS.items() if kind == "line" else ():
                    panel.semilogx(
                        LEARNED, found[f"learned/{side}/{f}"], ls="", label=label, **mark
                    )
                panel.set_title(f.replace("_", " ") if kind == ROWS[0] else "")
        for panel in axes[-1]:
            panel.set_xlabel("$\\lambda$")
        axes[-1, -1].legend(loc="lower right", fontsize=8)
        figure.savefig(path, dpi=90)


def curves(space, settings):
    """Returns both sides over all weights, {"gan/kl": [...]}, and their bounds."""
    found: dict = {"transport": space.transport()}
    for f in settings["divergences"]:
        divergence = space.divergence(f)
        if np.isfinite(divergence):  # JSON has no infinity
            found[f"divergence/{f}"] = divergence
        found[f"gan/{f}"] = [space.gan(f, weight=weight) for weight in settings["weights"]]
        found[f"wae/{f}"] = [space.wae(f, weight=weight) for weight in settings["weights"]]
    return found


def random_space(points, *, codes, seed):
    """Returns a `FiniteSpace` whose G meets as many points as there are codes for.

    With more codes than points it is onto but not injective, with fewer injective but not onto.
    """
    rng = np.random.default_rng(seed)
    places = rng.random((points, 2))
    order = rng.permutation(points)
    decoder = np.concatenate([order, rng.integers(points, size=max(codes - points, 0))])[:codes]
    data, prior = (rng.dirichlet(np.full(n, 2.0)) for n in (points, codes))
    return FiniteSpace(cdist(places, places), data, prior, decoder)
