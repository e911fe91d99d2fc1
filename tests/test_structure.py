"""Tests of the house: who imports whom, how long a file is, and that importing is quiet."""

import ast
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
LIBRARY = sorted([*ROOT.glob("keras_symvae/**/*.py"), *ROOT.glob("zoo/**/*.py")])
FILES = LIBRARY + sorted([*ROOT.glob("scripts/**/*.py"), *ROOT.glob("benchmarks/**/*.py")])
OWN = ("keras_symvae", "zoo", "scripts", "benchmarks", "tests")


def named(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    """Returns the modules of this repository that a file imports, as paths."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from package import name` names a module, or something inside of the package.
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {module for name in found if (module := located(name))}


def located(name):
    """Returns the path of the file, or else of the package, that a dotted name lies in."""
    parts = name.split(".")
    if parts[0] not in OWN:
        return None
    for end in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:end])
        if path.with_suffix(".py").exists():
            return named(path.with_suffix(".py"))
        if path.is_dir():
            return named(path) + "/"
    return None


def rooms():
    """Returns [(row, room)] of the table in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.split("| room | holds |")[1].split("\n\n")[0]
    found = []
    for row, line in enumerate(table.splitlines()[2:]):
        for room in re.findall(r"`([^`]+)`", line.split("|")[1]):
            found.append((row, room if (ROOT / room).exists() else f"keras_symvae/{room}"))
    return found


def row_of(path):
    """Returns the row that a path lies in, or None."""
    return next((row for row, room in rooms() if path.startswith(room)), None)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_files_import_only_from_their_row_or_above(path):
    if path.name == "__init__.py" and path.parent.name in OWN:
        pytest.skip("a front door opens on every room")
    row = row_of(named(path))
    assert row is not None, f"{named(path)} has no room in the table of CONTRIBUTING.md"
    for other in imports(path):
        if other == "keras_symvae/":  # the front door itself
            assert not named(path).startswith("keras_symvae/")
        else:
            assert row_of(other) is not None and row_of(other) <= row, f"imports {other}"


def test_the_library_never_imports_the_zoo_and_the_zoo_never_imports_a_learner():
    for path in LIBRARY:
        others = imports(path)
        if named(path).startswith("keras_symvae/"):
            assert all(other.startswith("keras_symvae/") for other in others), path
        else:
            allowed = {other for other in others if other.startswith("zoo/")}
            allowed |= {other for other in others if row_of(other) is not None}
            assert others == allowed, path
            assert not any("learners" in other for other in others), path


@pytest.mark.parametrize("path", FILES, ids=named)
def test_files_are_short_and_say_what_they_are(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    assert path.stem not in ("utils", "util", "helpers", "misc", "common")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "no docstring"
    first = docstring.split("\n\n")[0]
    assert first.endswith("."), "the docstring is no sentence"


@pytest.mark.parametrize("path", LIBRARY, ids=named)
def test_public_classes_and_functions_are_explained(path):
    kinds = (ast.ClassDef, ast.FunctionDef)
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


QUIET = """
import sys, keras_symvae
missing = [name for name in keras_symvae.__all__ if not hasattr(keras_symvae, name)]
foreign = {"zoo", "scripts", "tensorflow_datasets"} & set(sys.modules)
if missing or foreign:
    print(missing, foreign)
"""


def test_importing_is_quiet_and_complete():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    result = subprocess.run(
        [sys.executable, "-W", "default::UserWarning", "-c", QUIET],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        cwd=ROOT,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
