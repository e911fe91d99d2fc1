"""Images that come with this library, or with scikit-learn, and need no network."""

import pathlib

import numpy as np

from zoo.datasets import npz
from zoo.datasets.splits import Parts

FILES = pathlib.Path(__file__).parent / "files"
SHARES = {"fashion_mnist_bits": 0.1, "digits": 0.2}  # of the images, for testing
SIDE = 28  # pixels


def read(name: str) -> tuple[Parts, int]:
    """Returns ({"train": (x, y)}, number of classes) of one of the sets in `SHARES`.

    `fashion_mnist_bits` are 10,000 training images of Fashion-MNIST, 1,000 of each class, as bits:
    whether a gray level exceeds 7/16, the threshold of `Preparation`. `digits` are the 1,797
    handwritten digits of scikit-learn, 8 x 8.
    """
    return {"fashion_mnist_bits": _bits, "digits": _digits}[name](), 10


def _bits() -> Parts:
    with npz.opened(FILES / "fashion_mnist_bits.npz") as arrays:
        packed, y = arrays["x"], arrays["y"]
    x = np.unpackbits(packed, axis=1).reshape(-1, SIDE, SIDE, 1)
    return {"train": (x.astype(np.float32), y)}


def _digits() -> Parts:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"train": (digits.images / 16, digits.target)}
