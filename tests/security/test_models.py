"""Model files of strangers: none runs code, reads or writes elsewhere, or fills the memory."""

import base64
import json
import marshal
import os
import pathlib
import resource
import subprocess
import sys
import types
import zipfile

import keras
import numpy as np
import pytest

import keras_symvae as sv
import zoo
from keras_symvae.evaluation.features import ClassifierFeatures
from tests.security import watch, weights
from zoo.cli import evaluate, export, sample, train
from zoo.runs import model_file

ROOT = pathlib.Path(__file__).parents[2]
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
HUGE = 10**9


def learner():
    pair = zoo.Ladder((8, 8, 1), latents=(2, 3), width=4)
    model = sv.SymmetricEquilibrium(pair)
    model.compile("adam")
    return model


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """The parts of an honest file, {name: bytes}."""
    path = tmp_path_factory.mktemp("honest") / "model.keras"
    learner().save(path)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture
def folder(tmp_path):
    """An empty folder, beside which nothing may appear."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def packed(folder, members, *, kind=zipfile.ZIP_STORED, **changes):
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, content in {**members, **changes}.items():
            file.writestr(name, content)
    return path


def with_config(folder, members, config):
    return packed(folder, members, **{CONFIG: json.dumps(config)})


def with_pair(folder, members, pair):
    """A file of a learner whose pair is something else."""
    config = json.loads(members[CONFIG])
    config["config"]["pair"] = pair
    return with_config(folder, members, config)


def objects(module, name, config=None, **others):
    return {"module": module, "class_name": name, "config": config or {}, **others}


def sequential(layer):
    inputs = objects("keras.layers", "InputLayer", {"batch_shape": [None, 4]}, registered_name=None)
    config = {"name": "s", "trainable": True, "layers": [inputs, layer]}
    build = {"build_config": {"input_shape": [None, 4]}}
    return objects("keras", "Sequential", config, registered_name=None, **build)


def canary(path):
    """Marshalled code that makes a file."""

    def run(x):
        open(path, "w").close()
        return x

    code = types.FunctionType(run.__code__.replace(co_freevars=()), {}).__code__
    return base64.b64encode(marshal.dumps(code)).decode()


def lambdas(path):
    code = {"code": canary(path), "defaults": None, "closure": None}
    return {
        "lambda": {"class_name": "__lambda__", "config": {"value": [code["code"], None, None]}},
        "former lambda": [code["code"], None, None],
        "newer lambda": {"class_name": "__lambda__", "config": {"value": code}},
    }


HOSTILE = {
    **{
        name: (
            lambda path, name=name: objects(
                "keras.layers", "Lambda", {"name": "l", "function": lambdas(path)[name]}
            ),
            "code of its own",
        )
        for name in ("lambda", "former lambda", "newer lambda")
    },
    "os.system": (lambda path: objects("os", "system", {"command": f"touch {path}"}), "'os'"),
    "posix": (
        lambda path: objects("posix", "function", "system", registered_name="system"),
        "'system'",
    ),
    "get_file": (
        lambda path: objects("keras.utils", "function", "get_file", registered_name="get_file"),
        "keras.utils.get_file",
    ),
    "get_file, inside": (
        lambda path: objects(
            "keras.src.utils.file_utils", "get_file", {"origin": "http://127.0.0.1"}
        ),
        "keras.src.utils.file_utils.get_file",
    ),
    "another program": (
        lambda path: objects("keras.layers", "TFSMLayer", {"filepath": "/tmp/saved_model"}),
        "TFSMLayer",
    ),
    "torch": (
        lambda path: objects("keras.layers", "TorchModuleWrapper", {"module": "gASV"}),
        "TorchModuleWrapper",
    ),
    "a file of the machine": (
        lambda path: objects("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
        "StringLookup",
    ),
    "unsafe switch": (
        lambda path: objects("keras.config", "enable_unsafe_deserialization"),
        "keras.config.enable_unsafe_deserialization",
    ),
    "unsafe switch, function": (
        lambda path: objects("keras.config", "function", "enable_unsafe_deserialization"),
        "keras.config.enable_unsafe_deserialization",
    ),
    "class of nobody": (
        lambda path: objects("evil.package", "Evil", registered_name="evil>Evil"),
        "'evil>Evil' of 'evil.package'",
    ),
    "no class": (lambda path: objects("keras.layers", ["Dense"]), "names no class"),
    "text for a module": (lambda path: objects(["keras"], "Dense"), "names no class"),
    "array of endless texts": (
        lambda path: objects(None, "__numpy__", {"value": [""] * 8, "dtype": f"S{HUGE}"}),
        "not one of numbers",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("place", ["pair", "layer", "whole"])
def test_what_runs_code_is_never_built(name, place, folder, members):
    made, told = HOSTILE[name]
    part = made(folder / "ran")
    if place == "pair":
        path = with_pair(folder, members, part)
    else:
        path = with_config(folder, members, sequential(part) if place == "layer" else part)
    with watch.over(folder):
        message = watch.refused(sample.COMMAND, f"--model={path}", f"--out={folder / 'x.png'}")
    assert str(path) in message and told in message and len(message) < 500
    assert sorted(os.listdir(folder)) == ["model.keras"]
    assert keras.src.saving.serialization_lib.in_safe_mode() is not False


def test_every_command_refuses_in_the_same_way(folder, members):
    path = with_pair(folder, members, HOSTILE["lambda"][0](folder / "ran"))
    (folder / "run").mkdir()
    (folder / "run" / "model.keras").write_bytes(path.read_bytes())
    asked = {
        sample.COMMAND: (f"--model={path}", f"--out={folder / 'x.npz'}"),
        evaluate.COMMAND: (f"--run={folder / 'run'}", "--data=digits"),
        export.COMMAND: (f"--model={path}", f"--out={folder / 'saved'}"),
        train.COMMAND: (f"--start={path}", f"--out={folder / 'more'}"),
    }
    for command, flags in asked.items():
        with watch.over(folder):
            assert "code of its own" in watch.refused(command, *flags)
    with pytest.raises(ValueError, match="code of its own"):
        sv.load(path)
    assert sorted(os.listdir(folder)) == ["model.keras", "run"]


def test_classifiers_beside_a_model_are_looked_at_too(folder, members):
    path = with_config(folder, members, sequential(HOSTILE["lambda"][0](folder / "ran")))
    with watch.over(folder), pytest.raises(ValueError, match="code of its own"):
        ClassifierFeatures.load(path)
    path = packed(folder, members)
    with watch.over(folder), pytest.raises(ValueError, match=r"was not written by Classifier"):
        ClassifierFeatures.load(path)


def of_a_bomb(size):
    """A zip file, of which one member has so many bytes of nothing."""
    return {"assets/nothing": b"\0" * size}


@pytest.mark.parametrize("write", weights.BOMBS, ids=lambda write: write.__name__)
def test_weights_lie_in_the_file_itself(write, folder, members):
    path = packed(folder, members, **{WEIGHTS: weights.h5(write)})
    with watch.over(folder):
        message = watch.refused(export.COMMAND, f"--model={path}", f"--out={folder / 'saved'}")
    assert f"{path} holds no weights as Keras writes them" in message
    assert os.listdir(folder) == ["model.keras"]


def test_arrays_of_one_place_do_not_add_up_to_more_than_the_file(folder, members):
    content = bytearray(
        weights.h5(lambda file: file.create_dataset("vars/0", data=np.ones(2, "f4")))
    )
    content[content.index(np.float32(1).tobytes()) :] = b""  # what it points to is not there
    path = packed(folder, members, **{WEIGHTS: bytes(content)})
    with watch.over(folder):
        assert str(path) in watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")


@pytest.mark.parametrize("size", [10, 1_000, -100, -10])
def test_what_is_cut_short_is_refused(size, folder, members):
    path = packed(folder, members)
    path.write_bytes(path.read_bytes()[:size])
    with watch.over(folder):
        assert str(path) in watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/evil", "assets/../../evil", "..\\evil", "C:/evil"]
)
def test_members_do_not_climb_out(name, folder, members):
    path = packed(folder, members, **{name: b"evil"})
    with watch.over(folder):
        message = watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")
    assert "leads out of its folder" in message
    assert not list(folder.parent.rglob("evil"))


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, "assets/nothing"])
def test_bombs_are_not_unpacked(name, folder, members):
    kind = zipfile.ZIP_DEFLATED
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w", kind) as file:
        for other, content in members.items():
            if other != name:
                file.writestr(other, content)
        with file.open(name, "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(b"0" * 2**20)
    with watch.over(folder, memory=200):
        message = watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")
    assert str(path) in message and "-fold" in message


def test_a_member_that_is_there_twice_is_refused(folder, members):
    path = packed(folder, members)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as file:
        file.writestr(CONFIG, "{}")
    assert "there twice" in watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[" * 100_000, "no JSON"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "100 levels deep"),
        (b"[]", "holds a list"),
        (b"\xff\xfe", "no JSON"),
        (b'{"class_name": "X", "config": ' + b"9" * 10_000 + b"}", "no JSON"),
        (b"{}", "no model that can be built"),
    ],
    ids=["brackets", "deep", "list", "bytes", "digits", "empty"],
)
def test_configurations_that_are_none_are_refused(content, told, folder, members):
    path = packed(folder, members, **{CONFIG: content})
    with watch.over(folder):
        message = watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")
    assert str(path) in message and told in message


def wide(config):
    config["config"]["pair"]["config"]["width"] = HUGE


def tall(config):
    config["config"]["pair"]["config"]["image_shape"] = [HUGE, 8, 1]


def many_latents(config):
    config["config"]["pair"]["config"]["latents"] = [HUGE, HUGE]


def below_nothing(config):
    config["config"]["pair"]["config"]["width"] = -1


@pytest.mark.parametrize(
    "change", [wide, tall, many_latents, below_nothing], ids=lambda c: c.__name__
)
def test_huge_networks_are_not_built(change, folder, members):
    config = json.loads(members[CONFIG])
    change(config)
    path = with_config(folder, members, config)
    with watch.over(folder):
        message = watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")
    assert str(path) in message and len(message) < 1000
    assert sv.load(packed(folder, members)).built  # nothing of it stays in Keras


def test_a_huge_layer_of_keras_is_not_built(folder, members):
    path = with_config(
        folder, members, sequential(objects("keras.layers", "Dense", {"units": HUGE}))
    )
    with watch.over(folder):
        message = watch.refused(sample.COMMAND, f"--model={path}", "--out=x.png")
    assert "describes weights of at least" in message


def test_honest_files_load_with_and_without_what_the_optimizer_keeps(folder, members):
    np.testing.assert_equal(sv.load(packed(folder, members)).pair.latent, ["z0", "z1"])
    model = learner()
    x = np.zeros((4, 8, 8, 1), "float32")
    model.fit(x, batch_size=2, verbose=0)
    model.save(folder / "model.keras")
    again = model_file.load(folder / "model.keras")
    for one, other in zip(model.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    packed(folder, members, kind=zipfile.ZIP_DEFLATED)
    assert isinstance(sv.load(folder / "model.keras"), sv.SymmetricEquilibrium)


UNIMPORTED = """
import sys, keras_symvae, keras
try:
    {load}({path!r})
except ValueError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("load", ["keras.saving.load_model", "keras_symvae.load"])
def test_without_the_zoo_a_message_says_what_to_import(load, folder, members):
    path = packed(folder, members)
    code = UNIMPORTED.format(load=load, path=str(path))
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.count("\n") == 1 and "`import zoo`" in done.stdout


@pytest.mark.slow
def test_in_a_process_with_little_memory_the_refusal_is_the_same(folder, members):
    config = json.loads(members[CONFIG])
    wide(config)
    path = with_config(folder, members, config)
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "scripts.sample", f"--model={path}", "--out=x.png"]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (4 * 2**30, 4 * 2**30)),
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and str(path) in done.stderr, done.stderr
