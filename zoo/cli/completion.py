"""The command that prints what completes `keras-symvae` in a shell."""

from collections.abc import Iterable

from absl import flags

from zoo.cli.__main__ import COMMANDS, PROGRAM, command
from zoo.cli.command import Command

FLAGS = flags.FlagValues()
SCRIPT = """\
_keras_symvae() {{
  local at=$COMP_CWORD word=${{COMP_WORDS[COMP_CWORD]}} flag= command=
  ((at == 1)) || command=${{COMP_WORDS[1]}}
  [[ ${{COMP_WORDS[at-1]}} != = ]] || flag=${{COMP_WORDS[at-2]}}
  [[ $word != = ]] || {{ flag=${{COMP_WORDS[at-1]}} word=; }}
  case "$command $flag" in
{cases}
  esac
  [[ ${{COMPREPLY[0]}} != *= ]] || compopt -o nospace
  [[ ${{COMPREPLY[0]}} ]] || {{ compopt -o filenames; COMPREPLY=($(compgen -f -- "$word")); }}
}}
complete -F _keras_symvae {program}
"""
SHELLS = ("bash",)
flags.DEFINE_enum(
    "shell", "bash", list(SHELLS), "The shell that runs the script.", flag_values=FLAGS
)


def main(asked: flags.FlagValues) -> None:
    """Prints the script."""
    print(script(), end="")


def script() -> str:
    """Returns the bash script: commands, their flags, and the values of flags that have few."""
    cases = [_case(" ", COMMANDS)]
    for name in COMMANDS:
        asked = command(name).flags
        for flag in asked:
            cases.append(_case(f"{name} --{flag}", getattr(asked[flag].parser, "enum_values", ())))
        heads = [f"--{flag} --no{flag}" if asked[flag].boolean else f"--{flag}=" for flag in asked]
        cases.append(_case(f"{name} ", heads))
    return SCRIPT.format(cases="\n".join(filter(None, cases)), program=PROGRAM)


def _case(pattern: str, words: Iterable[str]) -> str:
    found = " ".join(words)
    return found and f'    "{pattern}") COMPREPLY=($(compgen -W "{found}" -- "$word")) ;;'


COMMAND = Command(
    name="completion",
    summary="Prints a script that completes commands and flags; give it to the shell.",
    examples=("> ~/.keras-symvae.bash && source ~/.keras-symvae.bash",),
    flags=FLAGS,
    common=("shell",),
    main=main,
)
