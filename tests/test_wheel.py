"""The wheel: what it holds, and that its commands run far from any checkout."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile

import numpy as np
import pytest
from PIL import Image

import keras_symvae

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "keras_symvae", "zoo")
DATA = ("datasets/files", "trained/weights")
WHERE = """
import importlib.util
for name in ("keras_symvae", "zoo"):
    print(importlib.util.find_spec(name).origin)
"""


def called(*command, cwd=None):
    """Runs a program, offline, and returns what it printed."""
    nowhere = "http://127.0.0.1:9"
    environment = {**os.environ, "http_proxy": nowhere, "https_proxy": nowhere}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built from a copy, which keeps the checkout clean."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "source" / name)
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    called(sys.executable, "-m", "pip", "wheel", *flags, "-w", folder, folder / "source")
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """The programs of a fresh environment: the wheel, and the packages that it asks for."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = pathlib.Path(sysconfig.get_path("purelib", scheme="venv", vars=paths))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    programs = pathlib.Path(sysconfig.get_path("scripts", scheme="venv", vars=paths))
    flags = ("--quiet", "--no-deps", "--no-index", "--ignore-installed")
    pip = (sys.executable, "-m", "pip", "--python", programs / "python")
    called(*pip, "install", *flags, wheel)
    return programs


def test_a_wheel_holds_both_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    packages = [path for name in ("keras_symvae", "zoo") for path in (ROOT / name).rglob("*.py")]
    data = [path for part in DATA for path in (ROOT / "zoo" / part).rglob("*") if path.is_file()]
    assert names == {
        "keras_symvae/py.typed",
        *(path.relative_to(ROOT).as_posix() for path in packages + data),
    }
    assert wheel.name.startswith(f"keras_symvae-{keras_symvae.__version__}-py3")


@pytest.mark.slow  # an environment and three processes
def test_three_commands_run_in_an_empty_folder(programs, tmp_path):
    found = called(programs / "python", "-c", WHERE, cwd=tmp_path).splitlines()
    assert all(pathlib.Path(path).is_relative_to(programs.parent) for path in found)
    program = programs / "keras-symvae"
    printed = called(
        program, "train", "--preset=digits_ladder", "--steps=20", "--out=r", cwd=tmp_path
    )
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert "20 steps of 256" in printed
    assert report["versions"]["keras_symvae"] == keras_symvae.__version__
    shipped = "--model=fashion_mnist_reverse"
    called(program, "sample", shipped, "--n=4", "--out=g.png", cwd=tmp_path)
    with Image.open(tmp_path / "g.png") as picture:
        assert np.asarray(picture).std() > 1 and picture.size == (2 * 60 + 4, 2 * 60 + 4)
    called(program, "export", "--model=r/model.keras", "--out=sm", cwd=tmp_path)
    assert (tmp_path / "sm" / "saved_model.pb").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"r", "g.png", "sm"}
