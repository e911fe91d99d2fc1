"""A new learner, made step by step as CONTRIBUTING.md says, in a copy of the house."""

import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## A learner, step by step")[1]
STEP = re.compile(r"^\d\. .*?`([\w/]+\.py)`.*?```python\n(.*?)```", re.MULTILINE | re.DOTALL)


def steps():
    """Returns [(file, lines to add to it)] of the page."""
    page = PAGE.split("\n## ")[0]
    return [(file, textwrap.dedent(code)) for file, code in STEP.findall(page)]


def test_a_learner_touches_three_files():
    files = [file for file, _ in steps()]
    assert files == [
        "keras_symvae/learners/weighted.py",
        "tests/cases.py",
        "zoo/presets/recipes.py",
    ]
    assert [(ROOT / file).exists() for file in files] == [False, True, True]


@pytest.mark.slow  # processes of a copy: they import TensorFlow anew and train
def test_the_steps_of_the_page_make_a_learner_that_trains(tmp_path):
    for part in ("keras_symvae", "zoo", "scripts", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "frozen", "experiments")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    for part in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / part, tmp_path / part)
    for file, code in steps():
        with (tmp_path / file).open("a", encoding="utf-8") as target:
            target.write(f"\n\n{code}" if target.tell() else code)

    def run(*arguments):
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    tests = ["tests/learners/test_base.py", "tests/zoo/presets/test_presets.py"]
    chosen = "weighted or every_learner_that_can_play or holds_every_learner"
    out = run("pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *tests)
    assert "failed" not in out and "passed" in out
    flags = ("--preset=digits_ladder", "--learner=weighted", "--steps=20", "--epoch_steps=10")
    out = run("scripts.train", *flags, "--limiting_steps=1", f"--out={tmp_path / 'run'}")
    assert "weighted learning: 20 steps" in out
    assert (tmp_path / "run" / "model.keras").is_file()
