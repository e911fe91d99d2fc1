"""The experiment of the link between f-GAN and WAE: two curves, and the bounds they keep to."""

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from scripts.experiments import Experiment, markdown, mean_of
from scripts.finite_spaces import FiniteSpace

POINTS = 8
DECODERS = {"invertible": 8, "onto": 12, "not-onto": 5}  # numbers of codes
DIVERGENCES = ("total_variation", "jensen_shannon", "kl", "pearson")
WEIGHTS = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
SHOWN = 0.3  # the weight of the table, one of WEIGHTS
LARGER, BLURS = 60, (0.3, 0.1, 0.03, 0.01)
CURVES = {"wae": ("WAE", {"color": "C1", "lw": 4}), "gan": ("f-GAN", {"color": "C0", "ls": "--"})}


class PrimalDual(Experiment):
    """The value of a GAN with Lipschitz critics and of a WAE, on finite spaces, over lambda.

        GAN(f, lambda) <= WAE(f, lambda),  equal for invertible G or infinite f'(inf)
        GAN(f, lambda) <= min(lambda D_f(data, model), W_c(data, model))

    Points uniform in a square of side 1 with Euclidean c, and random data and prior; on one larger
    space the blurred transport that scales, against the exact value.

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
        return {f"{kind}-seed-{seed}": each for kind, each in (exact | {"larger": larger}).items()}

    def measure(self, settings, folder):
        space = random_space(settings["points"], codes=settings["codes"], seed=settings["seed"])
        if "blurs" in settings:
            weight = settings["weight"]
            blurred = [space.entropic_wae(weight=weight, blur=blur) for blur in settings["blurs"]]
            return {"exact": space.wae("kl", weight=weight), "blurred": blurred}
        found: dict = {"transport": space.transport()}
        for f in settings["divergences"]:
            divergence = space.divergence(f)
            if np.isfinite(divergence):  # JSON has no infinity
                found[f"divergence/{f}"] = divergence
            found[f"gan/{f}"] = [space.gan(f, weight=weight) for weight in settings["weights"]]
            found[f"wae/{f}"] = [space.wae(f, weight=weight) for weight in settings["weights"]]
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
        return f"{markdown(heads, rows)}\n{blurred}"

    def picture(self, path, results):
        figure = Figure(figsize=(3.2 * len(DIVERGENCES), 2.8 * len(DECODERS)), layout="constrained")
        axes = figure.subplots(
            len(DECODERS), len(DIVERGENCES), sharex=True, sharey="row", squeeze=False
        )
        first = [r for r in results.values() if r["settings"]["seed"] == self.seeds[0]]
        for row, kind in zip(axes, DECODERS, strict=True):
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
                panel.set_title(f.replace("_", " ") if kind == next(iter(DECODERS)) else "")
        for panel in axes[-1]:
            panel.set_xlabel("$\\lambda$")
        axes[0, 0].legend(loc="lower right")
        figure.savefig(path, dpi=90)


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
