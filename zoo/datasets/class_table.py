"""A table of classes: their names, and the numbers and colours that label maps have for them."""

import csv
import os
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_symvae import arguments, json_file

Colour = tuple[int, int, int]
VOID = "void"  # the name of pixels without a label
UNLABELLED = 255  # their number in VOC, Cityscapes and most other sets
COLUMNS = ("name", "r", "g", "b")
HEX = re.compile(r"#[0-9a-fA-F]{6}")
LARGEST = 2**20  # bytes of a file that is a table
LISTED = 8  # of what a message lists


class ClassTable:
    """The classes of label maps: what they are called, and how files write them.

    Args:
        colours: {name: a colour, or several of which the first shows the class in pictures}, in the
            order of the classes. A colour is (red, green, blue), integers of 0 to 255, or
            "#rrggbb". The colours of "void", in whatever case, mark pixels without a label.
        numbers: {name: a number, or several} that gray and palette maps have for a class. Default:
            names are counted from 0, "void" included. 255 always marks pixels without a label.

    Raises:
        TypeError: colours are no mapping.
        ValueError: a name, colour or number is none, or stands for two classes.
    """

    def __init__(
        self,
        colours: Mapping[str, Any],
        *,
        numbers: Mapping[str, int | Sequence[int]] | None = None,
    ) -> None:
        if not isinstance(colours, Mapping):
            raise TypeError(
                f"A table of classes is {{name: colour}}; received {arguments.told(colours)}."
            )
        self.colours = {_name(name): _several(name, value) for name, value in colours.items()}
        self.names = tuple(name for name in self.colours if name != VOID)
        if len(self.colours) < len(colours) or not 0 < len(self.names) < UNLABELLED:
            raise ValueError(
                f"A table has 1 to {UNLABELLED - 1} classes of different names, beside {VOID!r}; "
                f"received {arguments.told(list(colours))}."
            )
        given = dict(zip(self.colours, range(len(self.colours)), strict=True))
        self.numbers = {
            name: (value,) if isinstance(value, int) else tuple(value)
            for name, value in (given if numbers is None else numbers).items()
        }
        self._of_colours = self._sorted(
            {name: map(_packed, several) for name, several in self.colours.items()}, kind="colour"
        )
        marks = {VOID: {-1, UNLABELLED, *self.numbers.get(VOID, ())}}
        self._of_numbers = self._sorted({**self.numbers, **marks}, kind="number")

    @property
    def shown(self) -> dict[str, Colour]:
        """{name: its colour in pictures} of the classes, without those of no label."""
        return {name: self.colours[name][0] for name in self.names}

    def has_colours(self, mask: np.ndarray) -> bool:
        """Returns whether all colours [..., 3] are those of classes or of no label."""
        return bool(np.isin(_packed(mask), self._of_colours[0]).all())

    def of_colours(self, mask: np.ndarray, *, where: str) -> np.ndarray:
        """Returns the classes int32 [H, W] of colours uint8 [H, W, 3]; -1 where there is no label.

        Raises:
            ValueError: the table lacks a colour; lists these, and how many pixels have them.
        """
        return self._looked_up(_packed(mask), self._of_colours, kind="colours", where=where)

    def of_numbers(self, mask: np.ndarray, *, where: str) -> np.ndarray:
        """Returns the classes int32 [...] of integers [...]; -1 where there is no label.

        Raises:
            ValueError: the table lacks a number; lists these, and how many pixels have them.
        """
        return self._looked_up(mask.astype(np.int64), self._of_numbers, kind="numbers", where=where)

    def _sorted(self, marks: Mapping[str, Any], *, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the marks of all classes in ascending order, and the class of each."""
        found: dict[int, str] = {}
        for name, several in marks.items():
            if name not in self.colours and name != VOID:
                raise ValueError(f"{name!r} has a {kind}, and is no class of {list(self.names)}.")
            for mark in several:
                if found.setdefault(mark, name) != name:
                    shown = _unpacked(mark) if kind == "colour" else mark
                    raise ValueError(
                        f"The {kind} {shown} is that of {found[mark]!r} and of {name!r}; a {kind} "
                        "stands for one class."
                    )
        order = sorted(found)
        classes = [-1 if found[m] == VOID else self.names.index(found[m]) for m in order]
        return np.array(order, np.int64), np.array(classes, np.int32)

    def _looked_up(
        self, marks: np.ndarray, known: tuple[np.ndarray, np.ndarray], *, kind: str, where: str
    ) -> np.ndarray:
        order, classes = known
        place = np.searchsorted(order, marks).clip(max=len(order) - 1)
        strange, counts = np.unique(marks[order[place] != marks], return_counts=True)
        if not len(strange):
            return classes[place]
        often = np.argsort(-counts, kind="stable")[:LISTED]
        told = [_unpacked(mark) if kind == "colours" else int(mark) for mark in strange[often]]
        listed = [f"{t} in {n:,} pixels" for t, n in zip(told, counts[often], strict=True)]
        more = len(strange) - len(listed)
        raise ValueError(
            f"{where} has {kind} that the table of {len(self.names)} classes lacks: "
            f"{', '.join(listed)}{f' and {more:,} others' if more else ''}; choose another table, "
            f"or add them to this one, as {VOID!r} if they are no class."
        )


def read(path: str | os.PathLike) -> ClassTable:
    """Returns the table in a file.

    Args:
        path: a .json with the object {name: colour, or several} that `ClassTable` takes, or a .csv
            with the columns name, r, g and b, in which a class may have several rows.

    Raises:
        ValueError: the file is none of these.
    """
    path = pathlib.Path(path).expanduser()
    if path.suffix.lower() not in (".json", ".csv") or not path.is_file():
        raise ValueError(
            f"classes are {{name: colour}}, a .json or a .csv with the columns {', '.join(COLUMNS)}"
            f"; {path} is no such file."
        )
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has more than {LARGEST:,} bytes, and is no table of classes.")
    if path.suffix.lower() == ".json":
        colours: Mapping[str, Any] = json_file.read(path)
    else:
        colours = {}
        for name, colour in _rows(path):
            colours.setdefault(name, []).append(colour)
    try:
        return ClassTable(colours)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _rows(path: pathlib.Path) -> Iterator[tuple[str, list[int]]]:
    """Yields (name, colour) of every row of a .csv."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no .csv: {error}.") from None
    header = [cell.lower() for cell in rows[0]] if rows else []
    if not set(COLUMNS) <= set(header):
        raise ValueError(
            f"{path} needs a first line with the columns {', '.join(COLUMNS)}; its first line is "
            f"{', '.join(header)!r}."
        )
    for row in rows[1:]:
        cells = dict(zip(header, row, strict=False))
        try:
            yield cells["name"], [int(cells[column]) for column in COLUMNS[1:]]
        except (KeyError, ValueError):
            raise ValueError(
                f"{path}: {', '.join(row)!r} is no row of name, red, green and blue."
            ) from None


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ValueError(f"The name of a class is a text; received {arguments.told(name)}.")
    return VOID if name.strip().lower() == VOID else name.strip()


def _several(name: str, value: Any) -> tuple[Colour, ...]:
    """Returns the colours of a class, which may be given as one or as several."""
    one = isinstance(value, str) or (
        isinstance(value, (list, tuple)) and all(isinstance(level, int) for level in value)
    )
    several = [value] if one else value
    if not isinstance(several, (list, tuple)) or not several:
        raise ValueError(f"Class {name!r} has the colour {arguments.told(value)}, which is none.")
    return tuple(_colour(name, each) for each in several)


def _colour(name: str, value: Any) -> Colour:
    if isinstance(value, str) and HEX.fullmatch(value):
        return _unpacked(int(value[1:], 16))
    levels = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(levels) != 3 or not all(type(level) is int and 0 <= level <= 255 for level in levels):
        raise ValueError(
            f"A colour is (red, green, blue), integers of 0 to 255, or '#rrggbb'; class {name!r} "
            f"has {arguments.told(value)}."
        )
    return levels[0], levels[1], levels[2]


def _packed(colours: Any) -> Any:
    """Returns colours [..., 3] as integers [...]."""
    levels = np.asarray(colours).astype(np.int64)
    packed = (levels[..., 0] << 16) + (levels[..., 1] << 8) + levels[..., 2]
    return int(packed) if packed.ndim == 0 else packed


def _unpacked(colour: int) -> Colour:
    return int(colour) >> 16, int(colour) >> 8 & 255, int(colour) & 255
