"""Shape contracts: the shapes of arrays at a public boundary, written once and checked in tests."""

import ast
import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

SWITCH = (
    "KERAS_SYMVAE_SHAPES"  # set to "1" before the library is imported, and contracts are checked
)
CHECKED = os.environ.get(SWITCH, "0") == "1"

Function = TypeVar("Function", bound=Callable[..., Any])
Axes = tuple[int | None, ...]


class ShapeError(Exception):
    """An array whose shape is not what a contract says; always the fault of the calling code.

    It is not a ValueError, so that no test that expects one takes it for that, and it has the
    plain constructor of Exception, so that AutoGraph can raise it again with its own traceback.
    """


def shaped(*, checked: bool = CHECKED, **contracts: str) -> Callable[[Function], Function]:
    """Declares the shapes of arguments, and of what a function `returns`, by its parameters' names.

        @shaped(eta="[B, ...]", value="[B, *self.shape]", returns="[B]")
        def log_prob(self, eta, value): ...

    A contract is one of
        [B, 3, n]            axes: a number, or a name that has one size in the whole call
        [B, ...]             any further axes
        [B, *self.shape]     the axes, or `self.size` the size, that an argument's attribute holds
        {name: [B, ...]}     a dict of arrays, here with one common B
        ([B], {name: [B]})   a tuple with exactly these parts
        [B] | [B, n]         either; the first that fits

    Where [...] meets a tuple of arrays, each of them has to fit. None fits everything, as an
    argument, and as an axis whose size is unknown while a graph is traced.

    Arguments are checked before the call, in the order of the contracts, and the result after it.
    Unless the environment variable KERAS_SYMVAE_SHAPES is "1" when the library is imported,
    functions stay what they are: the contract costs nothing and is only read.

    Raises:
        ShapeError: names the function, the argument, what was expected and what was received.
    """

    def decorate(function: Function) -> Function:
        if not checked:
            return function
        signature = inspect.signature(function)
        unknown = contracts.keys() - {*signature.parameters, "returns"}
        if unknown:
            raise TypeError(f"{function.__qualname__} has no parameters {sorted(unknown)}.")
        parsed = {name: ast.parse(text, mode="eval").body for name, text in contracts.items()}

        @functools.wraps(function)
        def contracted(*args: Any, **kwargs: Any) -> Any:
            call = _Call(function, signature, args, kwargs)
            for name, contract in parsed.items():
                if name != "returns":
                    call.check(name, call.arguments.get(name), contract)
            result = function(*args, **kwargs)
            if "returns" in parsed:
                call.check("returns", result, parsed["returns"])
            return result

        return contracted  # pyright: ignore[reportReturnType]

    return decorate


class _Call:
    """One call of a function, and the sizes that its arrays have so far given to names."""

    @tf.autograph.experimental.do_not_convert
    def __init__(self, function: Callable, signature: inspect.Signature, args: Any, kwargs: Any):
        self.function, self.known, self.places = function, {}, {}
        try:
            self.arguments = signature.bind(*args, **kwargs).arguments
        except TypeError:  # the call itself says what is wrong with it
            self.arguments = {}

    @tf.autograph.experimental.do_not_convert
    def check(self, place: str, value: Any, contract: ast.expr) -> None:
        """Raises ShapeError unless the value fits; learns the sizes of names."""
        problem = next(self._problems(place, value, contract), None)
        if problem is not None:
            owner = self.arguments.get("self")
            name = self.function.__qualname__
            if owner is not None:
                name = f"{type(owner).__name__}.{self.function.__name__}"
            raise ShapeError(f"{name}: {problem}")

    def _problems(self, place: str, value: Any, contract: ast.expr) -> Iterator[str]:
        """Yields what does not fit."""
        if value is None:
            return
        match contract:
            case ast.BinOp(left=left, right=right):
                before = dict(self.known), dict(self.places)
                if any(True for _ in self._problems(place, value, left)):
                    self.known, self.places = before
                    if any(True for _ in self._problems(place, value, right)):
                        self.known, self.places = before
                        yield self._told(place, value, contract)
            case ast.Dict(values=[part]):
                if not isinstance(value, Mapping):
                    yield self._told(place, value, contract)
                    return
                for key, item in value.items():
                    yield from self._problems(f"{place}[{key!r}]", item, part)
            case ast.Tuple(elts=parts):
                if not isinstance(value, (tuple, list)) or len(value) != len(parts):
                    yield self._told(place, value, contract)
                    return
                for index, (item, part) in enumerate(zip(value, parts, strict=True)):
                    yield from self._problems(f"{place}[{index}]", item, part)
            case ast.List(elts=dims):
                if _is_nest(value):
                    for index, item in enumerate(value):
                        yield from self._problems(f"{place}[{index}]", item, contract)
                    return
                axes = _axes(value)
                known = not isinstance(value, (Mapping, str))
                if not known or (axes is not None and not self._fits(place, axes, dims)):
                    yield self._told(place, value, contract)
            case _:
                raise TypeError(f"Cannot read the contract {ast.unparse(contract)!r}.")

    def _fits(self, place: str, axes: Axes, dims: list[ast.expr]) -> bool:
        """Returns whether the axes are those of a contract [dims]; learns the sizes of names."""
        head: list[Any] = []
        for index, dim in enumerate(dims):
            if isinstance(dim, ast.Constant) and dim.value is ...:
                tail = dims[index + 1 :]
                rest = len(axes) - len(tail)
                return (
                    rest >= len(head)
                    and self._agree(place, axes[: len(head)], head)
                    and self._fits(place, axes[rest:], tail)
                )
            head += self._sizes(dim)
        return len(axes) == len(head) and self._agree(place, axes, head)

    def _sizes(self, dim: ast.expr) -> list[Any]:
        """Returns what an axis of a contract stands for: numbers, and names of sizes."""
        match dim:
            case ast.Starred(value=inner):
                return list(self._attribute(inner))
            case ast.Attribute():
                return [self._attribute(dim)]
            case ast.Name(id=name):
                return [name]
            case ast.Constant(value=int() as size):
                return [size]
        raise TypeError(f"Cannot read the axis {ast.unparse(dim)!r} of a contract.")

    def _attribute(self, node: ast.expr) -> Any:
        """Returns an attribute of an argument, such as `self.shape`."""
        if isinstance(node, ast.Attribute):
            return getattr(self._attribute(node.value), node.attr)
        if isinstance(node, ast.Name):
            return self.arguments[node.id]
        raise TypeError(f"Cannot read {ast.unparse(node)!r} in a contract.")

    def _agree(self, place: str, axes: Axes, sizes: list[Any]) -> bool:
        for axis, size in zip(axes, sizes, strict=True):
            if axis is None:
                continue
            if isinstance(size, str) and size not in self.known:
                self.known[size], self.places[size] = axis, place
            if axis != (self.known[size] if isinstance(size, str) else size):
                return False
        return True

    def _told(self, place: str, value: Any, contract: ast.expr) -> str:
        """Returns the sentence that says what was received and what was expected."""
        axes = _axes(value)
        if isinstance(value, Mapping):
            received = f"a dict of {list(value)}"
        elif _is_nest(value):
            received = f"a {type(value).__name__} of {len(value)} arrays"
        elif axes is None:
            received = f"a {type(value).__name__}"
        else:
            received = f"shape [{', '.join(str(axis) for axis in axes)}]"
        found = [node for node in ast.walk(contract) if isinstance(node, (ast.Name, ast.Attribute))]
        hints = {}
        for node in found:
            if isinstance(node, ast.Attribute):
                hints[ast.unparse(node)] = f"{ast.unparse(node)} = {self._attribute(node)}"
            elif node.id in self.known:
                hints[node.id] = f"{node.id} = {self.known[node.id]} (from {self.places[node.id]})"
        told = f"{place} has {received}, expected {ast.unparse(contract)}"
        return f"{told} with {', '.join(hints.values())}." if hints else f"{told}."


def _is_nest(value: Any) -> bool:
    """Returns whether a value is a tuple or list of arrays, or of such tuples."""
    listed = isinstance(value, (tuple, list))
    return listed and any(hasattr(part, "shape") or _is_nest(part) for part in value)


def _axes(value: Any) -> Axes | None:
    """Returns the sizes of an array's axes, None for one that is unknown or for an unknown rank."""
    shape = getattr(value, "shape", None)
    if shape is None:
        return None if isinstance(value, (Mapping, str)) else np.shape(value)
    if isinstance(shape, tf.TensorShape):
        return None if shape.rank is None else tuple(shape.as_list())
    return tuple(shape)
