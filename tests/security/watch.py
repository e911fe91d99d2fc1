"""A watch over what files of strangers make this process do."""

import contextlib
import io
import os
import pathlib
import sys
import tempfile

import pytest

RUNS = ("os.system", "os.exec", "os.spawn", "os.posix_spawn", "subprocess.Popen", "socket.connect")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Where AutoGraph, too, puts its own files, under names that nobody can foresee.
HARMLESS = ("/dev/null", "/proc/", "/dev/shm", os.path.join(tempfile.gettempdir(), "tmp"))
MIB = 2**20
_events: list[tuple[str, tuple]] | None = None


def _heard(event, arguments):
    if _events is None:
        return
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
    if writes or event in RUNS:
        _events.append((event, arguments[:1]))


sys.addaudithook(_heard)


@contextlib.contextmanager
def over(folder, *, memory=600):
    """Fails where the block starts a program, connects, writes outside or fills the memory.

    Args:
        folder: where writing is allowed.
        memory: MiB by which the process may grow.
    """
    global _events
    before = _peak(reset=True)
    _events = []
    try:
        yield
    finally:
        events, _events = _events, None
    grown = _peak() - before
    assert grown < memory * MIB, f"{grown / MIB:.0f} MiB"
    folder = pathlib.Path(folder).resolve()
    for event, (what,) in events:
        path = os.fsdecode(what) if isinstance(what, (str, bytes)) else ""
        inside = event == "open" and pathlib.Path(path).resolve().is_relative_to(folder)
        quiet = event == "open" and (path.startswith(HARMLESS) or not path)
        assert inside or quiet, (event, what)


def refused(command, *flags):
    """Returns the one line by which a command refuses, without a trace."""
    out, error = io.StringIO(), io.StringIO()
    redirected = contextlib.redirect_stdout(out), contextlib.redirect_stderr(error)
    with redirected[0], redirected[1], pytest.raises(SystemExit) as end:
        command.run(list(map(str, flags)), call=f"keras-symvae {command.name}")
    text = error.getvalue()
    assert end.value.code == 1, text
    assert text.count("\n") == 1 and text.endswith("\n"), text
    assert "Traceback" not in text and text.rstrip("\n").isprintable()
    return text.rstrip("\n")


def _peak(*, reset=False):
    """Returns the most memory that was used since the last reset, bytes; 0 outside of Linux."""
    if not os.path.exists("/proc/self/status"):
        return 0
    if reset:
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
