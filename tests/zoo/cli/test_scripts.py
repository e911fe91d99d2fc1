"""The commands on the embedded digits; a few are processes, as users start them from a checkout.

A process takes seconds to import TensorFlow, so that one is started only where a test asks what a
process does: end by a signal, print nothing but its own words, find its packages.
"""

import contextlib
import dataclasses
import errno
import io
import json
import math
import os
import pathlib
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_symvae as sv
import zoo
from keras_symvae import lock
from keras_symvae.learners import LEARNERS
from scripts import figures
from zoo.cli import evaluate, export, sample, train
from zoo.cli.out import new_file
from zoo.runs import model_file, portraits, settings
from zoo.runs import report as reports
from zoo.runs import run as runs

ROOT = pathlib.Path(__file__).parents[3]
# A rest that is shorter than an epoch is part of what has to be resumed.
TINY = ("--preset=digits_ladder", "--steps=50", "--epoch_steps=4", "--batch_size=16")
EPOCHS = 13
PICTURES = (*portraits.OF_PAIR, "curves.png")
FLAGS = {
    train.COMMAND: (
        "preset learner data labels_per_class masks ignore classes prior start binarize steps "
        "batch_size learning_rate option seed out [no]resume epoch_steps limiting_steps "
        "steps_per_execution [no]jit_compile verbose"
    ),
    evaluate.COMMAND: (
        "run model data binarize classes n seed [no]distances extractor output limiting_steps "
        "[no]log_likelihood num_samples [no]annealed [no]information [no]consistency out"
    ),
    sample.COMMAND: "model out n steps output seed",
    export.COMMAND: "model out output",
}


STARTED = []


@pytest.fixture(autouse=True)
def _none_is_left_running():
    yield
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.communicate()
    STARTED.clear()


def start(script, *flags, cwd=ROOT):
    """Starts a script as a user does, whose environment silences nothing."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    how = ["-m", f"scripts.{script}"] if cwd == ROOT else [str(ROOT / "scripts" / f"{script}.py")]
    process = subprocess.Popen(
        [sys.executable, *how, *map(str, flags)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def end(process, *, code=0):
    """Returns what a script printed, which is all to stdout, or to stderr if it refused."""
    out, error = process.communicate(timeout=120)
    assert process.returncode == code, error
    assert "Traceback" not in error
    if code == 0:
        assert error == ""
        return out
    return error


def called(command, *flags, cwd=ROOT):
    """Runs a command in this process; returns what it printed, which is all to stdout."""
    out, error = io.StringIO(), io.StringIO()
    redirected = contextlib.redirect_stdout(out), contextlib.redirect_stderr(error)
    with contextlib.chdir(cwd), redirected[0], redirected[1]:
        command(*map(str, flags))
    assert error.getvalue() == ""
    return out.getvalue()


def ended(command, *flags, code):
    """Returns what a command printed to stdout and to stderr before it ended with this code."""
    out, error = io.StringIO(), io.StringIO()
    redirected = contextlib.redirect_stdout(out), contextlib.redirect_stderr(error)
    with redirected[0], redirected[1], pytest.raises(SystemExit) as end:
        command.run(list(map(str, flags)), call=f"keras-symvae {command.name}")
    assert end.value.code == code, error.getvalue()
    return out.getvalue(), error.getvalue()


# They share trainings that are processes of their own; in one process, tests/test_walk.py trains.
in_processes = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run beside one that was killed, in processes that ran at the same time."""
    folder = tmp_path_factory.mktemp("runs")
    whole = start("train", *TINY, "--out=whole", cwd=folder)
    broken = start("train", *TINY, f"--out={folder / 'broken'}")
    log = sv.callbacks.MetricsLog(folder / "broken" / "metrics.jsonl")
    while len(log.records()) < 5 and broken.poll() is None:
        time.sleep(0.01)
    broken.send_signal(signal.SIGKILL)
    broken.communicate()
    assert broken.returncode == -signal.SIGKILL
    assert not (folder / "broken" / "model.keras").exists()
    (folder / "printed").write_text(end(whole))
    return folder


@pytest.fixture(scope="module")
def answers(folder):
    """What the commands made of the finished run."""
    model = f"--model={folder / 'whole' / 'model.keras'}"
    process = start("sample", model, "--n=20", f"--out={folder / 'samples.png'}")
    few = ("--n=7", "--steps=5", "--output=sample", "--out=x.npz")
    return {
        "arrays": called(sample.COMMAND, model, *few, cwd=folder),
        "export": called(export.COMMAND, model, f"--out={folder / 'saved_model'}"),
        "resume": called(train.COMMAND, "--resume", "--out=whole", cwd=folder),
        "picture": end(process),
    }


@in_processes
def test_training_fills_its_folder(folder):
    run = folder / "whole"
    assert {path.name for path in run.iterdir()} == {*runs.FILES, *PICTURES}
    for name in PICTURES:
        picture = _picture(run / name)
        assert min(picture.shape[:2]) > 400
        assert picture.std() > 1
    assert re.findall(r"Epoch (\d+)/13", (folder / "printed").read_text()) == [
        str(epoch) for epoch in range(1, EPOCHS + 1)
    ]


@in_processes
def test_every_epoch_is_a_line_of_metrics(folder):
    lines = (folder / "whole" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["step"] for record in records] == [*range(4, 50, 4), 50]
    names = {"loss", "decoder/x", "encoder/z1", "val_loss", "val_decoder/x", "information/z1"}
    assert all(names <= record["metrics"].keys() for record in records)
    assert records[-1]["metrics"]["val_decoder/x"] < records[0]["metrics"]["val_decoder/x"]


@in_processes
def test_the_report_holds_last_and_best_of_every_metric(folder):
    report = json.loads((folder / "whole" / "report.json").read_text())
    records = sv.callbacks.MetricsLog(folder / "whole" / "metrics.jsonl").records()
    assert report.keys() == {"metrics", "settings", "versions", "seconds", "steps_per_second"}
    assert report["metrics"].keys() == records[-1]["metrics"].keys()
    for name, found in report["metrics"].items():
        values = [record["metrics"][name] for record in records]
        grows = name.startswith("information/") or name.endswith(("iw_bound", "ess"))
        best = max(values) if grows else min(values)
        assert found == {"last": values[-1], "best": best}
    assert report["settings"]["flags"].keys() == set(settings.FLAGS)
    assert report["settings"]["learning_rate"].keys() == {"decoder", "encoder"}
    assert report["versions"]["keras"] == keras.__version__
    assert report["seconds"] == records[-1]["seconds"]


@in_processes
def test_tensorboard_gets_numbers_and_pictures(folder):
    from tensorflow.core.util import event_pb2

    tags = set()
    for path in (folder / "whole" / "tensorboard").rglob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            tags |= {value.tag for value in event.summary.value}
    assert tags >= {"epoch_loss", "epoch_information/z1", "samples/x", "reconstructions/x"}


@in_processes
def test_a_killed_run_ends_as_if_nothing_had_happened(folder):
    called(train.COMMAND, "--resume", f"--out={folder / 'broken'}")
    whole, broken = folder / "whole", folder / "broken"
    for one, other in zip(*(_weights(run) for run in (whole, broken)), strict=True):
        np.testing.assert_array_equal(one, other)
    first, second = (sv.callbacks.MetricsLog(run / "metrics.jsonl") for run in (whole, broken))
    seconds = [record.pop("seconds") for record in second.records()]
    assert seconds == sorted(seconds)
    assert [{**record, "seconds": 0} for record in first.records()] == [
        {**record, "seconds": 0} for record in second.records()
    ]
    for name in PICTURES:
        np.testing.assert_array_equal(_picture(whole / name), _picture(broken / name))


def _picture(path):
    with Image.open(path) as image:
        return np.asarray(image)


def _weights(run):
    learner = keras.saving.load_model(run / "model.keras")
    return [*learner.get_weights(), *(v.numpy() for v in learner.optimizer.variables)]


@in_processes
def test_a_finished_run_is_told_to_be_finished(folder, answers):
    assert "All steps of this run were done" in answers["resume"]
    assert len(sv.callbacks.MetricsLog(folder / "whole" / "metrics.jsonl").records()) == EPOCHS


@in_processes
def test_samples_as_picture_and_as_arrays(folder, answers):
    assert _picture(folder / "samples.png").shape == (4 * 60 + 4, 5 * 60 + 4)
    with np.load(folder / "x.npz") as values:
        assert {name: values[name].shape for name in values} == {
            "x": (7, 8, 8, 1),
            "z0": (7, 10),
            "z1": (7, 40),
        }
        assert set(np.unique(values["x"])) <= {0.0, 1.0}


@in_processes
def test_an_export_answers_as_the_model_does(folder, answers):
    loaded = tf.saved_model.load(str(folder / "saved_model"))
    found = loaded.signatures["generate"](n=tf.constant(3), seed=tf.constant(5))
    learner = keras.saving.load_model(folder / "whole" / "model.keras")
    np.testing.assert_array_equal(found["x"], learner.generate(3, seed=5)["x"])


@in_processes
def test_evaluation_measures_all_it_is_asked_for(folder):
    flags = ("--distances", "--log_likelihood", "--information", "--consistency", "--n=100")
    few = ("--num_samples=5", "--limiting_steps=3", f"--out={folder / 'found.json'}")
    printed = json.loads(called(evaluate.COMMAND, f"--run={folder / 'whole'}", *flags, *few))
    assert printed == json.loads((folder / "found.json").read_text())
    report = json.loads((folder / "whole" / "report.json").read_text())
    for name, value in printed["metrics"].items():
        # The last epoch saw the same held-out data and drew the same latents.
        assert math.isclose(value, report["metrics"][f"val_{name}"]["last"], rel_tol=1e-5)
    distances = printed["distances"]
    assert distances["one_shot"]["extractor"].startswith("classifier-")
    assert distances["training"]["frechet"] < distances["one_shot"]["frechet"]
    assert distances["limiting"]["num_generated"] == 100
    assert printed["log_likelihood"]["num_samples"] == 5
    bits = -printed["log_likelihood"]["mean"] / (64 * np.log(2))
    assert printed["log_likelihood"]["bits_per_dim"] == pytest.approx(bits)
    assert len(printed["information"]["z1"]["per_element"]) == 40
    assert [row["steps"] for row in printed["consistency"]] == [0, 0, 1, 1, 3, 3]
    assert printed["settings"]["data"] == "digits"


def test_own_data_train_another_learner(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
    np.savez(tmp_path / "own.npz", x=x)
    flags = ("--preset=digits_ladder", "--learner=elbo", "--data=own.npz", "--binarize=dynamic")
    more = ("--steps=4", "--steps_per_execution=2", "--verbose=0", "--option=free_bits=0.5")
    more += ("--learning_rate=0.002",)
    assert called(train.COMMAND, *flags, *more, cwd=tmp_path) == ""
    run = tmp_path / "runs" / "digits_ladder-elbo"
    report = json.loads((run / "report.json").read_text())
    assert report["settings"]["data"] == str(tmp_path / "own.npz")
    assert report["settings"]["preparation"]["binarize"] == "dynamic"
    assert set(report["settings"]["learning_rate"].values()) == {0.002}
    learner = keras.saving.load_model(run / "model.keras")
    assert isinstance(learner, sv.ELBO)
    assert learner.free_bits == 0.5


@pytest.mark.parametrize("command", FLAGS, ids=lambda command: command.name)
def test_help_explains_every_flag(command):
    lines = ended(command, "--help", code=0)[0].splitlines()
    found = [line for line in lines if line.startswith("  --")]
    assert {line.split(":")[0].strip(" -") for line in found} == set(FLAGS[command].split())
    assert all(line.partition(":")[2].strip() for line in found)


@in_processes
def test_what_cannot_be_is_refused_in_a_line(folder):
    whole, held = folder / "whole", (folder / "whole" / "metrics.jsonl").read_text()
    refused = {
        (f"--out={whole}",): "--resume, or choose another --out",
        (f"--out={folder / 'new'}", "--learner=magic"): f"<{'|'.join(sorted(LEARNERS))}>",
    }
    for flags, message in refused.items():
        out, error = ended(train.COMMAND, *flags, code=1)
        assert out == "" and message in error
        assert error.startswith("keras-symvae train: ")
        assert len(error.splitlines()) <= 2
    assert (whole / "metrics.jsonl").read_text() == held
    assert not (folder / "new").exists()


def test_an_interrupted_command_says_how_to_go_on(monkeypatch):
    def interrupted(flags):
        raise KeyboardInterrupt

    command = dataclasses.replace(train.COMMAND, main=interrupted)
    assert ended(command, code=130)[1] == (
        "keras-symvae train: interrupted; go on by --resume with the same --out\n"
    )


def stopped(error):
    """A command that ends with this error, or by this signal."""

    def main(flags):
        if isinstance(error, signal.Signals):
            os.kill(os.getpid(), error)
            time.sleep(10)
        error.add_note("The state after epoch 3 is kept in runs/x/backup.")
        raise error

    return dataclasses.replace(train.COMMAND, main=main)


KEPT = "The state after epoch 3 is kept in runs/x/backup."
GO_ON = "go on by --resume with the same --out"
STOPPED = {
    "Ctrl-C": (KeyboardInterrupt(), 130, f"interrupted; {GO_ON}. {KEPT}"),
    "SIGTERM": (signal.SIGTERM, 143, f"terminated; {GO_ON}"),
    "full disk": (
        OSError(errno.ENOSPC, "No space left on device", "runs/x"),
        1,
        f"[Errno 28] No space left on device: 'runs/x'; {GO_ON}. {KEPT}",
    ),
    "another fault": (ValueError("Something else."), 1, f"Something else. {KEPT}"),
}


@pytest.mark.parametrize("how", STOPPED)
def test_a_stopped_command_says_in_one_line_what_is_kept_and_how_to_go_on(how):
    error, code, told = STOPPED[how]
    former = signal.getsignal(signal.SIGTERM)
    assert ended(stopped(error), code=code)[1] == f"keras-symvae train: {told}\n"
    assert signal.getsignal(signal.SIGTERM) is former


@pytest.mark.filterwarnings("default")
def test_a_command_tells_a_warning_in_one_line():
    def main(flags):
        warnings.warn("epoch-000002.weights.h5 is damaged", stacklevel=1)

    _, error = ended(dataclasses.replace(train.COMMAND, main=main), code=None)
    assert error == "keras-symvae train: epoch-000002.weights.h5 is damaged\n"


def test_the_folder_of_a_living_run_is_refused(tmp_path):
    flags = (*TINY, f"--out={tmp_path}")
    with lock.locked(tmp_path), pytest.raises(BlockingIOError, match=f"{tmp_path} is in use"):
        called(train.COMMAND, *flags)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["train", "sample", "evaluate", "export", "figures", "ship"])
def test_a_script_is_its_command_and_is_called_by_its_own_name(name, monkeypatch, capsys):
    script = str(ROOT / "scripts" / f"{name}.py")
    monkeypatch.setattr(sys, "path", [*sys.path])  # which a script that is a file extends
    for flags, code in (("--help", 0), ("--steps=many", 1)):
        monkeypatch.setattr(sys, "argv", [script, flags])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(script, run_name="__main__")
        assert end.value.code == code
    out, error = capsys.readouterr()
    assert out.startswith(f"python -m scripts.{name}: ") and f"scripts.{name} --" in out
    assert error.startswith(f"{name}: ") and error.count("\n") == 1


REFUSED = {
    "neither run nor model": (evaluate, (), "either --run=FOLDER or --model=FILE"),
    "run and model": (evaluate, ("--run=r", "--model=m"), "either --run=FOLDER or --model=FILE"),
    "annealed": (evaluate, ("--run=r", "--annealed"), "is a way to --log_likelihood"),
    "no json": (evaluate, ("--run=r", "--out=x.txt"), r"--out ends in \.json"),
    "many images": (
        sample,
        ("--model=m", "--out=x.png", "--n=101"),
        "at most 100 images, not --n=101; write a .npz",
    ),
    "no runs": (figures, (), "say which --runs and give the figures a --name, or an --experiment"),
    "runs without name": (figures, ("--runs=x",), "say which --runs and give the figures a --name"),
    "no such runs": (figures, ("--runs=x*", "--name=y"), r"--runs=x\* matches no folder"),
    "full folder": (export, ("--model=m", "--out=."), r"--out=\. exists and is not empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_flags_that_cannot_be_are_refused(name, tmp_path):
    command, flags, message = REFUSED[name]
    (tmp_path / "full").mkdir()
    with pytest.raises((ValueError, OSError), match=message):
        called(command.COMMAND, *flags, cwd=tmp_path)


def test_a_shipped_model_is_called_by_its_name(tmp_path):
    model = "--model=fashion_mnist_gaussian"
    called(sample.COMMAND, model, "--n=2", "--out=x.npz", cwd=tmp_path)
    with np.load(tmp_path / "x.npz") as values:
        assert values["x"].shape == (2, 28, 28, 1)
    np.savez(tmp_path / "some.npz", x=np.zeros((40, 28, 28), np.uint8))
    called(evaluate.COMMAND, model, "--data=some.npz", cwd=tmp_path)
    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert report["settings"]["model"] == "fashion_mnist_gaussian"
    start = _asked(preset="fashion_mnist_gaussian", start="fashion_mnist_gaussian")["start"]
    assert pathlib.Path(start).is_relative_to(pathlib.Path(zoo.__file__).parent)


@in_processes
def test_a_model_outside_of_a_run_needs_data(folder, tmp_path):
    shutil.copy(folder / "whole" / "model.keras", tmp_path)
    with pytest.raises(ValueError, match="on which --data"):
        called(evaluate.COMMAND, f"--model={tmp_path / 'model.keras'}")


# What the commands then tell as above.


def _asked(**changes):
    flags = dict.fromkeys(settings.FLAGS)
    flags |= {"preset": "digits_ladder", "learner": "symmetric", "seed": 0, "jit_compile": False}
    return settings.resolve({**flags, "steps_per_execution": 1, **changes})


def test_images_of_another_shape_are_refused_with_both_shapes(tmp_path):
    np.savez(tmp_path / "wide.npz", x=np.zeros((10, 9, 8), np.uint8))
    data = settings.data(_asked(data=str(tmp_path / "wide.npz")))
    pattern = r"wide.npz.* are \(9, 8, 1\), but preset 'digits_ladder' takes \(8, 8, 1\)"
    with pytest.raises(ValueError, match=pattern):
        data.batches(batch_size=2, seed=0)


def test_a_resumed_run_keeps_its_settings():
    former = _asked(steps=50)
    settings.check_same(_asked(steps=50), former=former)
    with pytest.raises(ValueError, match=r"steps was 50 and is now 60.*--start=RUN"):
        settings.check_same(_asked(steps=60), former=former)
    with pytest.raises(FileNotFoundError, match="holds no run"):
        _ = runs.Run("nowhere").settings


@pytest.mark.parametrize("option", ["free_bits", "seed=1"])
def test_options_that_are_none_are_refused(option):
    with pytest.raises(ValueError, match=f"--option.*{option}"):
        _asked(option=[option])


@pytest.mark.parametrize("changes", [{"steps": 50}, {"steps": 80, "epoch_steps": 10}])
def test_steps_that_no_execution_can_make_are_refused(changes):
    with pytest.raises(ValueError, match="--steps_per_execution=4 does not divide"):
        _asked(steps_per_execution=4, **changes)


def test_gray_pixels_are_never_flipped():
    asked = _asked(preset="mnist_ladder_paper", binarize="none")
    assert settings.data(asked).preparation.flip == 0.0


def test_files_that_are_no_models_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model file"):
        model_file.load(tmp_path / "model.keras")
    (tmp_path / "model.keras").write_text("weights")
    with pytest.raises(ValueError, match=r"no \.keras file"):
        model_file.load(tmp_path / "model.keras")
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="holds a Sequential"):
        model_file.load(tmp_path / "other.keras")
    with pytest.raises(ValueError, match=r"\.png or \.npz"):
        new_file(tmp_path / "x.jpg", suffixes=(".png", ".npz"))


def test_a_report_says_null_where_there_is_no_number(tmp_path):
    content = {"a": [math.nan, np.float32(2.0)], "b": {"c": math.inf, "d": np.int64(3)}}
    text = reports.write(tmp_path / "report.json", content)
    assert json.loads(text) == {"a": [None, 2.0], "b": {"c": None, "d": 3}}
    records = [
        {
            "step": step,
            "seconds": 1.0 * step,
            "metrics": {"loss": loss, "information/z0": 1.0 * step},
        }
        for step, loss in ((1, 3.0), (2, None), (3, 2.0), (4, None))
    ]
    report = reports.of_training(records, settings={})
    assert report["metrics"]["loss"] == {"last": None, "best": 2.0}
    assert report["metrics"]["information/z0"] == {"last": 4.0, "best": 4.0}
    assert report["steps_per_second"] == 1.0
