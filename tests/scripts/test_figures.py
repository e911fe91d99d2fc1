"""Figures: runs become a table, numbers with their provenance, and a picture."""

import json

import pytest
from PIL import Image

from keras_symvae import Backup
from scripts import figures
from scripts.experiments import comparison
from zoo.runs import settings
from zoo.runs.run import Run

FLAGS = dict.fromkeys(settings.FLAGS) | {
    "preset": "digits_ladder",
    "steps": 20,
    "epoch_steps": 10,
    "steps_per_execution": 1,
    "jit_compile": False,
}


def run(folder, **flags):
    chosen = settings.resolve({**FLAGS, **flags})
    data, learner, made = settings.data(chosen), settings.learner(chosen), Run(folder)
    made.begin(chosen)
    batches = data.batches(batch_size=64, seed=chosen["seed"])
    made.train(learner, batches, data.held_out(limit=50), settings=chosen, verbose=0)
    made.save(learner)
    made.report(chosen)
    return folder


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    runs = [run(folder / f"symmetric-{seed}", learner="symmetric", seed=seed) for seed in (0, 1)]
    runs.append(run(folder / "plain", learner="elbo", option=["free_bits=0"], seed=0))
    return comparison.Comparison(
        runs, n=60, seed=0, features=folder, steps=(0, 1, 2), explained=(20, 10)
    )


@pytest.mark.slow  # three runs are trained
def test_seeds_are_averaged_and_options_named(compared):
    table = comparison.table(compared.results()).splitlines()
    assert len(table) == 4 and all(line.count("|") == table[0].count("|") for line in table)
    assert "| symmetric | 0, 1 | 20 |" in table[2] and table[2].count("±") == 7
    assert "| elbo free_bits=0 | 0 | 20 |" in table[3]
    kept = json.loads((compared.runs[-1].folder / "chain.json").read_text())
    assert [row["steps"] for row in kept["rows"]] == [0, 0, 1, 1, 2, 2]
    assert f"{kept['rows'][0]['distance']:.2f}" in table[3]


@pytest.mark.slow  # three runs are trained
def test_provenance_names_what_the_numbers_depend_on(compared):
    found = compared.results()
    assert found["n"] == 60 and found["seed"] == 0
    assert found["extractor"][0].startswith("classifier-")
    assert found["training_images_to_held_out"] < found["runs"]["plain"]["chain"][0]["distance"]
    assert found["runs"]["plain"]["settings"]["options"] == {"free_bits": 0}


@pytest.mark.slow  # three runs are trained
def test_rows_of_other_runs_can_be_kept(compared):
    former = {**compared.results(), "extractor": ["another"], "versions": {"keras": "3.0"}}
    longer = former["runs"].pop("symmetric-1")
    former["runs"] = {"older": {**longer, "settings": {**longer["settings"], "steps": 30}}}
    del former["runs"]["older"]["versions"]
    found = compared.results(former)
    assert set(found["runs"]) == {"older", "symmetric-0", "symmetric-1", "plain"}
    assert found["runs"]["older"]["versions"] == {"keras": "3.0"} != found["versions"]
    assert "another" in found["extractor"]
    table = comparison.table(found)
    assert "| symmetric | 0, 1 | 20 |" in table and "| symmetric | 1 | 30 |" in table
    with pytest.raises(ValueError, match="have n=7 and seed=0, these have 60 and 0; give the same"):
        compared.results({**former, "n": 7})


@pytest.mark.slow  # three runs are trained
def test_a_chain_is_measured_once(compared, monkeypatch):
    first = compared.chain(compared.runs[0])
    monkeypatch.setattr(comparison.model_file, "load", None)
    assert compared.chain(compared.runs[0]) == json.loads(json.dumps(first))


@pytest.mark.slow  # three runs are trained
def test_the_picture_shows_two_rows_for_each_group(compared, tmp_path):
    compared.picture(tmp_path / "rows.png")
    with Image.open(tmp_path / "rows.png") as picture:
        width, height = picture.size
    assert width > height > 200


@pytest.mark.slow  # three runs are trained
def test_backups_of_runs_are_where_users_look(compared):
    assert (compared.runs[0].folder / "backup").is_dir()
    assert (
        Backup(compared.runs[0].folder / "backup").restore(
            settings.learner(compared.runs[0].settings)
        )
        == 2
    )


@pytest.mark.slow  # three runs are trained
def test_a_run_keeps_the_cost_that_its_table_shows(compared):
    found = compared.results()
    report = compared.runs[0].last_report()["metrics"]["val_decoder/x"]
    assert found["runs"]["symmetric-0"]["decoder/x"] == report["last"]
    for run in found["runs"].values():
        del run["decoder/x"]
    quoted = {"digits_ladder symmetric": "1.00 ± 0.10", "digits_ladder elbo free_bits=0": "2.00"}
    table = comparison.table({**found, "quoted": {"decoder/x": quoted}}).splitlines()
    assert "| 1.00 ± 0.10 |" in table[2] and "| 2.00 |" in table[3]


def test_figures_of_nothing_are_refused():
    for arguments in (["--runs=nowhere/*"], ["--name=chains"]):
        with pytest.raises(ValueError, match="say which --runs and give the figures a --name, or"):
            figures.COMMAND(*arguments)
    with pytest.raises(FileNotFoundError, match=r"--runs=nowhere/\* matches no folder"):
        figures.COMMAND("--runs=nowhere/*", "--name=chains")
