"""The programs of docs run."""

import pathlib
import re

import pytest

DOCS = pathlib.Path(__file__).parents[1] / "docs"
PAGES = [page.name for page in sorted(DOCS.glob("*.md")) if "```python" in page.read_text()]


@pytest.mark.parametrize("name", PAGES)
def test_the_programs_of_a_page_run_one_after_another(name):
    programs = re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.S)
    exec("\n".join(programs), {"__name__": name})
