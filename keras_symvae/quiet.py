"""A quiet start: TensorFlow's start-up notices are held back, its errors are not."""

import os
import sys
import tempfile

# Two of TensorFlow's shared libraries log these from static initialisers, before any of its
# settings is read; no environment variable silences them.
NOTICES = (
    b"absl::InitializeLog()",
    b" port.cc:",
    b" cudart_stub.cc:",
    b" cpu_feature_guard.cc:",
    b"To enable the following instructions:",
)


def import_tensorflow() -> None:
    """Imports TensorFlow without its notices, unless the user has set `TF_CPP_MIN_LOG_LEVEL`."""
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    try:
        stderr = os.dup(2)
    except OSError:  # closed, as under some daemons: nothing to keep quiet
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if not any(notice in line for notice in NOTICES):
                    os.write(2, line)
