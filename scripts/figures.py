"""Makes the figures of docs/results from folders of runs.

python -m scripts.figures --runs='runs/fashion/*' --name=fashion_mnist
"""

import glob
import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from absl import flags

from scripts import commands, reports
from scripts.comparison import Comparison

flags.DEFINE_string("runs", None, "Folders of runs, a pattern such as 'runs/fashion/*'.")
flags.DEFINE_string("name", None, "Name of the figures: NAME.md, NAME.json and NAME.png.")
flags.DEFINE_string("out", "docs/results", "Folder to write to.")
flags.DEFINE_string("features", "runs", "Folder that keeps the classifiers behind the distances.")
flags.DEFINE_integer("n", 2000, "Chains, and held-out images to compare with.", lower_bound=2)
flags.DEFINE_integer("seed", 0, "Seed of the chains.", lower_bound=0)
FLAGS = flags.FLAGS


def main():
    if not FLAGS.runs or not FLAGS.name:
        raise ValueError("say which --runs and give the figures a --name")
    folders = [path for path in sorted(glob.glob(FLAGS.runs)) if pathlib.Path(path).is_dir()]
    if not folders:
        raise FileNotFoundError(f"--runs={FLAGS.runs} matches no folder")
    out, features = pathlib.Path(FLAGS.out), pathlib.Path(FLAGS.features)
    comparison = Comparison(folders, n=FLAGS.n, seed=FLAGS.seed, features=features)
    for run in comparison.runs:
        rows = comparison.chain(run)["rows"]
        shown = {row["steps"]: round(row["distance"], 2) for row in rows}
        print(f"{run.folder.name}: distance after alternations {shown}", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{FLAGS.name}.md").write_text(comparison.table(), encoding="utf-8")
    reports.write(out / f"{FLAGS.name}.json", comparison.provenance())
    comparison.picture(out / f"{FLAGS.name}.png")
    print(comparison.table(), end="")


if __name__ == "__main__":
    commands.run(main)
