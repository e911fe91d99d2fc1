"""A configuration: the arguments that an object was made with."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Self

import keras

PLAIN = (str, int, float, bool, type(None))


class Configured:
    """An object whose constructor is its configuration.

    It keeps every argument in an attribute of the same name; `kept` names those that it keeps
    elsewhere. What Keras can serialise is kept as Keras serialises it, plain values as they are.
    """

    kept: ClassVar[dict[str, Callable[[Any], Any]]] = {}  # {argument: function of the object}
    given_by_subclasses: ClassVar[tuple[str, ...]] = ()  # arguments that users do not see

    def get_config(self) -> dict[str, Any]:
        """Returns {argument: value}, from which `from_config` makes the object again."""
        names = [n for n in arguments(type(self)) if n not in self.given_by_subclasses]
        return {name: self._argument(name) for name in names}

    def _argument(self, name: str) -> Any:
        value = self.kept[name](self) if name in self.kept else getattr(self, name)
        return value if _is_plain(value) else keras.saving.serialize_keras_object(value)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the object of a configuration."""
        return cls(**keras.saving.deserialize_keras_object(config))


def arguments(kind: type) -> list[str]:
    """Returns the names of all arguments that a class takes, also those it hands to its parents."""
    names: dict[str, None] = {}
    for parent in kind.__mro__:
        if parent.__module__.split(".")[0] == "keras":
            return [*names, "name"] if "name" not in names else [*names]
        own = vars(parent).get("__init__")
        if own is None:
            continue
        parameters = inspect.signature(own).parameters.values()
        names |= {
            each.name: None
            for each in parameters
            if each.name != "self" and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
        }
        if not any(each.kind == each.VAR_KEYWORD for each in parameters):
            break
    return [*names]


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(part) for part in value)
    return isinstance(value, PLAIN)
