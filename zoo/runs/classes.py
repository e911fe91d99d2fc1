"""The classes of a run's label maps: what the flag says, else the data, else the preset."""

from collections.abc import Mapping
from typing import Any

from zoo.datasets import known_classes, label_maps
from zoo.presets.preset import Preset

Kept = str | dict[str, Any]  # a known table by its name, or {name: colours} of a file


def of_run(
    preset: Preset, flag: str | None, *, data: str, former: Mapping[str, Any] | None
) -> Kept | None:
    """Returns the table of classes that a run keeps, or None.

    Args:
        preset: of the run.
        flag: a known table or the path of one, in full, or None.
        data: of the run.
        former: settings of the run that is resumed, which keeps its table: the file may say
            something else by now.

    Raises:
        ValueError: there is no such table.
    """
    if former is not None and former["flags"].get("classes") == flag:
        return former.get("classes")
    if preset.model != "segmentation":
        return None
    chosen = flag or label_maps.own_classes(data) or preset.classes
    if chosen is None or chosen in known_classes.TABLES:
        return chosen
    return known_classes.get(chosen).colours


def of_model(kept: Kept | None) -> dict[str, Any]:
    """Returns the arguments of a model of these classes."""
    if kept is None:
        return {}
    table = known_classes.get(kept)
    return {"num_classes": len(table.names), "classes": table.shown}
