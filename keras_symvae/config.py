"""A configuration: the arguments that an object was made with."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import keras

from keras_symvae import arguments as checks

FROZEN = "frozen"  # in a configuration: the places of the layers inside that are not trained
PLAIN = (str, int, float, bool, type(None))


class Configured:
    """An object whose constructor is its configuration.

    It keeps every argument in an attribute of the same name; `kept` names those that it keeps
    elsewhere. What Keras can serialise is kept as Keras serialises it, plain values as they are.
    """

    kept: ClassVar[dict[str, Callable[[Any], Any]]] = {}  # {argument: function of the object}
    given_by_subclasses: ClassVar[tuple[str, ...]] = ()  # arguments that users do not see

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # What comes after this class in the order of parents takes the arguments.
        if kwargs.get("name") is not None:
            checks.label(kwargs["name"])
        super().__init__(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns {argument: value}, from which `from_config` makes the object again."""
        names = [n for n in arguments(type(self)) if n not in self.given_by_subclasses]
        config = {name: self._argument(name) for name in names}
        frozen = [index for index, layer in enumerate(_layers(self)) if not layer.trainable]
        return {**config, FROZEN: frozen} if frozen else config

    def _argument(self, name: str) -> Any:
        value = self.kept[name](self) if name in self.kept else getattr(self, name)
        return value if is_plain(value) else keras.saving.serialize_keras_object(value)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the object of a configuration.

        Raises:
            ValueError: it names a class that is not registered.
        """
        config = dict(config)
        check_known(config)
        frozen = config.pop(FROZEN, ())
        made = cls(**keras.saving.deserialize_keras_object(config))
        if frozen:
            for index, layer in enumerate(_layers(made)):  # an owner comes before what it owns
                layer.trainable = index not in frozen
        return made


def objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yields the configuration of every object that a configuration names, at any depth."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part


def check_known(config: Any) -> None:
    """Refuses a configuration that names a class or function which nobody has registered.

    Keras would say so in many lines, with all of the configuration.

    Raises:
        ValueError: says what it names, and what to import.
    """
    for part in objects(config):
        kind, module = str(part["class_name"]), part.get("module")
        name = part.get("config") if kind == "function" else part.get("registered_name", kind)
        of_keras = isinstance(module, str) and re.match(r"(keras(\..*)?|builtins)$", module)
        if of_keras or kind.startswith("__") or keras.saving.get_registered_object(name):
            continue
        package = str(name).partition(">")[0] if ">" in str(name) else module
        raise ValueError(
            f"the model names {name!r} of {module!r}, which is not registered here: `import "
            f"{package}` first if you know what that is (commands know keras_symvae and zoo alone)"
        )


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


def _layers(owner: Any) -> list[keras.Layer]:
    """Returns all layers inside of one, in an order that its twin has too; none of others."""
    return list(owner._flatten_layers(include_self=True)) if isinstance(owner, keras.Layer) else []


def is_plain(value: Any) -> bool:
    """Returns whether a value is one of JSON, tuples included."""
    if isinstance(value, dict):
        return all(is_plain(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_plain(part) for part in value)
    return isinstance(value, PLAIN)
