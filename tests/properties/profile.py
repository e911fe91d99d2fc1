"""The profile of the property tests: how many tries, and that they leave nothing behind.

    python -m pytest tests/properties                # the same 2,000 tries at every time
    TRIES=20000 python -m pytest tests/properties    # random ones, as many as you like
"""

import atexit
import os
import shutil
import tempfile

from hypothesis import HealthCheck, configuration, settings

TRIES = int(os.environ.get("TRIES", "2000"))

_home = tempfile.mkdtemp(prefix="hypothesis-")  # Hypothesis notes there what it knows of the code
atexit.register(shutil.rmtree, _home, ignore_errors=True)
configuration.set_hypothesis_home_dir(_home)


def tries(share: float) -> settings:
    """Returns settings for a share of all tries."""
    return settings(
        max_examples=max(2, round(TRIES * share)),
        derandomize="TRIES" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
