"""The folder of a trained model that is given to others: the model, its card, and a digest."""

import os
from collections.abc import Mapping
from typing import Any

from keras_symvae import Learner, arguments, files, saved
from zoo.presets.catalogue import parameters
from zoo.runs import report
from zoo.trained import card as cards
from zoo.trained import huggingface
from zoo.trained.card import FILE, MODEL, TEXT, Card

DTYPES = ("float32", "float16")
HF = "hf://"


def save(
    model: Learner,
    folder: str | os.PathLike,
    *,
    card: Mapping[str, Any] | None = None,
    dtype: str | None = None,
) -> Card:
    """Writes a trained learner with its card into a folder, which `zoo.load` and `upload` take.

        model.keras   the learner       card.json, README.md   what others have to know of it

    Args:
        model: the learner.
        folder: its path, a new or empty one, or one that this function wrote before.
        card: what its author says of it, {name: text}: about, data, licence (of the data), source,
            command, not_for, preset; {name: value} under figures and versions. The rest of the
            `Card` is found out.
        dtype: None keeps all of the learner, with its optimizer and the codes that it remembers.
            "float32" and "float16" keep the weights of its players alone, in that precision.

    Returns:
        The card.

    Raises:
        FileExistsError: the folder holds other files.
        ValueError: an argument is none of these, or a weight is no finite number in that precision.
    """
    arguments.instance("model", model, Learner)
    said = cards.written(card)
    if dtype is not None:
        arguments.one_of("dtype", dtype, DTYPES)
    folder = arguments.path("folder", folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    others = sorted({path.name for path in folder.iterdir()} - {FILE, MODEL, TEXT})
    if others:
        raise FileExistsError(f"{folder} holds {others[0]}; choose a new or empty folder")
    with files.whole(folder / MODEL) as unfinished:
        (model if dtype is None else _of_players(model)).save(unfinished)
        if dtype is not None:
            saved.round_weights(unfinished, dtype)
    found = Card(
        **{"versions": report.versions(), **said},
        name=folder.resolve().name,
        learner=type(model).__name__,
        model=type(model.pair).__name__,
        parameters=parameters(model.pair),
        updates=int(model.steps.numpy()),
        seed=model.seed,
        files={MODEL: cards.digest(folder / MODEL)},
        dtype=dtype or "float32",
    )
    found.write(folder)
    return found


def upload(folder: str | os.PathLike, address: str) -> str:
    """Sends a folder that `save` wrote to the Hugging Face hub.

    Args:
        folder: its path.
        address: "hf://USER/NAME"; the repository is made where there is none.

    Returns:
        The address of the repository, for a browser.

    Raises:
        FileNotFoundError: the folder lacks the model or its card.
        ValueError: the address is none, the model is not that of the card, or the card does not
            say what data it learned from, and under which licence.
        ConnectionError, ImportError: the hub refuses, or its library is not installed.
    """
    arguments.instance("address", address, str)
    if not address.startswith(HF):
        raise ValueError(
            f"address is {HF}USER/NAME; received {arguments.told(address)}. To Kaggle, folders are "
            "sent by kagglehub.model_upload."
        )
    folder = arguments.path("folder", folder).expanduser()
    found = Card.read(folder)
    found.check(folder)
    silent = [name for name in ("data", "licence") if getattr(found, name) == cards.UNKNOWN]
    if silent:
        raise ValueError(
            f"The card in {folder} does not say its {' and '.join(silent)}, which others have to "
            "know; save the model again, with card={'data': ..., 'licence': ...}."
        )
    return huggingface.send(folder, address.removeprefix(HF))


def _of_players(model: Learner) -> Learner:
    """Returns a learner with the same players, without an optimizer and remembered codes."""
    bare = type(model).from_config(model.get_config())
    theirs = [model.pair, *model.critics.values()]
    for own, other in zip([bare.pair, *bare.critics.values()], theirs, strict=True):
        own.set_weights(other.get_weights())
    bare.steps.assign(model.steps)
    return bare
