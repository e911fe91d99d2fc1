"""Tables: results as Markdown, mean ± standard deviation over seeds."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Results = Mapping[str, Mapping[str, Any]]  # {label: what result.json of one training holds}


def mean_of(values: Iterable[float], *, digits: int = 2) -> str:
    """Returns "mean ± standard deviation" of numbers, or the one number."""
    values = list(values)
    mean = f"{statistics.mean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def markdown(heads: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """Returns a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def chosen(results: Results, **settings: Any) -> list[Mapping[str, Any]]:
    """Returns the results of all trainings with these settings, in order."""
    return [
        result
        for result in results.values()
        if all(result["settings"].get(name) == value for name, value in settings.items())
    ]


def means(results: Results, methods: Iterable[str], columns: Mapping[str, int]) -> list[list[str]]:
    """Returns a row of each method: its name, and the means of what it found.

    Args:
        results: of trainings with a setting "method".
        methods: their names.
        columns: {name of a number: digits}.
    """
    rows = []
    for method in methods:
        found = findings(results, method=method)
        cells = [mean_of((each[k] for each in found), digits=d) for k, d in columns.items()]
        rows.append([method, *cells])
    return rows


def findings(results: Results, **settings: Any) -> list[dict[str, Any]]:
    """Returns {name: number or list} of all trainings with these settings, in order."""
    return [result["found"] for result in chosen(results, **settings)]
