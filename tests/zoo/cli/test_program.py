"""The program `keras-symvae`: its commands, their help, and what completes them in a shell."""

import copy
import dataclasses
import importlib
import json
import pathlib
import shlex
import shutil
import subprocess

import pytest
from absl import flags

import keras_symvae
from keras_symvae.learners import LEARNERS
from zoo import PRESETS
from zoo.cli import __main__ as program
from zoo.cli import completion
from zoo.cli.command import Command
from zoo.presets import catalogue as catalogues

pytestmark = pytest.mark.quick
FOLDER = pathlib.Path(program.__file__).parent
ROOM = {
    "__init__",
    "__main__",
    "command",
    "model",
    "out",
    "seed",
}  # files of the folder without one


def started(capsys, *arguments, code=0):
    """Returns what the program printed to stdout and to stderr."""
    with pytest.raises(SystemExit) as end:
        program.main(arguments)
    assert (end.value.code or 0) == code
    return capsys.readouterr()


def test_every_file_is_a_command():
    assert program.COMMANDS.keys() == {path.stem for path in FOLDER.glob("*.py")} - ROOM


@pytest.mark.parametrize("name", program.COMMANDS)
def test_help_is_grouped_and_its_examples_can_be_typed(name, capsys):
    command = program.command(name)
    help, error = started(capsys, name, "--help")
    assert error == "" and command.name == name
    head, usual, *_ = help.split("\n\nFlags:\n")
    assert head.startswith(f"keras-symvae {name}: {command.summary}\n")
    assert len(command.common) <= 10
    heads = [line.strip().split(":")[0] for line in usual.split("\n\n")[0].splitlines()]
    shown = [head.replace("[no]", "").removeprefix("--") for head in heads if head[:2] == "--"]
    assert shown == list(command.common)
    assert ("Flags for experts:" in help) == (len(list(command.flags)) > len(command.common))
    assert all(len(line) <= 100 for line in help.splitlines())
    for example in command.examples:
        assert f"    keras-symvae {name} {example}".rstrip() in head.splitlines()
        asked = copy.deepcopy(command.flags)
        rest = asked([name, *shlex.split(example.partition(">")[0])])
        assert rest == [name]


def test_help_lists_the_flags_of_absl_only_when_asked(capsys):
    assert "--pdb" not in started(capsys, "sample", "-h").out
    full = started(capsys, "sample", "--helpfull").out
    assert "--[no]pdb" in full and "  --out: The .png or .npz file to write." in full


def test_only_the_chosen_command_is_imported(monkeypatch, capsys):
    imported, load = [], importlib.import_module
    monkeypatch.setattr(
        importlib, "import_module", lambda name: imported.append(name) or load(name)
    )
    started(capsys, "sample", "--help")
    assert imported == ["zoo.cli.sample"]
    source = pathlib.Path(program.__file__).read_text(encoding="utf-8")
    assert all(f"zoo.cli.{name}" not in source for name in program.COMMANDS)


def test_version_help_and_mistakes(capsys):
    assert started(capsys, "--version").out == f"keras-symvae {keras_symvae.__version__}\n"
    for word in ("--help", "-h", "help"):
        help = started(capsys, word).out
        assert all(f"\n  {name} " in help for name in program.COMMANDS)
    out, error = started(capsys, code=2)
    assert out == "" and error == help
    out, error = started(capsys, "trian", code=2)
    assert out == "" and error.startswith("keras-symvae: 'trian' is ") and "train, sample" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample"], "keras-symvae sample: say --model and --out ("),
        (["export", "--out=x"], "keras-symvae export: say --model ("),
        (["train", "--lerner=x"], "keras-symvae train: Unknown command line flag 'lerner'. Did"),
        (["train", "--steps=0"], "keras-symvae train: flag --steps=0: "),
        (["presets", "all"], "keras-symvae presets: unknown arguments ['all']"),
    ],
)
def test_mistakes_in_flags_are_told_in_a_line(arguments, message, capsys):
    out, error = started(capsys, *arguments, code=1)
    assert out == "" and error.startswith(message) and error.count("\n") == 1
    assert f"{arguments[0]} --help explains the flags" in error


def test_flags_of_one_call_are_not_those_of_the_next(capsys):
    found = []
    numbers = flags.FlagValues()
    flags.DEFINE_integer("steps", 5, "Steps.", flag_values=numbers)
    command = Command(
        name="count",
        summary="Counts.",
        examples=("",),
        flags=numbers,
        common=("steps",),
        main=lambda asked: found.append((asked.steps, asked["steps"].present)),
    )
    for arguments in (["--steps=7", "--verbosity=1"], []):
        with pytest.raises(SystemExit):
            command.run(arguments, call="keras-symvae count")
    command("--steps=8")
    command()
    assert found == [(7, 1), (5, 0), (8, 1), (5, 0)]
    assert capsys.readouterr() == ("", "")


def test_presets_are_a_table(capsys):
    lines = started(capsys, "presets").out.splitlines()
    assert tuple(lines[0].split()) == catalogues.HEADS
    assert [line.split()[0] for line in lines[1:]] == list(PRESETS)
    row = next(line for line in lines if line.startswith("digits_gaussian "))
    assert "symmetric, elbo, avb" in row and row.endswith(" 3,000")
    assert any(line.startswith("fashion_mnist_reverse ") and " MB; " in line for line in lines)


def test_presets_count_the_weights_that_are_trained(monkeypatch, capsys):
    ladder = {"image_shape": (8, 8, 1), "latents": (2, 3), "width": 4}
    maps = {"image_shape": (8, 8, 1), "num_classes": 3, "latent": 2, "filters": (2, 4), "width": 8}
    small = {
        name: dataclasses.replace(PRESETS[name], architecture=architecture)
        for name, architecture in (("digits_ladder", ladder), ("digits_silhouettes", maps))
    }
    monkeypatch.setattr(catalogues, "PRESETS", small)
    monkeypatch.setattr(catalogues.shipped, "card", lambda name: None)
    lines = started(capsys, "presets", "--parameters").out.splitlines()
    found = [int(line.split()[-1].replace(",", "")) for line in lines[1:]]
    pair, team = (preset.pair() for preset in small.values())
    assert found == [
        pair.count_params(),
        sum(member.count_params() for member in team.members.values()),
    ]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash completes")
def test_bash_completes_commands_flags_and_values(tmp_path):
    (tmp_path / "digits.npz").touch()
    lines = [
        ["keras-symvae", ""],
        ["keras-symvae", "exp"],
        ["keras-symvae", "train", "--pr"],
        ["keras-symvae", "train", "--learner", "=", ""],
        ["keras-symvae", "train", "--learner", "="],
        ["keras-symvae", "train", "--learner", "=", "s"],
        ["keras-symvae", "train", "--data", "=", "dig"],
    ]
    code = completion.script()
    for words in lines:
        code += f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1} COMPREPLY=()\n"
        code += '_keras_symvae 2>/dev/null; echo "${COMPREPLY[*]}"\n'
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    learners = " ".join(sorted(LEARNERS))
    found = done.stdout.splitlines()
    assert found == [
        " ".join(program.COMMANDS),
        "export",
        "--preset= --prior=",
        learners,
        learners,
        "svae symmetric",
        "digits.npz",
    ], json.dumps(found) + done.stderr
