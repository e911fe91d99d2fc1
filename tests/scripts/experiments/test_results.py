"""The published results: configurations, tables, pages and the README agree with the numbers."""

import json
import re

import pytest

from scripts.experiments import catalogue, comparison, index
from scripts.experiments.place import ROOM, Place

COMPARED = ("chains_digits", "chains_fashion_mnist", "chains_gaussian")
WAITING = {"celeb_a_mask_hq"}  # for data that nobody here may have
FOLDERS = sorted(path.parent.name for path in ROOM.glob("*/results.json"))
# Tables of README.md that hold no results.
DESCRIPTIONS = ("| learner | game | encoder | prior | draws with gradients | critic |",)


def results_of(name):
    return json.loads(Place(name).results.read_text())


def experiment_of(name):
    """The experiment of the published table, with the data and seeds of its results."""
    kind, settings = catalogue.get(name), [r["settings"] for r in results_of(name).values()]
    (data,) = {each.get("data", kind.usual) for each in settings}
    return kind("nowhere", data=data, seeds=sorted({each["seed"] for each in settings}))


def tables_of(text):
    """Every table of a page, as rows of cells; the line of dashes is left out."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    rows = [[line.strip("|").split("|") for line in table.splitlines()] for table in found]
    return [[[cell.strip() for cell in row] for row in [t[0], *t[2:]]] for t in rows]


def test_every_experiment_has_results_and_all_others_are_comparisons():
    assert {*FOLDERS, *WAITING} == {*catalogue.names(), *COMPARED}
    assert not WAITING & {*FOLDERS}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_holds_text_table_numbers_and_picture(name):
    kept = {path.name for path in (ROOM / name).iterdir()}
    assert {"README.md", "table.md", "results.json", "picture.png"} <= kept
    if name not in COMPARED:
        assert {"__init__.py", "config.py", "experiment.py"} <= kept


@pytest.mark.parametrize("name", sorted({*catalogue.names()} - WAITING))
def test_finished_trainings_are_recognised(name):
    """The configuration has the settings under which the published results were trained."""
    stored = {label: result["settings"] for label, result in results_of(name).items()}
    assert experiment_of(name).all_settings() == stored


@pytest.mark.parametrize("name", FOLDERS)
def test_tables_are_those_of_the_numbers(name):
    results = results_of(name)
    made = comparison.table(results) if name in COMPARED else experiment_of(name).table(results)
    assert Place(name).table.read_text() == made


PAPER = "symmetric draws=1"  # the game of the paper is shown beside the usual recipes


@pytest.mark.parametrize("name", FOLDERS)
def test_pages_quote_their_whole_table_and_no_other(name):
    page = (ROOM / name / "README.md").read_text()
    assert tables_of(page) == tables_of(Place(name).table.read_text())


def test_pages_and_overview_are_up_to_date():
    """Otherwise: python -m scripts.figures --index."""
    for path, text in index.renewed().items():
        assert path.read_text() == text, path


def test_the_overview_shows_the_picture_of_every_folder():
    text = index.OVERVIEW.read_text()
    for name in FOLDERS:
        assert f"(../../scripts/experiments/{name}/picture.png)" in text
        assert f"(../../scripts/experiments/{name}/README.md)" in text
    assert tables_of(text) == []


def test_the_readme_has_the_distances_of_the_numbers():
    text = (index.ROOT / "README.md").read_text()
    rows = {}
    for name in COMPARED:
        heads, *cells = tables_of(Place(name).table.read_text())[0]
        for row in cells:
            found = dict(zip(heads, row, strict=True))
            rows[found["preset"], found["learner"]] = found["one-shot"], found["after 1000"]
    (heads, *cells) = next(t for t in tables_of(text) if "command" in t[0])
    assert "one-shot" in heads[3] and heads[4] == "after 1,000 alternations"
    shown = [[cell.strip("*`") for cell in row] for row in cells]
    expected = {(preset, name) for preset, name in rows if "=" not in name or name == PAPER}
    assert {tuple(row[:2]) for row in shown} == expected
    for preset, learner, _, *distances, _ in shown:
        assert tuple(distances) == rows[preset, learner]
    known = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    others = {t for t in DESCRIPTIONS if t in known}
    assert others == set(DESCRIPTIONS) and len(tables_of(text)) == 1 + len(DESCRIPTIONS)


PAGES = [index.ROOT / "README.md", index.OVERVIEW, *index.pages()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_pages_link_to_files_that_exist(page):
    links = re.findall(r"\]\(([^()#\s]+)(?:#[^()\s]*)?\)", page.read_text())
    assert links
    for link in links:
        assert link.startswith("http") or (page.parent / link).exists(), link
