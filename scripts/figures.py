"""Makes the figures of experiments, of runs that were trained, and the index of all results.

python -m scripts.figures --experiment=cooperation --data=fashion_mnist --seeds=0,1
python -m scripts.figures --runs='runs/fashion/*' --name=chains_fashion_mnist
python -m scripts.figures --index
"""

import glob
import json
import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from absl import flags

from scripts.experiments import catalogue, comparison, index
from scripts.experiments.place import Place
from zoo.cli.command import Command
from zoo.runs import report as reports

FLAGS = flags.FlagValues()
flags.DEFINE_enum(
    "experiment",
    None,
    catalogue.names(),
    "What to train and measure. Default: compare --runs.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "runs",
    None,
    "Folders of runs, a pattern such as 'runs/fashion/*'; of an experiment the one folder that "
    "keeps its trainings, by default runs/EXPERIMENT.",
    flag_values=FLAGS,
)
flags.DEFINE_string("data", None, "Of an experiment, as in scripts.train.", flag_values=FLAGS)
flags.DEFINE_list(
    "seeds", ["0"], "Of an experiment: every setting is trained with each.", flag_values=FLAGS
)
flags.DEFINE_string("name", None, "Name of the figures of --runs.", flag_values=FLAGS)
flags.DEFINE_string(
    "out",
    None,
    "Folder to write NAME.md, NAME.json and NAME.png to. Default: table.md, results.json and "
    "picture.png in scripts/experiments/NAME.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "features", "runs", "Folder that keeps the classifiers behind the distances.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "n", 2000, "Chains, and held-out images to compare with.", lower_bound=2, flag_values=FLAGS
)
flags.DEFINE_integer("seed", 0, "Seed of the chains.", lower_bound=0, flag_values=FLAGS)
flags.DEFINE_bool(
    "keep",
    False,
    "Of --runs: keep what results.json says of other runs, whose folders may be gone.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "index", False, "Only renew tables in pages, and docs/results/README.md.", flag_values=FLAGS
)


def main(asked: flags.FlagValues) -> None:
    """Does what the flags say."""
    if asked.index:
        for path in index.renew():
            print(path)
        return
    if asked.experiment:
        chosen = catalogue.get(asked.experiment)
        folder = asked.runs or f"runs/{asked.experiment}"
        seeds = [int(seed) for seed in asked.seeds]
        print(chosen(folder, data=asked.data or chosen.usual, seeds=seeds).make(asked.out), end="")
        return
    if not asked.runs or not asked.name:
        raise ValueError("say which --runs and give the figures a --name, or an --experiment")
    folders = [path for path in sorted(glob.glob(asked.runs)) if pathlib.Path(path).is_dir()]
    if not folders:
        raise FileNotFoundError(f"--runs={asked.runs} matches no folder")
    place = Place(asked.name, asked.out)
    former = json.loads(place.results.read_text(encoding="utf-8")) if asked.keep else None
    compared = comparison.Comparison(folders, n=asked.n, seed=asked.seed, features=asked.features)
    for run in compared.runs:
        rows = compared.chain(run)["rows"]
        shown = {row["steps"]: round(row["distance"], 2) for row in rows}
        print(f"{run.folder.name}: distance after alternations {shown}", flush=True)
    place.folder.mkdir(parents=True, exist_ok=True)
    results = compared.results(former)
    place.table.write_text(comparison.table(results), encoding="utf-8")
    reports.write(place.results, results)
    compared.picture(place.picture())
    print(comparison.table(results), end="")


COMMAND = Command(
    name="figures",
    summary="Makes the figures of experiments or of trained runs, and the index of results.",
    examples=(
        "--experiment=cooperation --data=fashion_mnist --seeds=0,1",
        "--runs='runs/fashion/*' --name=chains_fashion_mnist",
    ),
    flags=FLAGS,
    common=("experiment", "data", "seeds", "runs", "name", "out", "index"),
    main=main,
)

if __name__ == "__main__":
    COMMAND.run(sys.argv[1:], call="python -m scripts.figures")
