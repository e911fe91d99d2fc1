"""A command: what every script does around its `main`."""

import pathlib
import sys
import zipfile

import keras
from absl import app, flags, logging

import keras_symvae
import zoo

# Both packages register the classes that model files name.
REGISTERED = (keras_symvae, zoo)
# What users can mend is told in one line; anything else is a defect and keeps its stack trace.
MENDABLE = (ValueError, OSError, ImportError, keras_symvae.NonFiniteError)
HELP = {f"{dash}{word}" for dash in ("-", "--") for word in ("help", "helpshort", "helpfull")}
INTERRUPTED = 130  # the exit code of shells after Ctrl-C


def run(main, *, interrupted="interrupted"):
    """Parses the flags, calls `main()` and ends the process; `--verbosity=1` shows stack traces.

    Args:
        main: function without arguments.
        interrupted: what to tell after Ctrl-C.
    """

    def careful(arguments):
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.ERROR)  # TFDS tells of every file it does not find
        try:
            if arguments[1:]:
                raise ValueError(f"unknown arguments {arguments[1:]}; see --help for the flags")
            main()
        except MENDABLE as error:
            logging.debug("Where the error came from:", exc_info=True)
            fail(str(error) or type(error).__name__, code=1)
        except KeyboardInterrupt:
            fail(interrupted, code=INTERRUPTED)

    try:
        app.run(careful)
    except SystemExit:
        if HELP & set(sys.argv[1:]):
            sys.exit(0)  # absl calls it a failure that someone asked for help
        raise


def fail(message, *, code):
    """Prints one message and ends the process."""
    name = pathlib.Path(sys.argv[0]).stem
    print(f"{name}: {message}", file=sys.stderr)
    sys.exit(code)


def load_model(path, *, kinds=(keras_symvae.Pair,)):
    """Returns the learner that `model.save` wrote.

    Args:
        path: the `.keras` file.
        kinds: classes of what the learner may have trained.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no model of this library, or of another kind.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}; scripts.train writes model.keras")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no .keras file")
    learner = keras.saving.load_model(path)
    if not isinstance(learner, keras_symvae.Learner):
        raise ValueError(f"{path} holds a {type(learner).__name__}, not a learner of this library")
    if not isinstance(learner.pair, kinds):
        known = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(
            f"{path} holds a {type(learner.pair).__name__}, and this script asks a {known}; load "
            "it with keras.saving.load_model, or export it"
        )
    return learner


def new_file(path, *, suffixes):
    """Returns the path of a file to write, in an existing folder.

    Raises:
        ValueError: the file has none of these suffixes.
    """
    path = pathlib.Path(path)
    if path.suffix not in suffixes:
        raise ValueError(f"--out ends in {' or '.join(suffixes)}; received {str(path)!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
