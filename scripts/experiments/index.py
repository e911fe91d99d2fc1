"""The index of results: pages that quote tables, and the overview of all experiments."""

import pathlib
import re

from scripts.experiments.place import ROOM

ROOT = ROOM.parents[1]
OVERVIEW = ROOT / "docs" / "results" / "README.md"
# <!-- table.md --> quotes all tables of that file, <!-- table.md 2 --> its second one.
BLOCK = re.compile(r"(<!-- (?P<path>\S+\.md)(?: (?P<part>\d+))? -->\n).*?(<!-- end -->\n)", re.S)
INTRODUCTION = """# Results

Made by `python -m scripts.figures --index` from the pages of the experiments: change those. Each
folder of [scripts/experiments](../../scripts/experiments) holds an experiment's code,
configuration, text, table, numbers and pictures; `results.json` has the settings and library
versions of every training. How long a training step takes stands in
[benchmarks](../../benchmarks/train_step.md), what was tried on the way in
[recipes](../recipes.md).
"""


def pages() -> list[pathlib.Path]:
    """Returns the README.md of every folder of results."""
    return sorted(path.parent / "README.md" for path in ROOM.glob("*/results.json"))


def quoted(text: str, *, folder: pathlib.Path) -> str:
    """Returns a page with the tables that it quotes as they are now.

    Args:
        text: of the page.
        folder: of the page, from which it names the files of its tables.
    """

    def block(match: re.Match[str]) -> str:
        tables = (folder / match["path"]).read_text(encoding="utf-8").strip().split("\n\n")
        if match["part"]:
            tables = [tables[int(match["part"]) - 1]]
        return f"{match[1]}\n{chr(10).join(f'{table}{chr(10)}' for table in tables)}\n{match[4]}"

    return BLOCK.sub(block, text)


def overview() -> str:
    """Returns the text of docs/results/README.md: title, question, result and picture of each."""
    parts = [INTRODUCTION]
    for page in pages():
        title, question, result, *_ = page.read_text(encoding="utf-8").split("\n\n")
        if not (title.startswith("# ") and question.startswith("**Question.**")):
            raise ValueError(f"{page} has to begin with a # title and a **Question.** paragraph.")
        if not result.startswith("**Result.**"):
            raise ValueError(f"{page} has to say its **Result.** after the question.")
        where = f"../../scripts/experiments/{page.parent.name}"
        text = "\n\n".join([f"#{title}", question, result])
        parts.append(
            f"{_moved(text, where)}\n\n![{title[2:]}]({where}/picture.png)\n\n"
            f"Table, details and how to run it: [{page.parent.name}]({where}/README.md).\n"
        )
    return "\n".join(parts)


def renewed() -> dict[pathlib.Path, str]:
    """Returns {page: what it should say}."""
    found = {page: quoted(page.read_text(encoding="utf-8"), folder=page.parent) for page in pages()}
    return {**found, OVERVIEW: overview()}


def renew() -> list[pathlib.Path]:
    """Writes the pages that are not up to date, and returns their paths."""
    stale = [
        (page, text)
        for page, text in renewed().items()
        if not page.is_file() or page.read_text(encoding="utf-8") != text
    ]
    for page, text in stale:
        page.write_text(text, encoding="utf-8")
    return [page for page, _ in stale]


def _moved(text: str, where: str) -> str:
    """Links to neighbours of a page start from docs/results instead."""
    return re.sub(r"\]\((?!https?:|#)([^)]+)\)", rf"]({where}/\1)", text)
