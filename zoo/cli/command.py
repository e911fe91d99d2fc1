"""A command: its flags, its help, and what it does around its `main`."""

import contextlib
import copy
import dataclasses
import errno
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import tensorflow as tf
from absl import app, flags, logging
from absl.flags import FlagValues

from keras_symvae import NonFiniteError, interruption

# What users can mend is told in one line; anything else is a defect and keeps its stack trace.
MENDABLE = (ValueError, OSError, ImportError, NonFiniteError)
HELP = {"-h", *(f"{dash}{word}" for dash in ("-", "--") for word in ("help", "helpshort"))}
HELP_FULL = {"-helpfull", "--helpfull"}
INTERRUPTED, TERMINATED = 130, 143  # the exit codes of shells after Ctrl-C and SIGTERM
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
WIDTH = 100
# What absl adds to the text of a flag: all its choices in front, and how to repeat it.
CHOICES, REPEATED = re.compile(r"^<[^>]*>: "), "; repeat this option to specify a list of values"
FEW = 10  # choices that help lists


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """One command of `keras-symvae`, also a script of its own.

    Args:
        name: as users type it, such as "train".
        summary: what it does, one sentence.
        examples: arguments of typical calls, which help shows.
        flags: absl flags in `FlagValues` of their own, so that the flags of two commands may share
            a name.
        common: names of the flags that help shows first; all others are for experts.
        needed: names of the flags without which the command cannot start.
        main: what the command does with its parsed flags.
        go_on: how to go on after an interruption or a full disk.
    """

    name: str
    summary: str
    examples: Sequence[str]
    flags: FlagValues
    common: Sequence[str]
    needed: Sequence[str] = ()
    main: Callable[[FlagValues], None]
    go_on: str = ""

    def __call__(self, *arguments: str) -> None:
        """Does what the arguments ask for, and raises what is wrong with them."""
        self.main(self._parsed(arguments, into=copy.deepcopy(self.flags)))

    def run(self, arguments: Sequence[str], *, call: str) -> NoReturn:
        """Does what the arguments ask for and ends the process, errors told in one line.

        `--verbosity=1` shows stack traces.

        Args:
            arguments: of the command line, such as `["--steps=20"]`.
            call: how users start the command: "keras-symvae train" or "python -m scripts.train".
        """
        name = call.removeprefix("python -m scripts.")
        if (HELP | HELP_FULL) & set(arguments):
            print(self.help(call=call, full=bool(HELP_FULL & set(arguments))), end="")
            sys.exit(0)
        asked = copy.deepcopy(self.flags)
        asked.append_flag_values(flags.FLAGS)  # those of absl, which are shared by all commands

        def parser(argv: Sequence[str]) -> FlagValues:
            parsed = self._parsed(argv[1:], into=asked)
            flags.FLAGS.mark_as_parsed()
            return parsed

        try:
            with interruption.raised(), _one_line_warnings(name):
                app.run(self._careful(name), argv=[name, *arguments], flags_parser=parser)
        except flags.Error as error:
            fail(f"{error} ({name} --help explains the flags)", program=name, code=1)
        sys.exit(0)

    def help(self, *, call: str, full: bool = False) -> str:
        """Returns what `--help` prints.

        Args:
            call: how users start the command.
            full: whether the flags of absl are listed, too.
        """
        expert = [name for name in self.flags if name not in self.common]
        lines = [f"{call}: {self.summary}", ""]
        lines += [f"    {call} {example}".rstrip() for example in self.examples]
        lines += ["", "Flags:", *(self._described(name) for name in self.common)]
        if expert:
            lines += ["", "Flags for experts:", *(self._described(name) for name in expert)]
        if full:
            lines += ["", "Flags of absl:", flags.FLAGS.get_help()]
        else:
            lines += ["", "--helpfull lists the flags of absl, too; --verbosity=1 shows traces."]
        return "\n".join(lines) + "\n"

    def _described(self, name: str) -> str:
        flag = self.flags[name]
        text = CHOICES.sub("", " ".join(str(flag.help).split())).removesuffix(REPEATED)
        choices = getattr(flag.parser, "enum_values", ())
        if 0 < len(choices) <= FEW:
            text += f" One of: {', '.join(choices)}."
        if flag.default is not None and not flag.boolean and "Default:" not in text:
            text += f" Default: {flag.default}."
        head = f"[no]{name}" if flag.boolean else name
        fill = {"width": WIDTH, "subsequent_indent": 6 * " ", "break_on_hyphens": False}
        return textwrap.fill(f"  --{head}: {text}", **fill)

    def _parsed(self, arguments: Sequence[str], *, into: FlagValues) -> FlagValues:
        rest = into([self.name, *arguments])[1:]
        if rest:
            raise flags.Error(f"unknown arguments {rest}; flags are written --name=value")
        missing = [f"--{name}" for name in self.needed if into[name].value is None]
        if missing:
            raise flags.Error(f"say {' and '.join(missing)}")
        return into

    def _told(self, error: BaseException, text: str = "") -> str:
        """Returns an error in one line: what it is, what is kept, how to go on."""
        told = [text or str(error) or type(error).__name__]
        if self.go_on and (text or getattr(error, "errno", None) in FULL):
            told.append(self.go_on)
        told, notes = "; ".join(told), getattr(error, "__notes__", ())
        return ". ".join([told.removesuffix(".") if notes else told, *notes])

    def _careful(self, program: str) -> Callable[[FlagValues], None]:
        def careful(parsed: FlagValues) -> None:
            if not parsed["verbosity"].present:
                logging.set_verbosity(logging.ERROR)  # TFDS tells of every file it does not find
            try:
                self.main(parsed)
            except MENDABLE as error:
                logging.debug("Where the error came from:", exc_info=True)
                fail(self._told(error), program=program, code=1)
            except (MemoryError, tf.errors.ResourceExhaustedError) as error:
                logging.debug("Where the error came from:", exc_info=True)
                what = str(error).strip().partition("\n")[0]
                fail(f"the memory is full, take fewer examples: {what}", program=program, code=1)
            except interruption.Terminated as error:
                fail(self._told(error, "terminated"), program=program, code=TERMINATED)
            except KeyboardInterrupt as error:
                fail(self._told(error, "interrupted"), program=program, code=INTERRUPTED)

        return careful


@contextlib.contextmanager
def _one_line_warnings(program: str) -> Iterator[None]:
    """Tells in one line what a command is warned of."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        if issubclass(category, UserWarning):
            print(f"{program}: {_line(str(message))}", file=sys.stderr)
        else:
            usual(message, category, *place, **options)

    usual, warnings.showwarning = warnings.showwarning, show
    try:
        yield
    finally:
        warnings.showwarning = usual


def fail(message: str, *, program: str, code: int) -> NoReturn:
    """Prints one message and ends the process."""
    print(f"{program}: {_line(message)}", file=sys.stderr)
    sys.exit(code)


def _line(message: str) -> str:
    """Returns a message as one line in which nothing steers a terminal: names of files may."""
    message = " ".join(message.split("\n"))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
