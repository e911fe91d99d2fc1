"""Reports: results as JSON, in which null stands for what is not a finite number."""

import itertools
import json
import math
import os
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import keras_symvae
from keras_symvae import files

GROWING = re.compile(r"^(information|accuracy)/|(^|/)(val_)?(iw_bound|ess)$")


def write(path: str | os.PathLike, report: Any) -> str:
    """Writes a report in one move and returns its text."""
    text = json.dumps(_finite(report), indent=2, allow_nan=False) + "\n"
    with files.whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    return text


def of_training(
    records: Sequence[Mapping[str, Any]], *, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the report of a run: the last and the best value of every metric, and its speed.

    Metrics are nats per example; the best is the lowest cost, the most information or accuracy, the
    highest bound.

    Args:
        records: what `callbacks.MetricsLog` wrote.
        settings: flags and recipe.
    """
    names = dict.fromkeys(name for record in records for name in record["metrics"])
    metrics = {}
    for name in names:
        values = [record["metrics"].get(name) for record in records]
        finite = [value for value in values if value is not None]
        best = max if GROWING.search(name) else min
        metrics[name] = {"last": values[-1], "best": best(finite, default=None)}
    points = [(0, 0.0), *((record["step"], record["seconds"]) for record in records)]
    rates = [(b[0] - a[0]) / max(b[1] - a[1], 1e-3) for a, b in itertools.pairwise(points)]
    return {
        "metrics": metrics,
        "settings": settings,
        "versions": versions(),
        "seconds": points[-1][1],
        # The median leaves out the epochs in which the step was compiled.
        "steps_per_second": round(statistics.median(rates), 2) if rates else None,
    }


def versions() -> dict[str, str]:
    """Returns {name: version} of what decides results."""
    return {
        "keras_symvae": keras_symvae.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tensorflow_probability": tfp.__version__,
        "numpy": np.__version__,
    }


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple, np.ndarray)):
        return [_finite(value) for value in content]
    if isinstance(content, (float, np.floating)):
        return float(content) if math.isfinite(content) else None
    return int(content) if isinstance(content, np.integer) else content
