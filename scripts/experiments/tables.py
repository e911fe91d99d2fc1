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


def means(
    results: Results, methods: Iterable[str], columns: Mapping[str, int], *, partial: bool = False
) -> list[list[str]]:
    """Returns a row of each method: its name, and the means of what it found.

    Args:
        results: of trainings with a setting "method".
        methods: their names.
        columns: {name of a number: digits}.
        partial: leaves out methods without results, and leaves cells without numbers empty.
    """
    rows = []
    for method in methods:
        found = findings(results, method=method)
        if partial and not found:
            continue
        values = [[f[k] for f in found if k in f or not partial] for k in columns]
        shown = zip(values, columns.values(), strict=True)
        rows.append(
            [method, *("" if partial and not v else mean_of(v, digits=d) for v, d in shown)]
        )
    return rows


def findings(results: Results, **settings: Any) -> list[dict[str, Any]]:
    """Returns {name: number or list} of all trainings with these settings, in order."""
    return [result["found"] for result in chosen(results, **settings)]
