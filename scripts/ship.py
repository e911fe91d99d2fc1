"""Makes trained models that are shipped out of runs, and measures them beside the full ones.

    python -m scripts.ship --model=fashion_mnist_reverse=runs/reverse --model=digits_semi=runs/semi

A model that is shipped has the weights of its players alone, as float16. Its card tells what the
model in full precision reaches on the same images, with the same draws.
"""

import pathlib
import shlex
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from typing import Any

from absl import flags

import zoo
from keras_symvae import Learner, evaluation
from zoo.cli import seed
from zoo.cli.command import Command
from zoo.runs import settings
from zoo.runs.data import spread
from zoo.runs.measurements import Measurements
from zoo.runs.run import Run
from zoo.trained import shipped

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string(
    "model", [], "NAME=RUN, a name of the table below and the folder of a run.", flag_values=FLAGS
)
flags.DEFINE_string(
    "out", str(shipped.FOLDER), "Where the folders of models are written.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "n", 200, "Held-out images whose log p(x) is measured.", lower_bound=2, flag_values=FLAGS
)
flags.DEFINE_integer("num_samples", 100, "Draws for that.", lower_bound=1, flag_values=FLAGS)
seed.define(FLAGS)

DISTANCE = 2000  # images
FASHION = {
    "licence": "MIT, Zalando SE 2017",
    "source": "https://github.com/zalandoresearch/fashion-mnist",
}
DIGITS = {
    "licence": "CC BY 4.0, E. Alpaydin and C. Kaynak 1998",
    "source": "https://doi.org/10.24432/C50P49, as scikit-learn holds it",
}
BITS = "binarised where gray levels exceed 7/16."
NOT_FOR = (
    "Anything but demonstrations, teaching and comparisons of methods: it knows these images "
    "alone, its draws may show any of them distorted, and its densities are of prepared pixels."
)
CARDS = {
    "fashion_mnist_reverse": {
        "about": "Draws binary pictures of clothes, 28 x 28, from 30 and 100 bits.",
        "data": f"60,000 training images of Fashion-MNIST, {BITS}",
        **FASHION,
    },
    "fashion_mnist_ladder": {
        "about": "Draws binary pictures of clothes, 28 x 28, by a ladder of 30 and 100 bits.",
        "data": f"60,000 training images of Fashion-MNIST, {BITS}",
        **FASHION,
    },
    "fashion_mnist_gaussian": {
        "about": "Draws gray pictures of clothes, 28 x 28, from 16 real numbers.",
        "data": "60,000 training images of Fashion-MNIST, with noise of 0.15 gray levels.",
        **FASHION,
    },
    "fashion_mnist_bits": {
        "about": "Draws binary pictures of clothes, 28 x 28: the model of `make demo`.",
        "data": f"9,000 of the 10,000 embedded images of Fashion-MNIST, {BITS}",
        **FASHION,
    },
    "digits_ladder": {
        "about": "Draws binary handwritten digits, 8 x 8, by a ladder of 10 and 40 bits.",
        "data": f"1,437 handwritten digits of scikit-learn, {BITS}",
        **DIGITS,
    },
    "digits_semi": {
        "about": "Draws handwritten digits, 8 x 8, of a class that is asked for, and classifies.",
        "data": f"1,437 labelled handwritten digits of scikit-learn, {BITS}",
        **DIGITS,
    },
    "digits_silhouettes": {
        "about": "Segments handwritten digits, 8 x 8, and paints label maps.",
        "data": "1,437 handwritten digits of scikit-learn, with label maps of their ink.",
        **DIGITS,
    },
}


def main(asked: flags.FlagValues) -> None:
    """Writes the models and prints what they reach."""
    for assignment in asked.model:
        name, _, run = assignment.partition("=")
        if name not in CARDS or not run:
            raise ValueError(f"--model is NAME=RUN of {', '.join(CARDS)}; received {assignment!r}")
        ship(name, Run(run), asked=asked)


def ship(name: str, run: Run, *, asked: flags.FlagValues) -> None:
    """Writes the folder of one model, and prints what it and the full one reach."""
    chosen, report = run.settings, run.last_report()
    folder = pathlib.Path(asked.out) / name
    said = {
        **CARDS[name],
        "command": command(chosen),
        "preset": chosen["preset"],
        "not_for": NOT_FOR,
        "versions": report["versions"],
    }
    full = zoo.load(run.folder)
    zoo.save(full, folder, card=said, dtype="float16")
    both = {"shipped": zoo.load(folder), "full": full}
    found = {key: figures(each, chosen, run=run, asked=asked) for key, each in both.items()}
    full_figures = {f"{key}, in float32": value for key, value in found["full"].items()}
    zoo.save(
        full, folder, card=said | {"figures": found["shipped"] | full_figures}, dtype="float16"
    )
    for key, value in found["shipped"].items():
        print(f"{name}: {key}: {value}, in float32 {found['full'][key]}", flush=True)


def command(chosen: dict[str, Any]) -> str:
    """Returns what trained a run, without paths of the machine."""
    own = [name for name in ("steps", "batch_size", "seed") if chosen["flags"][name]]
    words = [f"--{name}={chosen['flags'][name]}" for name in own]
    return shlex.join(["keras-symvae", "train", f"--preset={chosen['preset']}", *words])


def figures(
    learner: Learner, chosen: dict[str, Any], *, run: Run, asked: flags.FlagValues
) -> dict[str, float]:
    """Returns {what was measured on held-out images: value}."""
    n, draws = asked.n, asked.num_samples
    measured = Measurements(learner, settings.data(chosen), n=n, seed=asked.seed)
    found = {}
    if isinstance(learner.pair, zoo.Segmentation):
        return {"mean IoU": round(measured.segmentation()["mean_iou"], 3)}
    if isinstance(learner.pair, zoo.SemiSupervised):
        found["accuracy"] = round(measured.accuracy(), 3)
    value = measured.log_likelihood(num_samples=draws)["mean"]
    found[f"log p(x), nats ({n} images, {draws} draws)"] = round(value, 2)
    real = spread(measured.held_out["x"], DISTANCE)
    features = measured.features(extractor="classifier", folder=run.folder)
    output = "mode" if learner.pair.families["x"].discrete else "sample"
    drawn = learner.generate(len(real), seed=asked.seed, output=output)["x"].clip(0, 1)
    distance = evaluation.frechet_distance(features(real), features(drawn))
    found[f"Frechet distance, {output} of one-shot pixels"] = round(distance, 2)
    return found


COMMAND = Command(
    name="ship",
    summary="Makes trained models that are shipped out of runs, with their cards.",
    examples=("--model=fashion_mnist_reverse=runs/reverse",),
    flags=FLAGS,
    common=("model", "out", "n", "num_samples", "seed"),
    needed=("model",),
    main=main,
)

if __name__ == "__main__":
    COMMAND.run(sys.argv[1:], call="python -m scripts.ship")
