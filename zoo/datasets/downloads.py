"""Data sets of TFDS, downloaded and prepared where that is still to be done."""

import urllib.error
from typing import Any

OFFLINE = (
    "'fashion_mnist_bits', 'digits', a folder of images or IDX files (Debian's "
    "dataset-fashion-mnist), or a .npz"
)


def prepared(builder: Any, *, known: str) -> Any:
    """Returns the `tfds.core.DatasetBuilder`, prepared on this machine.

    Args:
        builder: The builder.
        known: What may be loaded without a network, for messages.

    Raises:
        ConnectionError: The set is not on this machine and cannot be downloaded.
        FileNotFoundError: Files that are downloaded by hand are missing.
    """
    import requests

    try:
        if not builder.is_prepared():
            # Left to itself, TFDS retries for minutes before it admits that it is offline.
            for url in [url for url in builder.url_infos or () if url.startswith("http")][:1]:
                requests.head(url, timeout=10)
            builder.download_and_prepare()
    except (requests.RequestException, urllib.error.URLError, ConnectionError, TimeoutError) as e:
        raise ConnectionError(
            f"TFDS dataset {builder.name!r} is not on this machine and cannot be downloaded "
            f"({type(e).__name__}). Without a network, data may be {known}."
        ) from None
    except AssertionError as error:  # What TFDS raises where the manual folder is missing.
        raise FileNotFoundError(str(error)) from None
    return builder
