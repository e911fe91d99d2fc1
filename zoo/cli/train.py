"""The command that trains a preset of the zoo, with everything about the run in one folder."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import flags

from keras_symvae import Learner
from keras_symvae.learners import LEARNERS
from zoo.cli import seed
from zoo.cli.command import Command
from zoo.datasets.preparation import BINARIZE
from zoo.presets.table import PRESETS
from zoo.runs import settings, start
from zoo.runs.run import Run

FLAGS = flags.FlagValues()
flags.DEFINE_enum(
    "preset",
    "fashion_mnist_bits",
    list(PRESETS),
    "Architecture and recipe; `keras-symvae presets` lists them.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "learner",
    None,
    sorted(LEARNERS),
    "How it is trained. Default: symmetric, for a team of pairs cooperative.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "data",
    None,
    "Images: 'fashion_mnist_bits', 'digits', a TFDS name or tfds:NAME, a folder of IDX files or of "
    "images, or a .npz with x and perhaps y. Default: those of the preset.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "labels_per_class",
    None,
    "Training images of each class whose labels are used, for semi-supervised presets; which ones "
    "depends on --seed. Default: all.",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "masks",
    None,
    "Training images whose label maps are used, for segmentation presets; the others count as "
    "images without one. Default: all.",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "ignore",
    None,
    "Class of label maps whose pixels count as pixels without a label, beside 255, for "
    "segmentation presets. Default: none.",
    lower_bound=0,
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "classes",
    None,
    "What numbers or colours of label maps mean, for segmentation presets: camvid, camvid_32, "
    "celeb_a_mask_hq, cityscapes, cityscapes_train_ids, voc, or a .json or .csv of names and "
    "colours. Default: that of the layout of the data, else of the preset.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "prior",
    None,
    "Prior of z0, known only by samples: a .npz with z0, a .npy, or a model.keras whose x it is. "
    "Default: that of the preset.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "start",
    None,
    "Begin with trained weights of the same architecture: the folder of a finished run, a "
    "model.keras, or a name as --model of `sample` takes it. Default: weights drawn by --seed.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "binarize",
    None,
    list(BINARIZE),
    "How gray pixels become bits: not at all, where they exceed 7/16, or drawn anew with the gray "
    "level as probability. Default: as the preset does.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "steps", None, "Training steps. Default: of the preset.", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_integer(
    "batch_size", None, "Images per step. Default: of the preset.", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_float(
    "learning_rate",
    None,
    "Peak learning rate of Adam; it falls to 0 along a cosine. Default: of the preset.",
    lower_bound=1e-12,
    flag_values=FLAGS,
)
seed.define(FLAGS, text="Decides initial weights, order of the data and all draws.")
flags.DEFINE_string(
    "out", None, "Folder of the run. Default: runs/PRESET-LEARNER.", flag_values=FLAGS
)
flags.DEFINE_multi_string(
    "option",
    [],
    "name=value, an argument of the learner such as free_bits=0 or estimator=straight_through; may "
    "be repeated. Default: of the preset.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "resume",
    False,
    "Go on with the interrupted run in --out, with the settings it was started with.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "epoch_steps",
    None,
    "Steps between two lines of metrics, which are also the points from which a run is resumed. "
    "Default: a twentieth of --steps, at most 500.",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "limiting_steps",
    100,
    "Alternations of encoder and decoder behind limiting.png.",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "steps_per_execution",
    None,
    "Steps per call of the compiled step; more is faster. Default: of the preset, as far as it "
    "divides --steps and --epoch_steps.",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA.", flag_values=FLAGS)
flags.DEFINE_enum(
    "verbose",
    "auto",
    ["auto", "0", "1", "2"],
    "0 silent, 1 progress bar, 2 one line per epoch. Default: the bar in a terminal, else lines.",
    flag_values=FLAGS,
)

HELD_OUT = 2000  # images: enough for a curve, and cheap after every epoch


def main(asked: flags.FlagValues) -> None:
    """Trains, and writes everything about the run."""
    values = {name: asked[name].value for name in settings.FLAGS}
    game = asked.learner or next(iter(PRESETS[asked.preset].recipes))
    run = Run(asked.out or f"runs/{asked.preset}-{game}")
    if asked.resume:
        given = {name: value for name, value in values.items() if asked[name].present}
        former = run.settings
        chosen = settings.resolve({**values, **former["flags"], **given}, former=former)
        settings.check_same(chosen, former=former)
    else:
        run.check_new()
        chosen = settings.resolve(values)
    # Data that do not fit are refused before there is a folder.
    data = settings.data(chosen)
    batches = data.batches(
        batch_size=chosen["batch_size"],
        labelled_batch_size=chosen["labelled_batch_size"],
        seed=chosen["seed"],
    )
    held_out = data.held_out(limit=HELD_OUT)
    learner = settings.learner(chosen)
    if chosen["start"] and not run.begun:
        start.begin(learner, chosen["start"])
    with run.locked():
        if not asked.resume:
            run.begin(chosen)
        _train(run, learner, batches, held_out, chosen=chosen, asked=asked)


def _train(
    run: Run,
    learner: Learner,
    batches: Any,
    held_out: Mapping[str, np.ndarray],
    *,
    chosen: settings.Settings,
    asked: flags.FlagValues,
) -> None:
    """Trains, says what is done, and writes what came of it."""
    verbose = int(asked.verbose) if asked.verbose != "auto" else 1 if sys.stdout.isatty() else 2
    tell = print if verbose else (lambda message: None)
    tell(
        f"{chosen['preset']}, {chosen['learner']} learning: {chosen['steps']} steps of "
        f"{batches.batch_size} out of {batches.size} images of {chosen['data']}, in {run.folder}"
    )
    if not run.train(learner, batches, held_out, settings=chosen, verbose=verbose):
        tell(
            "All steps of this run were done; its model, report and pictures are written anew. For "
            f"more, begin a new run from it: --start={run.folder} with another --out."
        )
    run.save(learner)
    run.draw(learner, held_out, limiting_steps=asked.limiting_steps, seed=chosen["seed"])
    others = {"limiting_steps": asked.limiting_steps, "out": str(run.folder)}
    report = run.report({**chosen, **others})
    loss = report["metrics"]["val_loss"]
    tell(
        f"Trained for {report['seconds']:.0f} s, {report['steps_per_second']:.0f} steps per second."
        f" Held-out loss: {loss['last']:.2f} nats per image.\n"
        f"Look at {run.folder}/samples.png, limiting.png, reconstructions.png and curves.png, or "
        f"run: tensorboard --logdir {run.folder}/tensorboard"
    )


COMMAND = Command(
    name="train",
    summary="Trains a preset of the zoo; everything about the run goes into one folder.",
    examples=(
        "--preset=fashion_mnist_ladder --learner=elbo --out=runs/fashion",
        "--out=runs/fashion --resume",
    ),
    flags=FLAGS,
    common=(
        "preset",
        "learner",
        "data",
        "steps",
        "batch_size",
        "learning_rate",
        "labels_per_class",
        "seed",
        "out",
        "resume",
    ),
    main=main,
    go_on="go on by --resume with the same --out",
)
