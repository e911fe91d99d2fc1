"""An identity: all that decides the result of a training, as plain values that can be compared."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import keras

from keras_symvae.callbacks.fingerprint import CONTENT
from keras_symvae.config import FROZEN
from keras_symvae.version import __version__

Identity = dict[str, Any]  # {part: plain JSON values}

PARTS = (
    "learner",
    "pair",
    "optimizer",
    "seed",
    "data",
    "batch_size",
    "steps_per_epoch",
    "shuffle",
    "validation_split",
)
SHOWN = 3  # differences that a message tells
# What Keras writes of an object beside its class and its arguments.
INCIDENTAL = {"build_config", "module", "registered_name", "shared_object_id", "compile_config"}


def of_learner(learner: Any) -> Identity:
    """Returns what a learner is, apart from its weights: game, pair, optimizer and seed.

    A part that does not tell its configuration is known by the shapes of its weights.
    """
    try:
        config = _plain(_unnumbered(learner.get_config()))
        pair = config.pop("pair")
    except (
        NotImplementedError,
        TypeError,
        ValueError,
    ):  # a layer of the user's that has no `get_config`
        shapes = [list(weight.shape) for weight in learner.pair.weights]
        config, pair = (
            {},
            {"class_name": type(learner.pair).__name__, "config": {"weights": shapes}},
        )
    said = {"name", "seed"}
    if len(config.get(FROZEN, ())) == len(pair["config"].get(FROZEN, ())):
        said.add(FROZEN)  # of the pair alone
    config = {name: value for name, value in config.items() if name not in said}
    return {
        "version": __version__,
        "learner": {"class_name": type(learner).__name__, "config": config},
        "pair": pair,
        "optimizer": of_optimizer(learner.optimizer),
        "seed": learner.seed,
    }


def of_optimizer(optimizer: Any) -> Any:
    """Returns class and configuration of an optimizer, rates and schedules included, or None."""
    if optimizer is None:
        return None
    try:
        return _plain(_unnumbered(keras.optimizers.serialize(optimizer)))
    except NotImplementedError:  # a schedule of the user's that has no `get_config`
        return {"class_name": type(optimizer).__name__, "config": {}}


def differences(
    former: Identity, now: Identity, *, optimizer: Any = None, allowed: Collection[str] = ()
) -> list[str]:
    """Returns what differs, as sentences such as "batch_size was 32 and is now 64".

    Args:
        former: identity of the training that wrote a state.
        now: that of another, as far as it is known.
        optimizer: what `of_optimizer` said when the state was written. Callbacks may have changed
            rates since the training began, and who goes on in the same process has these.
        allowed: names of `PARTS` that may differ.
    """
    found = []
    for part in PARTS:
        if part in allowed or part not in former or part not in now:
            continue
        was, is_now = (dict(_flat(each[part], part)) for each in (former, now))
        also = dict(_flat(optimizer, part)) if part == "optimizer" else {}
        names = [name for name in {**was, **is_now} if _differ(name, was, is_now, also)]
        if former.get("version") != now.get("version", former.get("version")):
            # Another version may have arguments that this one lacked.
            names = [name for name in names if name in was]
        for name in names:
            if not any(name.startswith(f"{other}.") for other in names):
                found.append(_sentence(name, was, is_now))
        if part == "learner" and names == ["learner"]:
            return found  # of another game everything differs
    return found


def told(found: list[str]) -> str:
    """Returns the first differences as part of a sentence."""
    rest = len(found) - SHOWN
    return "; ".join(found[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def _differ(name: str, former: dict[str, Any], now: dict[str, Any], also: dict[str, Any]) -> bool:
    if name not in former or name not in now:
        return True
    return now[name] != former[name] and (name not in also or now[name] != also[name])


def _sentence(name: str, former: dict[str, Any], now: dict[str, Any]) -> str:
    head = name.replace("optimizer.optimizers.", "optimizer.")
    if head.endswith(f".{CONTENT}") and name in former and name in now:
        return f"{head.removesuffix(f'.{CONTENT}')} holds other values"
    was, is_now = (_short(each[name]) if name in each else "None" for each in (former, now))
    return f"{head} was {was} and is now {is_now}"


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yields (path, plain value) of nested configurations, of objects their class."""
    if isinstance(value, dict) and "class_name" in value:
        yield path, value["class_name"]
        value = value.get("config")
        if not isinstance(value, dict):  # the name of a function
            path, value = f"{path}.name", value
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in INCIDENTAL:
                yield from _flat(part, f"{path}.{key}")
    elif isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value):
        for index, part in enumerate(value):
            yield from _flat(part, f"{path}.{index}")
    elif value is not None or "." not in path:
        yield path, value


def _plain(config: Any) -> Any:
    """Returns JSON values; of what has none, its text without the place in memory."""
    text = json.dumps(config, default=lambda value: re.sub(r" at 0x[0-9a-f]+", "", repr(value)))
    return json.loads(text)


def _unnumbered(config: Any) -> Any:
    """Returns a configuration with the names that Keras made up counted from its own beginning.

    Keras numbers layers by how many there were in the process, as "dense_12".
    """
    names: dict[str, str] = {}

    def collect(value: Any) -> None:
        if isinstance(value, Mapping):
            name = (value.get("config") or {}).get("name") if _is_object(value) else None
            base = re.sub(r"_\d+$", "", name) if isinstance(name, str) else ""
            if name and _snake(value["class_name"]) == base:
                names.setdefault(name, f"{base}#{len(names)}")
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for part in value:
                collect(part)

    def renamed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: renamed(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [renamed(part) for part in value]
        return names.get(value, value) if isinstance(value, str) else value

    collect(config)
    return renamed(config)


def _is_object(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("class_name"), str) and isinstance(value.get("config"), Mapping)


def _snake(name: str) -> str:
    """Returns the name that Keras gives a first object of a class."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
