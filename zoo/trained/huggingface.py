"""The Hugging Face hub, from which models are fetched and to which they are sent."""

import pathlib
from typing import Any

from zoo.trained.card import FILE, MODEL, TEXT


def fetched(name: str) -> pathlib.Path:
    """Returns the folder, in the hub's cache, with the card and the model of a repository.

    No other file of the repository is asked for. What is in the cache is used without a network.

    Args:
        name: "USER/NAME", where "@REVISION" may follow.

    Raises:
        FileNotFoundError: there is no such repository, or it lacks one of the two files.
        ConnectionError: the hub does not answer.
        ImportError: huggingface_hub is not installed.
        ValueError: the name is none of a repository.
    """
    hub, errors = _client()
    repository, _, revision = name.partition("@")
    path = None
    for file in (FILE, MODEL):
        try:
            # Of one commit: that of the first file is the folder in which it lies.
            commit = path.parent.name if path else revision or None
            path = pathlib.Path(hub.hf_hub_download(repository, file, revision=commit))
        except errors.LocalEntryNotFoundError as error:
            raise ConnectionError(
                f"the Hugging Face hub does not answer, and {file} of hf://{name} was not "
                "downloaded before"
            ) from error
        except errors.EntryNotFoundError as error:
            raise FileNotFoundError(
                f"hf://{name} has no {file}; zoo.upload puts a model there with both"
            ) from error
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
            raise FileNotFoundError(
                f"hf://{name} is no repository that can be read from here; look at its name, or "
                "log in by `hf auth login`"
            ) from error
        except errors.HFValidationError as error:
            raise ValueError(f"hf://{name} is no hf://USER/NAME: {_line(error)}") from None
        except (OSError, errors.HTTPError) as error:
            raise ConnectionError(f"hf://{name}: {_line(error)}") from error
    assert path is not None
    return path.parent


def send(folder: pathlib.Path, name: str) -> str:
    """Uploads a folder that `zoo.save` wrote; returns the address of the repository.

    Args:
        folder: its path.
        name: "USER/NAME"; the repository is made where there is none.

    Raises:
        ConnectionError: the hub refuses, or does not answer.
        ImportError: huggingface_hub is not installed.
        ValueError: the name is none of a repository.
    """
    hub, errors = _client()
    api = hub.HfApi()
    try:
        address = api.create_repo(name, exist_ok=True)
        api.upload_folder(
            folder_path=folder,
            repo_id=name,
            allow_patterns=[FILE, MODEL, TEXT],
            commit_message="A model of keras_symvae",
        )
    except errors.HFValidationError as error:
        raise ValueError(f"hf://{name} is no hf://USER/NAME: {_line(error)}") from None
    except (OSError, errors.HTTPError) as error:
        raise ConnectionError(
            f"hf://{name}: {_line(error)}; log in by `hf auth login` if you have not"
        ) from error
    return str(address)


def _client() -> tuple[Any, Any]:
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError:
        raise ImportError(
            "hf:// needs huggingface_hub, which is not installed; pip install 'keras-symvae[hub]'"
        ) from None
    return huggingface_hub, errors


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
