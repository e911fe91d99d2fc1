"""An interruption: SIGTERM ends a training as Ctrl-C does, so that it can say what is kept."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any, NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM, which batch systems send before they kill."""


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Raises `Terminated` at SIGTERM until the block ends.

    Handlers that somebody has set stay, and outside of the main thread Python allows none.
    """
    usual = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, frame: Any) -> NoReturn:
        raise Terminated("terminated by SIGTERM")

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
