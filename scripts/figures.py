"""Makes the figures of docs/results: of runs that were trained, or of an experiment of its own.

python -m scripts.figures --runs='runs/fashion/*' --name=fashion_mnist
python -m scripts.figures --experiment=cooperation --data=fashion_mnist --seeds=0,1
"""

import glob
import pathlib
import sys

if not __package__:  # started as a file, whose folder Python puts in front of all packages
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from absl import flags

from scripts.experiments.comparison import Comparison
from scripts.experiments.cooperation.experiment import Cooperation
from scripts.experiments.eight_schools.experiment import EightSchools
from scripts.experiments.four_points.experiment import FourPoints
from scripts.experiments.gaussian_fits.experiment import GaussianFits
from scripts.experiments.image_learners.experiment import ImageLearners
from scripts.experiments.plane_mixtures.experiment import PlaneMixtures
from scripts.experiments.primal_dual.experiment import PrimalDual
from scripts.experiments.sampled_priors.experiment import SampledPriors
from scripts.experiments.segmentation.experiment import SilhouetteMaps
from scripts.experiments.semi_supervised.experiment import SemiSupervised
from zoo.cli.command import Command
from zoo.runs import report as reports

KINDS = (
    Cooperation,
    EightSchools,
    FourPoints,
    GaussianFits,
    ImageLearners,
    PlaneMixtures,
    PrimalDual,
    SampledPriors,
    SemiSupervised,
    SilhouetteMaps,
)
EXPERIMENTS = {kind.name: kind for kind in KINDS}

FLAGS = flags.FlagValues()
flags.DEFINE_enum(
    "experiment",
    None,
    sorted(EXPERIMENTS),
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
flags.DEFINE_string(
    "name", None, "Name of the figures: NAME.md, NAME.json and NAME.png.", flag_values=FLAGS
)
flags.DEFINE_string("out", "docs/results", "Folder to write to.", flag_values=FLAGS)
flags.DEFINE_string(
    "features", "runs", "Folder that keeps the classifiers behind the distances.", flag_values=FLAGS
)
flags.DEFINE_integer(
    "n", 2000, "Chains, and held-out images to compare with.", lower_bound=2, flag_values=FLAGS
)
flags.DEFINE_integer("seed", 0, "Seed of the chains.", lower_bound=0, flag_values=FLAGS)


def main(asked: flags.FlagValues) -> None:
    """Makes the figures."""
    if asked.experiment:
        chosen = EXPERIMENTS[asked.experiment]
        folder = asked.runs or f"runs/{asked.experiment}"
        seeds = [int(seed) for seed in asked.seeds]
        print(chosen(folder, data=asked.data or chosen.usual, seeds=seeds).make(asked.out), end="")
        return
    if not asked.runs or not asked.name:
        raise ValueError("say which --runs and give the figures a --name, or an --experiment")
    folders = [path for path in sorted(glob.glob(asked.runs)) if pathlib.Path(path).is_dir()]
    if not folders:
        raise FileNotFoundError(f"--runs={asked.runs} matches no folder")
    out, features = pathlib.Path(asked.out), pathlib.Path(asked.features)
    comparison = Comparison(folders, n=asked.n, seed=asked.seed, features=features)
    for run in comparison.runs:
        rows = comparison.chain(run)["rows"]
        shown = {row["steps"]: round(row["distance"], 2) for row in rows}
        print(f"{run.folder.name}: distance after alternations {shown}", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{asked.name}.md").write_text(comparison.table(), encoding="utf-8")
    reports.write(out / f"{asked.name}.json", comparison.provenance())
    comparison.picture(out / f"{asked.name}.png")
    print(comparison.table(), end="")


COMMAND = Command(
    name="figures",
    summary="Makes figures: of runs that were trained, or of an experiment of its own.",
    examples=(
        "--runs='runs/fashion/*' --name=fashion_mnist",
        "--experiment=cooperation --data=fashion_mnist --seeds=0,1",
    ),
    flags=FLAGS,
    common=("experiment", "data", "seeds", "runs", "name", "out"),
    main=main,
)

if __name__ == "__main__":
    COMMAND.run(sys.argv[1:], call="python -m scripts.figures")
