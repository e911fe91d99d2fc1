"""A public call: what its arguments usually are, and the property that it has for all others."""

import dataclasses
import pathlib
import re
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.properties import arguments

ROOT = pathlib.Path(__file__).parent.parent.parent
LIBRARY = tuple(str(ROOT / room) for room in ("keras_symvae", "zoo"))
LONGEST = 600  # characters of a message


@dataclasses.dataclass(frozen=True)
class New:
    """An argument that every try makes anew, such as a layer."""

    make: Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Call:
    """A function with a strategy for every argument.

    Args:
        function: what is called, all arguments by their names.
        usual: {argument: strategy of values that it takes}.
        needed: names of the arguments that are always given.
        odd: {argument: strategy of values like those that it takes}, beside odd ones of any kind.
        right: `right(result, arguments)` asserts what an answer has to be.
        weights: function that returns the weights, a list of arrays, which the call may not change.
        words: further words by which a message may say what it is about.
        refused: further types of errors that are no faults.
        cost: how many tries of other calls one try of this one is worth.
        fixed: names of the arguments that are never odd, such as paths.
    """

    function: Callable[..., Any]
    usual: Mapping[str, st.SearchStrategy]
    needed: Sequence[str] = ()
    odd: Mapping[str, st.SearchStrategy] = dataclasses.field(default_factory=dict)
    right: Callable[[Any, Mapping[str, Any]], None] = lambda result, given: None
    weights: Callable[[], Sequence[np.ndarray]] | None = None
    words: Sequence[str] = ()
    refused: tuple[type[Exception], ...] = ()
    fixed: Sequence[str] = ()
    cost: float = 1.0

    @property
    def name(self) -> str:
        """The full name of the function."""
        function = getattr(self.function, "func", self.function)
        return f"{function.__module__}.{function.__qualname__}"

    def given(self) -> st.SearchStrategy:
        """Returns a strategy of arguments, at most two of which are odd."""
        return _given(self)

    def hold(self, given: Mapping[str, Any]) -> None:
        """Asserts that the call answers rightly, or is refused in words; weights stay."""
        before = self.weights() if self.weights else []
        given = {n: each.make() if isinstance(each, New) else each for n, each in given.items()}
        try:
            with warnings.catch_warnings(
                action="ignore"
            ):  # of Keras, of options that exclude others
                result = self.function(**given)
        except Exception as error:
            fault = self.fault(error)
            assert fault is None, fault
        else:
            self.right(result, given)
        after = self.weights() if self.weights else []
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(old, new, err_msg="a question changed weights")

    def fault(self, error: Exception) -> str | None:
        """Returns what is wrong with a refusal, or None."""
        *_, last = traceback.extract_tb(error.__traceback__)
        told = f"{type(error).__name__} at {last.filename}:{last.lineno}: {error}"
        if type(error) not in (ValueError, TypeError, *self.refused):
            return f"not a refusal: {told}"
        if not last.filename.startswith(LIBRARY):
            return f"not of this library: {told}"
        text = str(error)
        if len(text) >= LONGEST or "\n" in text or re.search(r"array\(|tf\.Tensor", text):
            return f"not one short paragraph: {told}"
        words = {*self.usual, *self.words}
        if not any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words):
            return f"names none of {sorted(words)}: {told}"
        return None


@st.composite
def _given(draw: Any, call: Call) -> dict[str, Any]:
    names = list(call.usual)
    free = [name for name in names if name not in call.fixed]
    chosen = draw(st.lists(st.sampled_from(free), max_size=2, unique=True))
    given = {}
    for name in names:
        if name in chosen:
            near = [call.odd[name]] if name in call.odd else []
            given[name] = draw(st.one_of(call.usual[name], *near, *near, arguments.ANYTHING))
        elif name in call.needed or draw(st.booleans()):
            given[name] = draw(call.usual[name])
    return given
