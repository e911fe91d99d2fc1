"""Kaggle's models, from which models are fetched."""

import pathlib

from zoo.trained.card import FILE, MODEL


def fetched(name: str) -> pathlib.Path:
    """Returns the folder, in Kaggle's cache, with the card and the model of a model there.

    No other file is asked for: names of files that Kaggle lists are not used as paths.

    Args:
        name: "OWNER/MODEL/FRAMEWORK/VARIATION", where "/VERSION" may follow; with it, what is in
            the cache is used without a network.

    Raises:
        FileNotFoundError: there is no such model, or it lacks one of the two files.
        ConnectionError: Kaggle does not answer.
        ImportError: kagglehub is not installed.
        ValueError: the name is none of a model.
    """
    try:
        import kagglehub
        from kagglehub.exceptions import KaggleApiHTTPError
        from kagglehub.handle import parse_model_handle
    except ImportError:
        raise ImportError(
            "kaggle:// needs kagglehub, which is not installed; pip install 'keras-symvae[hub]'"
        ) from None
    import requests

    try:
        parse_model_handle(name)
    except ValueError:
        raise ValueError(
            f"kaggle://{name} is no kaggle://OWNER/MODEL/FRAMEWORK/VARIATION, which /VERSION may "
            "follow"
        ) from None
    path = pathlib.Path()
    for file in (FILE, MODEL):
        try:
            path = pathlib.Path(kagglehub.model_download(name, path=file))
        except KaggleApiHTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status not in (401, 403, 404):
                raise ConnectionError(f"kaggle://{name}: the server says {status}") from error
            raise FileNotFoundError(
                f"kaggle://{name} has no {file} that can be read from here; look at its name, or "
                "log in by kagglehub.login()"
            ) from error
        except requests.RequestException as error:
            raise ConnectionError(
                f"Kaggle does not answer, and {file} of kaggle://{name} was not downloaded before, "
                "or its version is not said"
            ) from error
    return path.parent
