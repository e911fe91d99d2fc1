"""Tests of the house: who imports whom, what is abstract or final, and that importing is quiet."""

import ast
import graphlib
import importlib
import inspect
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
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LONG = 250  # lines: a longer file is one class and nothing else


def named(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    """Returns the modules of this repository that a file imports, as paths."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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
    table = GUIDE.split("| room | holds |")[1].split("\n\n")[0]
    return [
        (row, room)
        for row, line in enumerate(table.splitlines()[2:])
        for room in re.findall(r"`([^`]+)`", line.split("|")[1])
    ]


def room_of(path):
    """Returns (row, room) that a path lies in, the longest that fits, or None."""
    fitting = [(row, room) for row, room in rooms() if path.startswith(room)]
    return max(fitting, key=lambda each: len(each[1]), default=None)


def is_front_door(path):
    return path.name == "__init__.py"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_files_import_only_from_their_row_or_above(path):
    if is_front_door(path):
        pytest.skip("a front door opens on every room behind it")
    room = room_of(named(path))
    assert room is not None, f"{named(path)} has no room in the table of CONTRIBUTING.md"
    for other in imports(path):
        if other == "keras_symvae/":  # the front doors themselves
            assert not named(path).startswith("keras_symvae/")
        elif other == "zoo/":
            assert room[0] > room_of("zoo/presets/")[0]
        else:
            found = room_of(other)
            assert found is not None and found[0] <= room[0], f"imports {other}"


def test_no_two_rooms_import_each_other():
    """The arrows between rooms have no circle, also within a row."""
    arrows = {room: set() for _, room in rooms()}
    for path in FILES:
        if is_front_door(path):
            continue
        room = room_of(named(path))[1]
        others = (room_of(other) for other in imports(path))
        arrows[room] |= {other[1] for other in others if other is not None} - {room}
    assert list(graphlib.TopologicalSorter(arrows).static_order())


def test_the_library_never_imports_the_zoo_and_architectures_never_import_a_learner():
    for path in LIBRARY:
        others = imports(path)
        if named(path).startswith("keras_symvae/"):
            assert all(other.startswith("keras_symvae/") for other in others), path
        elif not is_front_door(path) and not named(path).startswith(("zoo/runs/", "zoo/cli/")):
            assert not any("learners" in other or "runs" in other for other in others), path


@pytest.mark.parametrize("path", FILES, ids=named)
def test_files_are_one_noun_and_say_which(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    public = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_")
    ]
    if len(text.splitlines()) > LONG:
        assert sum(isinstance(node, ast.ClassDef) for node in tree.body) == 1, public
    assert path.stem not in ("utils", "util", "helpers", "misc", "common")
    docstring = ast.get_docstring(tree)
    assert docstring, "no docstring"
    first = docstring.split("\n\n")[0]
    assert first.endswith("."), "the docstring is no sentence"


@pytest.mark.parametrize("path", LIBRARY, ids=named)
def test_public_classes_and_functions_are_explained(path):
    kinds = (ast.ClassDef, ast.FunctionDef)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("path", LIBRARY, ids=named)
def test_public_signatures_are_typed(path):
    for name, function in signatures(ast.parse(path.read_text(encoding="utf-8"))):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
        bare = [a.arg for a in every if a.annotation is None and a.arg not in ("self", "cls")]
        assert not bare, f"{name}: {bare}"
        assert function.returns is not None or function.name == "__init__", f"{name} returns what?"


def signatures(tree):
    """Yields (name, function) of the public functions, constructors and methods of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and (
                    part.name == "__init__" or not part.name.startswith("_")
                ):
                    yield f"{node.name}.{part.name}", part


def classes():
    """Yields every class of the library and the zoo."""
    for path in LIBRARY:
        name = named(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if name.endswith("__main__"):
            continue
        for part in vars(importlib.import_module(name)).values():
            if inspect.isclass(part) and part.__module__ == name:
                yield part


def finished(kind):
    """Returns {name} of the methods and properties that a class fills in itself."""
    behaviour = (property, classmethod, staticmethod)
    return {
        name
        for name, part in vars(kind).items()
        if (inspect.isfunction(part) or isinstance(part, behaviour))
        and not getattr(part, "__isabstractmethod__", False)
        and not (name.startswith("__") and name.endswith("__"))
    }


def test_nobody_overrides_a_finished_method():
    """Abstract or final: one class declares a method, one fills it in."""
    overridden = [
        f"{kind.__qualname__}.{name} of {parent.__qualname__}"
        for kind in classes()
        for parent in kind.__mro__[1:]
        if parent.__module__.split(".")[0] in OWN
        for name in sorted(finished(kind) & finished(parent))
    ]
    assert not overridden


def reached(path):
    """Returns the files that a file imports, directly or through others."""
    found, waiting = set(), [path]
    while waiting:
        for other in imports(ROOT / waiting.pop()):
            other = other if other.endswith(".py") else f"{other}__init__.py"
            if other not in found and (ROOT / other).is_file():
                found.add(other)
                waiting.append(other)
    return found


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
        timeout=300,
        env=environment,
        cwd=ROOT,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
