"""Run folders of strangers: settings, reports, metrics and links that lead elsewhere."""

import dataclasses
import json
import os
import shutil

import pytest
import tensorflow as tf

from keras_symvae import callbacks, files, lock
from tests.security import watch
from zoo.cli import evaluate, train
from zoo.runs import settings_file
from zoo.runs.run import Run

TINY = ("--preset=digits_ladder", "--steps=2", "--epoch_steps=1", "--batch_size=8")
TINY += ("--limiting_steps=1", "--verbose=0")
DEEP = b'{"flags": ' * 5_000 + b"1" + b"}" * 5_000


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An honest run that is finished."""
    folder = tmp_path_factory.mktemp("honest") / "run"
    train.COMMAND(*TINY, f"--out={folder}")
    return folder


@pytest.fixture
def run(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def resumed(run):
    with watch.over(run, memory=300):
        return watch.refused(train.COMMAND, f"--out={run}", "--resume", "--verbose=0")


def changed(run, *path, value):
    """Writes another value to a place of the settings."""
    content = json.loads((run / "settings.json").read_text())
    part = content
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    (run / "settings.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b"null", b"\xff\xfe\x00", DEEP, b"9" * 10_000, b"{}", b'{"a": NaN}'],
    ids=lambda content: ascii(content[:8]),
)
def test_settings_that_are_no_json_are_refused(content, run):
    (run / "settings.json").write_bytes(content)
    message = resumed(run)
    assert str(run / "settings.json") in message and len(message) < 600
    with watch.over(run, memory=300):
        if content not in (b"{}", b'{"a": NaN}'):
            assert "settings.json" in watch.refused(evaluate.COMMAND, f"--run={run}")


WRONG = [None, 1, -1, 0, 2**70, 1e400, "text", "\ud800", "a\0b", [], [1], {}, {"a": {"b": 1}}, True]


@pytest.mark.parametrize("value", WRONG, ids=ascii)
def test_values_of_other_kinds_are_refused(value, run):
    honest = json.loads((run / "settings.json").read_text())
    for name in settings_file.NEEDED:
        (run / "settings.json").write_text(json.dumps({**honest, name: value}))
        try:
            read = Run(run).settings
        except ValueError as error:
            assert "settings.json" in str(error) and "\n" not in str(error)
        else:
            assert type(read[name]) is type(honest[name]) or isinstance(value, (int, float))
    for name in honest["flags"]:
        flags = {**honest["flags"], name: value}
        (run / "settings.json").write_text(json.dumps({**honest, "flags": flags}))
        try:
            assert Run(run).settings["flags"][name] == value
        except ValueError as error:
            assert "settings.json" in str(error) and "\n" not in str(error)


HOSTILE = {
    "another preset": (("flags", "preset"), "nothing"),
    "another learner": (("flags", "learner"), "os.system"),
    "huge": (("flags", "steps"), 10**30),
    "huge batch": (("flags", "batch_size"), 2**40),
    "negative seed": (("flags", "seed"), -1),
    "data that climb out": (("flags", "data"), "../../../../../../etc"),
    "data of another": (("flags", "data"), "huggingface:evil/set"),
    "data in a text": (("flags", "data"), "/etc/passwd"),
    "nul": (("flags", "data"), "a\0b"),
    "half a character": (("flags", "data"), "\ud800"),
    "prior": (("flags", "prior"), "/etc/passwd"),
    "lines": (("flags", "data"), "a\nTraceb\x1b[2Jack"),
    "options": (("options",), {"nonsense": 1}),
    "huge option": (("options",), {"draws": 10**30}),
    "text as option": (("options",), {"draws": "__import__('os')"}),
    "rates of nobody": (("learning_rate",), {"evil": 1.0}),
    "negative rate": (("learning_rate",), {"decoder": -1.0, "encoder": 1.0}),
    "endless momentum": (("beta_1",), 1e300),
    "preparation": (("preparation",), {"binarize": "threshold", "evil": 1}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_settings_are_refused_in_one_line(name, run):
    place, value = HOSTILE[name]
    changed(run, *place, value=value)
    before = sorted(path.relative_to(run) for path in run.rglob("*"))
    assert len(resumed(run)) < 1500
    assert sorted(path.relative_to(run) for path in run.rglob("*")) == before


def test_out_is_never_taken_from_a_file(run, tmp_path):
    changed(run, "flags", "out", value=str(tmp_path / "elsewhere"))
    changed(run, "out", value="../elsewhere")
    with watch.over(run):
        train.COMMAND(f"--out={run}", "--resume", "--verbose=0", "--limiting_steps=1")
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"metrics": {}}',
        b'{"epoch": 1, "step": 1, "seconds": "long", "metrics": {}}',
        b'{"epoch": 1, "step": 1, "seconds": 1, "metrics": {"loss": "x"}}',
        b'{"epoch": 1, "step": 1, "seconds": 1e999, "metrics": {}}',
        b'{"epoch": true, "step": 1, "seconds": 1, "metrics": {}}',
        b'{"epoch": 1, "step": 1, "seconds": 1, "metrics": [{}]}}',
        b'[{"metrics": {}}',
        b"\xff}}",
        b'{"a":' * 5000 + b"{}" + b"}" * 5000,
        b'{"epoch": 1, "step": 1' + b"0" * 400 + b', "seconds": 1, "metrics": {"a": 1}}',
    ],
    ids=lambda line: ascii(line[-30:]),
)
def test_metrics_of_another_kind_are_refused(line, run):
    (run / "metrics.jsonl").write_bytes(line + b"\n")
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 1, is damaged") as refused:
        callbacks.MetricsLog(run / "metrics.jsonl").records()
    assert "\n" not in str(refused.value)
    message = watch.refused(train.COMMAND, f"--out={run}", *TINY)
    assert str(run / "metrics.jsonl") in message


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", DEEP], ids=lambda content: ascii(content[:8])
)
def test_reports_of_another_kind_are_refused(content, run):
    (run / "report.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"report\.json is damaged"):
        Run(run).last_report()


@pytest.mark.parametrize("name", ["settings.json", "metrics.jsonl", "model.keras", "lock"])
def test_pipes_are_not_waited_for(name, run):
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    with watch.over(run):
        watch.refused(evaluate.COMMAND, f"--run={run}", "--data=nothing")
    if name == "settings.json":
        assert "holds no run" in resumed(run)


def test_links_in_the_folder_are_replaced_and_not_followed(run, tmp_path):
    """Whoever hands over a run cannot have its reader write over other files."""
    secret = tmp_path / "secret"
    secret.write_text("precious")
    for path in [path for path in run.iterdir() if path.is_file()]:
        if path.name not in ("settings.json", "metrics.jsonl", "lock"):
            path.unlink()
            path.symlink_to(secret)
        (run / f"unfinished-{path.name}").symlink_to(secret)
    (run / "unfinished-reconstructions.png").unlink()
    (run / "unfinished-reconstructions.png").symlink_to(tmp_path / "new")
    train.COMMAND(f"--out={run}", "--resume", "--verbose=0", "--limiting_steps=1")
    assert secret.read_text() == "precious" and not (tmp_path / "new").exists()
    for name in ("model.keras", "report.json", "samples.png", "limiting.png", "curves.png"):
        assert (run / name).is_file() and not (run / name).is_symlink()
    evaluation = run / "evaluation.json"
    evaluation.symlink_to(secret)
    evaluate.COMMAND(f"--run={run}", "--n=4")
    assert secret.read_text() == "precious" and not evaluation.is_symlink()


@pytest.mark.parametrize("name", ["backup", "tensorboard"])
def test_folders_that_are_links_are_refused(name, run, tmp_path):
    shutil.move(run / name, tmp_path / "elsewhere")
    (run / name).symlink_to(tmp_path / "elsewhere")
    before = sorted((tmp_path / "elsewhere").rglob("*"))
    assert f"{run / name} is a link" in resumed(run)
    assert sorted((tmp_path / "elsewhere").rglob("*")) == before


def test_a_link_in_place_of_the_lock_empties_nothing(run, tmp_path):
    (tmp_path / "secret").write_text("precious")
    (run / "lock").unlink(missing_ok=True)
    (run / "lock").symlink_to(tmp_path / "secret")
    assert f"{run / 'lock'} is a link" in resumed(run)
    with pytest.raises(OSError, match="is a link"), lock.locked(run):
        pass
    assert (tmp_path / "secret").read_text() == "precious"


def test_a_file_that_fails_leaves_the_link_as_it_was(tmp_path):
    (tmp_path / "secret").write_text("precious")
    (tmp_path / "a").symlink_to(tmp_path / "secret")
    with pytest.raises(KeyError), files.whole(tmp_path / "a") as unfinished:
        unfinished.write_text("half")
        raise KeyError
    assert (tmp_path / "a").is_symlink() and (tmp_path / "secret").read_text() == "precious"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 7 TiB"),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\n\t [[node]]"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_full_memory_is_told_in_one_line(error):
    def main(asked):
        raise error

    message = watch.refused(dataclasses.replace(train.COMMAND, main=main))
    assert "the memory is full" in message and "llocat" in message
