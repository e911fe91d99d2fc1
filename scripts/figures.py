"""Makes the figures of experiments, of runs that were trained, and the index of all results.

python -m scripts.figures --experiment=cooperation --data=fashion_mnist --seeds=0,1
python -m scripts.figures --runs='runs/fashion/*' --name=chains_fashion_mnist
python -m scripts.figures --index
"""

import glob
import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from absl import flags

from scripts.experiments import catalogue, comparison, index
from scripts.experiments.place import Place
from zoo.cli import commands
from zoo.runs import report as reports

flags.DEFINE_enum(
    "experiment", None, catalogue.names(), "What to train and measure. Default: compare --runs."
)
flags.DEFINE_string(
    "runs",
    None,
    "Folders of runs, a pattern such as 'runs/fashion/*'; of an experiment the one folder that "
    "keeps its trainings, by default runs/EXPERIMENT.",
)
flags.DEFINE_string("data", None, "Of an experiment, as in scripts.train.")
flags.DEFINE_list("seeds", ["0"], "Of an experiment: every setting is trained with each.")
flags.DEFINE_string("name", None, "Name of the figures of --runs.")
flags.DEFINE_string(
    "out",
    None,
    "Folder to write NAME.md, NAME.json and NAME.png to. Default: table.md, results.json and "
    "picture.png in scripts/experiments/NAME.",
)
flags.DEFINE_string("features", "runs", "Folder that keeps the classifiers behind the distances.")
flags.DEFINE_integer("n", 2000, "Chains, and held-out images to compare with.", lower_bound=2)
flags.DEFINE_integer("seed", 0, "Seed of the chains.", lower_bound=0)
flags.DEFINE_bool("index", False, "Only renew tables in pages, and docs/results/README.md.")
FLAGS = flags.FLAGS


def main() -> None:
    """Does what the flags say."""
    if FLAGS.index:
        for path in index.renew():
            print(path)
        return
    if FLAGS.experiment:
        chosen = catalogue.get(FLAGS.experiment)
        folder = FLAGS.runs or f"runs/{FLAGS.experiment}"
        seeds = [int(seed) for seed in FLAGS.seeds]
        print(chosen(folder, data=FLAGS.data or chosen.usual, seeds=seeds).make(FLAGS.out), end="")
        return
    if not FLAGS.runs or not FLAGS.name:
        raise ValueError("say which --runs and give the figures a --name, or an --experiment")
    folders = [path for path in sorted(glob.glob(FLAGS.runs)) if pathlib.Path(path).is_dir()]
    if not folders:
        raise FileNotFoundError(f"--runs={FLAGS.runs} matches no folder")
    compared = comparison.Comparison(folders, n=FLAGS.n, seed=FLAGS.seed, features=FLAGS.features)
    for run in compared.runs:
        rows = compared.chain(run)["rows"]
        shown = {row["steps"]: round(row["distance"], 2) for row in rows}
        print(f"{run.folder.name}: distance after alternations {shown}", flush=True)
    place = Place(FLAGS.name, FLAGS.out)
    place.folder.mkdir(parents=True, exist_ok=True)
    results = compared.results()
    place.table.write_text(comparison.table(results), encoding="utf-8")
    reports.write(place.results, results)
    compared.picture(place.picture())
    print(comparison.table(results), end="")


if __name__ == "__main__":
    commands.run(main)
