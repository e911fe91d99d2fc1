"""The catalogue: the presets of the zoo as a table, with the trained models that are shipped."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

from keras_symvae.model.pair import Pair
from keras_symvae.model.team import Team
from zoo.presets.table import PRESETS
from zoo.trained import shipped
from zoo.trained.card import MODEL

HEADS = ("name", "architecture", "learners", "data", "steps", "parameters", "trained")
RIGHT = ("steps", "parameters")  # columns of numbers


@dataclasses.dataclass(frozen=True, repr=False)
class Catalogue:
    """The presets of the zoo; printed, it is a table.

    Attributes:
        rows: A dict for each preset: "name", "architecture", "learners", "data", "steps";
            "parameters", the number of weights that are trained, critics excepted, or None where
            they were not counted; "learner", "megabytes" and "figures" of the trained model that is
            shipped under this name, None and {} where there is none.
    """

    rows: tuple[dict[str, Any], ...]

    def __repr__(self) -> str:
        return table(HEADS, map(_cells, self.rows))


def listed(*, parameters: bool = False) -> Catalogue:
    """Returns the `Catalogue`.

    Args:
        parameters: count the weights of all presets, which builds every network, and not only tell
            those of models that are shipped.
    """
    return Catalogue(tuple(_row(name, count=parameters) for name in PRESETS))


def parameters(model: Pair | Team) -> int:
    """Returns the number of trained weights of a pair, or of a team."""
    members = model.members.values() if isinstance(model, Team) else [model]
    return sum(math.prod(v.shape) for member in members for v in member.trainable_variables)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns the text of a table with columns of one width; numbers stand at the right."""
    lines = [list(heads), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ""
    for line in lines:
        cells = [
            cell.rjust(width) if head in RIGHT else cell.ljust(width)
            for head, cell, width in zip(heads, line, widths, strict=True)
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text


def _row(name: str, *, count: bool) -> dict[str, Any]:
    preset, card = PRESETS[name], shipped.card(name)
    number = card.parameters if card else parameters(preset.pair()) if count else None
    size = (shipped.folder(name) / MODEL).stat().st_size / 1e6 if card else None
    return {
        "name": name,
        "architecture": preset.model,
        "learners": tuple(preset.recipes),
        "data": preset.data,
        "steps": preset.steps,
        "parameters": number,
        "learner": card.learner if card else None,
        "megabytes": size,
        "figures": dict(card.figures) if card else {},
    }


def _cells(row: dict[str, Any]) -> list[str]:
    trained = ""
    if row["megabytes"] is not None:
        figure = next((f"; {name} {value}" for name, value in row["figures"].items()), "")
        trained = f"{row['megabytes']:.1f} MB{figure}"
    number = "" if row["parameters"] is None else f"{row['parameters']:,}"
    learners, steps = ", ".join(row["learners"]), f"{row['steps']:,}"
    return [row["name"], row["architecture"], learners, row["data"], steps, number, trained]
