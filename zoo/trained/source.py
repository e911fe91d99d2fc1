"""A source: what names a trained model, here or elsewhere."""

import os
import pathlib

from keras_symvae import arguments
from zoo.trained import huggingface, kaggle, shipped
from zoo.trained.card import FILE, MODEL, Card

HUBS = {"hf://": huggingface, "kaggle://": kaggle}


def model_of(source: str | os.PathLike) -> pathlib.Path:
    """Returns the full path of the `.keras` file of a trained model.

    Args:
        source: the name of a model that is shipped; the folder of a finished run, or one that
            `zoo.save` wrote; a `.keras` file; `"hf://USER/NAME"`, where `"@REVISION"` may follow;
            or `"kaggle://OWNER/MODEL/FRAMEWORK/VARIATION"`, where `"/VERSION"` may follow. A folder
            that is called like a shipped model is written `"./NAME"`.

    Raises:
        FileNotFoundError: the folder or the hub holds no model.
        ValueError: the model is not the one that the card beside it describes.
        ConnectionError: the hub does not answer, and the model was not downloaded before.
        ImportError: the library of the hub is not installed.
    """
    text = source if isinstance(source, str) else str(arguments.path("source", source))
    hub = next((prefix for prefix in HUBS if text.startswith(prefix)), None)
    if hub is not None:
        folder = HUBS[hub].fetched(text.removeprefix(hub))
    elif text in shipped.names():
        folder = shipped.folder(text)
    else:
        folder = pathlib.Path(text).expanduser().resolve()
        if not folder.is_dir():
            return folder
        if not (folder / MODEL).is_file():
            raise FileNotFoundError(
                f"{source} holds no {MODEL}; an interrupted run is finished by --resume "
                f"--out={source}"
            )
    if hub is not None or (folder / FILE).is_file():
        Card.read(folder).check(folder)
    return folder / MODEL


def is_own(source: str | os.PathLike) -> bool:
    """Returns whether a source is a path, beside which files may be written."""
    text = os.fspath(source)
    return text not in shipped.names() and not text.startswith(tuple(HUBS))
