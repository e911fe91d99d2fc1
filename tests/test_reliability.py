"""The table of docs/reliability.md names tests that there are, and nothing in it went wrong."""

import ast
import re

import pytest

from tests import reliability

SITUATIONS = [(situation, tests) for _, situation, tests in reliability.rows()]


def functions(path):
    """Returns the names of all tests of a file."""
    tree = ast.parse((reliability.ROOT / path).read_text(encoding="utf-8"))
    return [f"{path}::{each.name}" for each in tree.body if isinstance(each, ast.FunctionDef)]


@pytest.mark.parametrize(("situation", "tests"), SITUATIONS, ids=[name for name, _ in SITUATIONS])
def test_a_situation_has_tests(situation, tests):
    for test in tests:
        function = test.partition("[")[0]
        assert reliability.chosen(functions(test.partition("::")[0]), [function]), test


def test_the_page_has_every_situation_and_none_is_wrong():
    page = reliability.PAGE.read_text(encoding="utf-8").partition(reliability.BEGIN)[2]
    found = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \| (.+) \|$", page, re.M)
    named = [", ".join(f"`{t.removeprefix('tests/')}`" for t in tests) for _, tests in SITUATIONS]
    assert [row[0] for row in found] == [name for name, _ in SITUATIONS]
    assert [row[3] for row in found] == named
    for situation, tries, wrong, _ in found:
        assert int(tries) > 0 and int(wrong) == 0, situation


def test_a_pattern_is_a_star_alone():
    names = ["f::a[x 1]", "f::a[y]", "f::ab[x]", "f::b"]
    assert reliability.chosen(names, ["f::a"]) == {"f::a[x 1]", "f::a[y]"}
    assert reliability.chosen(names, ["f::a[x*"]) == {"f::a[x 1]"}
    assert reliability.chosen(names, ["f::a*"]) == {"f::a[x 1]", "f::a[y]", "f::ab[x]"}
