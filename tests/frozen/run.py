"""Freezes a run of `scripts.train`: interrupted after its first epoch, and to its end.

    python -m tests.frozen.run 0.1.0

writes tests/frozen/0.1.0/run.zip: settings.json, metrics.jsonl and backup/ after one epoch of two,
and whole.jsonl, the metrics of the same run without interruption. Its preset is small.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

FOLDER = pathlib.Path(__file__).parent
PRESET = """
import sys
from zoo import PRESETS, Preset
usual = PRESETS["digits_ladder"]
small = {"image_shape": (8, 8, 1), "latents": (2, 3), "width": 4}
PRESETS["frozen"] = Preset(**{**vars(usual), "architecture": small, "steps": 8})
"""
STOP = """
from keras_symvae import Backup
saved = Backup.on_epoch_end
def stop(self, epoch, logs=None):
    saved(self, epoch, logs)
    raise KeyboardInterrupt
Backup.on_epoch_end = stop
"""
START = """
import runpy
sys.argv[0] = "train.py"
runpy.run_module("scripts.train", run_name="__main__")
"""
FLAGS = ("--preset=frozen", "--batch_size=64", "--epoch_steps=4", "--steps_per_execution=2")


def train(out, *flags, interrupted=False):
    """Runs `scripts.train` in a process of its own; returns what it printed."""
    code = PRESET + (STOP if interrupted else "") + START
    done = subprocess.run(
        [sys.executable, "-c", code, f"--out={out}", "--limiting_steps=2", *flags],
        check=False,
        capture_output=True,
        text=True,
        cwd=FOLDER.parents[1],
    )
    assert done.returncode == (130 if interrupted else 0), done.stderr
    return done.stdout


def write(version):
    """Trains both runs and packs what a resumed run needs."""
    folder = FOLDER / version
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        half, whole = pathlib.Path(scratch) / "half", pathlib.Path(scratch) / "whole"
        train(half, *FLAGS, interrupted=True)
        train(whole, *FLAGS)
        shutil.copy(whole / "metrics.jsonl", half / "whole.jsonl")
        with zipfile.ZipFile(folder / "run.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(half.rglob("*")):
                if path.is_file() and "tensorboard" not in path.parts:
                    archive.write(path, path.relative_to(half))


if __name__ == "__main__":
    write(sys.argv[1])
