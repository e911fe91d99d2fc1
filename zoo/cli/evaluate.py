"""Measures a trained model on held-out data; prints JSON and writes it beside the model.

python -m scripts.evaluate --run=runs/demo
python -m scripts.evaluate --run=runs/demo --distances --log_likelihood --information
python -m scripts.evaluate --model=model.keras --data=digits --consistency
"""

import json
import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from absl import flags

import zoo
from keras_symvae import Pair
from keras_symvae.model import questions as endpoints
from zoo.cli import commands
from zoo.datasets.preparation import BINARIZE, Preparation
from zoo.runs import report as reports
from zoo.runs.data import Data
from zoo.runs.measurements import Measurements

flags.DEFINE_string("run", None, "Folder of a run: its model, its data.")
flags.DEFINE_string("model", None, "A model.keras, in place of --run.")
flags.DEFINE_string("data", None, "As in scripts.train. Default: the data of the run.")
flags.DEFINE_enum(
    "binarize",
    None,
    list(BINARIZE),
    "As in scripts.train. Default: as the run did; without one, 'threshold' for a model of bits.",
)
flags.DEFINE_integer(
    "n",
    1000,
    "Images that are generated, and at most so many held-out ones that they are compared with or "
    "that are measured one by one. The metrics are those of all held-out images.",
    lower_bound=2,
)
flags.DEFINE_integer(
    "seed", 0, "The same seed gives the same draws.", lower_bound=0, upper_bound=2**31 - 1
)
flags.DEFINE_bool(
    "distances",
    False,
    "Frechet and kernel distance of samples, one-shot and limiting, to held-out images; training "
    "images stand beside them as the distance that remains for a perfect model.",
)
flags.DEFINE_enum(
    "extractor",
    "auto",
    ["auto", "classifier", "inception"],
    "Features for the distances: Inception if Keras has its weights, else a classifier that is "
    "trained on the data once and kept beside the model.",
)
flags.DEFINE_enum("output", "sample", list(endpoints.OUTPUTS), "Pixels that distances compare.")
flags.DEFINE_integer("limiting_steps", 1000, "Alternations of encoder and decoder.", lower_bound=1)
flags.DEFINE_bool("log_likelihood", False, "The importance-weighted log-likelihood.")
flags.DEFINE_integer("num_samples", 1000, "Draws per image for that.", lower_bound=1)
flags.DEFINE_bool(
    "annealed",
    False,
    "The log-likelihood by annealed importance sampling instead, --num_samples steps in 8 chains: "
    "for real codes, and encoders without density; it takes long, choose a small --n.",
)
flags.DEFINE_bool("information", False, "The information that every single latent bit holds.")
flags.DEFINE_bool("consistency", False, "How the costs of both players drift along the chain.")
flags.DEFINE_string("out", None, "The .json to write. Default: evaluation.json beside the model.")
FLAGS = flags.FLAGS
OF_PAIRS = ("distances", "log_likelihood", "consistency")


def main():
    if (FLAGS.run is None) == (FLAGS.model is None):
        raise ValueError("say either --run=FOLDER or --model=FILE")
    path = pathlib.Path(FLAGS.model or pathlib.Path(FLAGS.run) / "model.keras")
    if FLAGS.annealed and not FLAGS.log_likelihood:
        raise ValueError("--annealed is a way to --log_likelihood; say both")
    out = commands.new_file(FLAGS.out or path.with_name("evaluation.json"), suffixes=(".json",))
    learner = commands.load_model(path, kinds=(Pair, zoo.Segmentation))
    data = _data(learner, _settings(path))
    measured = Measurements(learner, data, n=FLAGS.n, seed=FLAGS.seed)
    report = {"metrics": measured.metrics()}
    if isinstance(learner.pair, zoo.Segmentation):
        asked = [name for name in OF_PAIRS if FLAGS[name].value]
        if asked:
            raise ValueError(f"--{' --'.join(asked)} measure a pair, and this is a Segmentation")
        report["segmentation"] = measured.segmentation()
    if isinstance(learner.pair, zoo.SemiSupervised):
        report["accuracy"] = measured.accuracy()
    if FLAGS.log_likelihood:
        report["log_likelihood"] = measured.log_likelihood(
            num_samples=FLAGS.num_samples, annealed=FLAGS.annealed
        )
    if FLAGS.information:
        report["information"] = measured.information()
    if FLAGS.consistency:
        report["consistency"] = measured.consistency(steps=FLAGS.limiting_steps)
    if FLAGS.distances:
        report["distances"] = measured.distances(
            extractor=FLAGS.extractor,
            folder=path.parent,
            steps=FLAGS.limiting_steps,
            output=FLAGS.output,
        )
    report["settings"] = {
        "model": str(path),
        "data": data.name,
        "binarize": data.preparation.binarize,
        "n": FLAGS.n,
        "seed": FLAGS.seed,
    }
    report["versions"] = reports.versions()
    print(reports.write(out, report), end="")


def _settings(path):
    """Returns the settings of the run that the model lies in, or {}."""
    beside = path.with_name("settings.json")
    return json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}


def _data(learner, settings):
    image = learner.pair.families["x"]
    name = FLAGS.data or settings.get("data")
    if name is None:
        raise ValueError("say on which --data; the model lies in no folder of a run")
    preparation = settings.get(
        "preparation", {"binarize": "threshold" if image.discrete else "none"}
    )
    if FLAGS.binarize is not None:
        preparation = {"binarize": FLAGS.binarize}
    target = {zoo.Segmentation: "s", zoo.SemiSupervised: "y"}.get(type(learner.pair))
    return Data(
        name,
        shape=image.shape,
        preparation=Preparation(**preparation),
        owner="the model",
        target=target,
        num_classes=learner.pair.families[target].num_classes if target else None,
    )


if __name__ == "__main__":
    commands.run(main)
