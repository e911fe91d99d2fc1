"""Columns: what the columns of a table hold, as numbers of a family and back."""

from __future__ import annotations

import abc
import dataclasses
import math
from typing import Any, ClassVar, Self

import numpy as np

from keras_symvae import arguments
from keras_symvae.families import Beta, Categorical, Family, Gamma, Normal, Poisson, VonMises

INSIDE = 1e-6  # a fraction of 0 or 1 is moved inside by this much, where a Beta has a density


@dataclasses.dataclass(frozen=True)
class Column(abc.ABC):
    """One column: what its cells hold, and what is known of all of them.

    A cell that nobody knows is NaN, None or an empty text.
    """

    kind: ClassVar[str]
    alike: ClassVar[bool] = True  # neighbours of this kind share one family

    @abc.abstractmethod
    def family(self, size: int) -> Family:
        """Returns the family of the numbers of `size` columns of this kind."""

    @abc.abstractmethod
    def numbers(self, name: str, values: Any) -> np.ndarray:
        """Returns float64 [N], NaN where a cell is unknown.

        Raises:
            ValueError: names the column, what was received and what to do.
        """

    @abc.abstractmethod
    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the cells that numbers [N] stand for."""

    @classmethod
    @abc.abstractmethod
    def seen(cls, name: str, values: Any) -> Self:
        """Returns the column whose statistics are those of some cells."""

    @property
    def config(self) -> dict[str, Any]:
        """The description as plain values."""
        own = dataclasses.asdict(self)
        return {"kind": self.kind, **{k: list(v) if k == "classes" else v for k, v in own.items()}}


@dataclasses.dataclass(frozen=True)
class Real(Column):
    """Real numbers, standardised."""

    kind = "real"
    center: float = 0.0
    spread: float = 1.0

    def family(self, size: int) -> Family:
        return Normal(size, scale="each")

    def numbers(self, name: str, values: Any) -> np.ndarray:
        return (_floats(name, values) - self.center) / self.spread

    def values(self, numbers: np.ndarray) -> np.ndarray:
        return self.center + self.spread * numbers

    @classmethod
    def seen(cls, name: str, values: Any) -> Self:
        found = _known(name, values)
        return cls(float(found.mean()), float(found.std()) or 1.0)


@dataclasses.dataclass(frozen=True)
class Count(Column):
    """Whole numbers from 0 on."""

    kind = "count"
    alike = False
    rate: float = 1.0

    def family(self, size: int) -> Family:
        return Poisson(size, rate=self.rate)

    def numbers(self, name: str, values: Any) -> np.ndarray:
        found = _floats(name, values)
        _refuse(name, found, (found < 0) | (found != np.round(found)), "counts are 0, 1, 2, ...")
        return found

    def values(self, numbers: np.ndarray) -> np.ndarray:
        return np.round(numbers)

    @classmethod
    def seen(cls, name: str, values: Any) -> Self:
        return cls(max(float(_known(name, values).mean()), 0.1))


@dataclasses.dataclass(frozen=True)
class Positive(Column):
    """Positive numbers, in units of their mean."""

    kind = "positive"
    scale: float = 1.0

    def family(self, size: int) -> Family:
        return Gamma(size)

    def numbers(self, name: str, values: Any) -> np.ndarray:
        found = _floats(name, values)
        _refuse(name, found, found <= 0, "they are above 0; call it 'real', or 'count'")
        return found / self.scale

    def values(self, numbers: np.ndarray) -> np.ndarray:
        return self.scale * numbers

    @classmethod
    def seen(cls, name: str, values: Any) -> Self:
        return cls(float(_known(name, values).mean()))


@dataclasses.dataclass(frozen=True)
class Bounded(Column):
    """Numbers between two bounds."""

    kind = "bounded"
    low: float = 0.0
    high: float = 1.0

    def family(self, size: int) -> Family:
        return Beta(size)

    def numbers(self, name: str, values: Any) -> np.ndarray:
        found = _floats(name, values)
        outside = (found < self.low) | (found > self.high)
        _refuse(name, found, outside, f"they lie in [{self.low}, {self.high}]")
        return np.clip((found - self.low) / (self.high - self.low), INSIDE, 1.0 - INSIDE)

    def values(self, numbers: np.ndarray) -> np.ndarray:
        return self.low + (self.high - self.low) * numbers

    @classmethod
    def seen(cls, name: str, values: Any) -> Self:
        found = _known(name, values)
        inside = found.min() >= 0 and found.max() <= 1
        return cls() if inside else cls(float(found.min()), float(found.max()))


@dataclasses.dataclass(frozen=True)
class Angle(Column):
    """Angles, or anything else that returns after a period, such as hours of a day."""

    kind = "angle"
    period: float = 2.0 * math.pi

    def family(self, size: int) -> Family:
        return VonMises(size)

    def numbers(self, name: str, values: Any) -> np.ndarray:
        turns = _floats(name, values) / self.period
        return 2.0 * math.pi * (turns - np.round(turns))

    def values(self, numbers: np.ndarray) -> np.ndarray:
        return np.mod(numbers / (2.0 * math.pi), 1.0) * self.period

    @classmethod
    def seen(cls, name: str, values: Any) -> Self:
        _known(name, values)
        return cls()


@dataclasses.dataclass(frozen=True)
class Class(Column):
    """One of several classes: texts, numbers, True and False."""

    kind = "class"
    alike = False
    classes: tuple[Any, ...] = (False, True)

    def family(self, size: int) -> Family:
        return Categorical((size,), num_classes=len(self.classes))

    def numbers(self, name: str, values: Any) -> np.ndarray:
        places = {each: float(index) for index, each in enumerate(self.classes)}
        cells = np.asarray(values, object).reshape(-1).tolist()
        strange = [each for each in cells if not unknown(each) and each not in places]
        if strange:
            raise ValueError(
                f"Column '{name}' holds {arguments.told(strange[0])}, which is none of its "
                f"classes {arguments.told(list(self.classes))}. Leave such cells empty, or "
                "describe the column with all of its classes."
            )
        return np.array([math.nan if unknown(each) else places[each] for each in cells])

    def values(self, numbers: np.ndarray) -> np.ndarray:
        return np.array(self.classes)[np.round(numbers).astype(int)]

    @classmethod
    def seen(cls, name: str, values: Any) -> Self:
        cells = np.asarray(values, object).reshape(-1).tolist()
        found = {each for each in cells if not unknown(each)}
        if len(found) < 2:
            raise ValueError(f"Column '{name}' has {len(found)} class; leave it out.")
        return cls(tuple(sorted(found, key=lambda each: (isinstance(each, str), each))))


KINDS: dict[str, type[Column]] = {kind.kind: kind for kind in Column.__subclasses__()}


def unknown(cell: Any) -> bool:
    """Returns whether a cell is NaN, None or an empty text."""
    return cell is None or cell == "" or cell != cell


def _floats(name: str, values: Any) -> np.ndarray:
    """Returns float64 [N]; unknown cells are NaN."""
    values = np.asarray(values)
    if values.dtype.kind in "biuf":
        found = values.astype("float64").reshape(-1)
    else:
        cells = values.astype(object).reshape(-1).tolist()
        try:
            found = np.array([math.nan if unknown(cell) else float(cell) for cell in cells])
        except (TypeError, ValueError):
            raise ValueError(
                f"Column '{name}' holds cells that are no numbers; leave such cells empty, or "
                "describe it as a class."
            ) from None
    if np.isinf(found).any():
        raise ValueError(f"Column '{name}' holds infinite values; leave such cells empty.")
    return found


def _known(name: str, values: Any) -> np.ndarray:
    """Returns the known cells, float64."""
    found = _floats(name, values)
    found = found[~np.isnan(found)]
    if not found.size:
        raise ValueError(f"Column '{name}' is empty; leave it out.")
    return found


def _refuse(name: str, found: np.ndarray, wrong: np.ndarray, says: str) -> None:
    wrong = wrong & ~np.isnan(found)
    if wrong.any():
        raise ValueError(f"Column '{name}' holds {found[wrong][0]:g}; {says}.")
