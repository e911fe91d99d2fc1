"""The index: pages quote tables, and the overview takes their first paragraphs."""

import pytest

from scripts.experiments import index

PAGE = """# Squares

**Question.** What is 2 x 2? See [the rule](rule.md).

**Result.** 4.

<!-- table.md 2 -->
old
<!-- end -->
"""
TABLES = "| n |\n| - |\n| 2 |\n\n| m |\n| - |\n| 3 |\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    folder = tmp_path / "squares"
    folder.mkdir()
    (folder / "README.md").write_text(PAGE)
    (folder / "table.md").write_text(TABLES)
    (folder / "results.json").write_text("{}")
    monkeypatch.setattr(index, "ROOM", tmp_path)
    monkeypatch.setattr(index, "OVERVIEW", tmp_path / "overview.md")
    return tmp_path


def test_stale_pages_are_renewed_once(room):
    page = room / "squares" / "README.md"
    assert index.renew() == [page, room / "overview.md"]
    assert page.read_text().endswith("<!-- table.md 2 -->\n\n| m |\n| - |\n| 3 |\n\n<!-- end -->\n")
    assert index.renew() == []
    (room / "squares" / "table.md").write_text(TABLES.replace("3", "5"))
    assert index.renew() == [page] and "| 5 |" in page.read_text()


def test_a_page_quotes_all_tables_of_a_file(room):
    quoted = index.quoted("<!-- table.md -->\n<!-- end -->\n", folder=room / "squares")
    assert quoted == f"<!-- table.md -->\n\n{TABLES}\n<!-- end -->\n"


def test_the_overview_has_question_and_result_with_links_from_its_own_folder(room):
    index.renew()
    text = (room / "overview.md").read_text()
    assert "## Squares\n\n**Question.** What is 2 x 2?" in text and "**Result.** 4." in text
    assert "[the rule](../../scripts/experiments/squares/rule.md)" in text
    assert "| m |" not in text


@pytest.mark.parametrize(("was", "error"), [("**Question.**", "Question"), ("**Result.**", "Resu")])
def test_a_page_without_question_or_result_is_refused(room, was, error):
    (room / "squares" / "README.md").write_text(PAGE.replace(was, "So."))
    with pytest.raises(ValueError, match=error):
        index.overview()
