"""The profile of the property tests: how many tries, and that they leave nothing behind.

python -m pytest tests/properties                # the same 2,000 tries at every time
TRIES=20000 python -m pytest tests/properties    # random ones, as many as you like
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, configuration, given, settings

from tests.properties.call import Call

TRIES = int(os.environ.get("TRIES", "2000"))

_home = tempfile.mkdtemp(prefix="hypothesis-")  # Hypothesis notes there what it knows of the code
atexit.register(shutil.rmtree, _home, ignore_errors=True)
configuration.set_hypothesis_home_dir(_home)


def tries(count: int) -> settings:
    """Returns the settings of so many tries."""
    return settings(
        max_examples=count,
        derandomize="TRIES" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )


def every(calls: Mapping[str, Call], *, share: float) -> Callable:
    """Returns a decorator of `test(call, given)`, by which a share of all tries goes to the calls.

    Args:
        calls: {name: Call}; one that costs more is tried less often.
        share: from 0 to 1.
    """
    unit = share * TRIES / sum(1 / call.cost for call in calls.values())

    def decorate(test: Callable) -> Callable:
        @pytest.mark.parametrize("name", calls)
        def tried(name: str) -> None:
            call = calls[name]

            @tries(max(2, round(unit / call.cost)))
            @given(call.given())
            def once(given: Any) -> None:
                call.hold(given)

            once()

        tried.__doc__ = test.__doc__
        return tried

    return decorate
