"""The command that measures a trained model on held-out data."""

import pathlib
from typing import Any, get_args

from absl import flags

import zoo
from keras_symvae import Learner, Pair
from keras_symvae.families import Bernoulli
from keras_symvae.model import questions
from zoo.cli import model, seed
from zoo.cli.command import Command
from zoo.cli.out import new_file
from zoo.datasets import label_maps
from zoo.datasets.preparation import BINARIZE, Preparation
from zoo.presets.table import PRESETS
from zoo.runs import model_file, settings, settings_file
from zoo.runs import report as reports
from zoo.runs.data import SPLIT_RULE, Data
from zoo.runs.measurements import Extractor, Measurements
from zoo.trained import source
from zoo.trained.card import FILE, Card

FLAGS = flags.FlagValues()
flags.DEFINE_string("run", None, "Folder of a run: its model, its data.", flag_values=FLAGS)
model.define(FLAGS, text=", in place of --run.")
flags.DEFINE_string("data", None, "As in `train`. Default: the data of the run.", flag_values=FLAGS)
flags.DEFINE_enum(
    "binarize",
    None,
    list(BINARIZE),
    "As in `train`. Default: as the run did; without one, 'threshold' for a model of bits.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "classes",
    None,
    "As in `train`. Default: that of the layout of the data, else as the run did.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "n",
    1000,
    "Images to generate, and the most held-out images to compare them with or to measure one by "
    "one. The metrics are those of all held-out images.",
    lower_bound=2,
    flag_values=FLAGS,
)
seed.define(FLAGS)
flags.DEFINE_bool(
    "distances",
    False,
    "Frechet and kernel distance of samples, one-shot and limiting, to held-out images; training "
    "images stand beside them as the distance that remains for a perfect model.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "extractor",
    "auto",
    list(get_args(Extractor)),
    "Features for the distances: Inception if Keras has its weights, else a classifier that is "
    "trained on the data once and kept beside the model.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "output", "sample", list(questions.OUTPUTS), "Pixels that distances compare.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "limiting_steps", 1000, "Alternations of encoder and decoder.", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_bool(
    "log_likelihood", False, "The importance-weighted log-likelihood.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "num_samples", 1000, "Draws per image for that.", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_bool(
    "annealed",
    False,
    "The log-likelihood by annealed importance sampling instead, --num_samples steps in 8 chains: "
    "for real codes, and encoders without density; it takes long, choose a small --n.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "information", False, "The information that every single latent bit holds.", flag_values=FLAGS
)
flags.DEFINE_bool(
    "consistency", False, "How the costs of both players drift along the chain.", flag_values=FLAGS
)
flags.DEFINE_string(
    "out",
    None,
    "The .json to write. Default: evaluation.json beside a model file, else in this folder.",
    flag_values=FLAGS,
)

OF_PAIRS = ("distances", "log_likelihood", "consistency")


def main(asked: flags.FlagValues) -> None:
    """Measures, prints and writes."""
    if (asked.run is None) == (asked.model is None):
        raise ValueError("say either --run=FOLDER or --model=FILE")
    named = asked.model or pathlib.Path(asked.run) / "model.keras"
    path = source.model_of(named)
    beside = path.parent if source.is_own(named) else pathlib.Path()  # files of its own
    if asked.annealed and not asked.log_likelihood:
        raise ValueError("--annealed is a way to --log_likelihood; say both")
    out = new_file(asked.out or beside / "evaluation.json", suffixes=(".json",))
    learner = model_file.load(path, kinds=(Pair, zoo.Segmentation))
    data = _data(
        learner,
        _settings(path),
        name=asked.data,
        binarize=asked.binarize,
        classes=asked.classes,
    )
    measured = Measurements(learner, data, n=asked.n, seed=asked.seed)
    report: dict[str, Any] = {"metrics": measured.metrics()}
    if isinstance(learner.pair, zoo.Segmentation):
        refused = [name for name in OF_PAIRS if asked[name].value]
        if refused:
            raise ValueError(f"--{' --'.join(refused)} measure a pair, and this is a Segmentation")
        report["segmentation"] = measured.segmentation()
    if isinstance(learner.pair, zoo.SemiSupervised):
        report["accuracy"] = measured.accuracy()
    if asked.log_likelihood:
        report["log_likelihood"] = measured.log_likelihood(
            num_samples=asked.num_samples, annealed=asked.annealed
        )
    if asked.information:
        report["information"] = measured.information()
    if asked.consistency:
        report["consistency"] = measured.consistency(steps=asked.limiting_steps)
    if asked.distances:
        report["distances"] = measured.distances(
            extractor=asked.extractor,
            folder=beside,
            steps=asked.limiting_steps,
            output=asked.output,
        )
    report["settings"] = {
        "model": str(named),
        "data": data.name,
        "binarize": data.preparation.binarize,
        "n": asked.n,
        "seed": asked.seed,
    }
    report["versions"] = reports.versions()
    print(reports.write(out, report), end="")


def _settings(path: pathlib.Path) -> dict[str, Any]:
    """Returns the settings of the run that the model lies in, or of its preset, or {}."""
    beside = path.with_name("settings.json")
    if beside.is_file():
        return settings_file.read(beside)
    preset = Card.read(path.parent).preset if path.with_name(FILE).is_file() else ""
    if preset not in PRESETS:
        return {}
    found = PRESETS[preset]
    return {"data": found.data, "preparation": found.preparation, "split_rule": SPLIT_RULE}


def _data(
    learner: Learner,
    former: dict[str, Any],
    *,
    name: str | None,
    binarize: str | None,
    classes: str | None,
) -> Data:
    image = learner.pair.families["x"]
    name = name or former.get("data")
    if name is None:
        raise ValueError("say on which --data; nothing beside the model tells it")
    preparation: dict[str, Any] | None = former.get("preparation")
    if preparation is None:
        preparation = {"binarize": "threshold" if isinstance(image, Bernoulli) else "none"}
    if binarize is not None:
        preparation = {"binarize": binarize}
    target = getattr(learner.pair, "target", None)
    own = name == former.get("data")
    if target == "s" and classes is None:
        classes = (None if own else label_maps.own_classes(name)) or former.get("classes")
    return Data(
        name,
        shape=image.shape,
        preparation=Preparation(**preparation),
        owner="the model",
        target=target,
        num_classes=learner.pair.families[target].num_classes if target else None,
        split_rule=settings.split_rule(former) if former else SPLIT_RULE,
        ignore=former.get("ignore") if own else None,
        classes=classes,
    )


COMMAND = Command(
    name="evaluate",
    summary="Measures a trained model on held-out data; JSON is printed and kept.",
    examples=(
        "--run=runs/demo --distances --log_likelihood --information",
        "--model=model.keras --data=digits --consistency",
    ),
    flags=FLAGS,
    common=(
        "run",
        "model",
        "data",
        "n",
        "seed",
        "distances",
        "log_likelihood",
        "information",
        "consistency",
        "out",
    ),
    main=main,
)
