"""A saved model: a `.keras` file of whoever made it, looked through before Keras builds it."""

import contextlib
import io
import math
import os
import pathlib
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_symvae import archive, config, hdf5, json_file

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
# Parts of Keras that models are made of; the others download, write files and switch safety off.
PARTS = (
    "activations constraints dtype_policies initializers layers losses metrics models ops "
    "optimizers quantizers random regularizers"
)
ALLOWED = re.compile(rf"keras(\.src)?(\.({PARTS.replace(' ', '|')})(\.\w+)*)?|builtins")
# Layers that run the code of others, or read files of the machine they are loaded on.
FOREIGN = ("TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
FOREIGN += ("StringLookup", "IntegerLookup", "TextVectorization")
NUMBERS = re.compile(r"(bool|b?float|u?int|complex)\d*")
# Weights that a model may have for every byte in its file: an optimizer that had not yet begun has
# up to five numbers for each of the weights, and metrics and counters are not in the file at all.
LARGER, SPARE = 8, 2**26
LONG = 300  # characters of what Keras says


def load(path: str | os.PathLike, *, compile: bool = True) -> Any:
    """Returns the model in a `.keras` file, by `keras.saving.load_model` after a look at the file.

    No code out of the file is run, no other file is read or written, and memory is bounded by the
    size of the file, see SECURITY.md.

    Args:
        path: the file. The classes that it names have to be imported, such as those of `zoo`.
        compile: whether the optimizer is made, too.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or hostile, or names a class that is not known; one line.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no .keras file")
    archive.check(path)
    weights = _looked_through(path)
    room = _Room(LARGER * weights + SPARE)
    try:
        with room.kept():
            model = keras.saving.load_model(path, compile=compile, safe_mode=True)
    except Exception as error:  # whatever a file makes Keras raise is the fault of the file
        room.check(path)
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0]
        short = reason if len(reason) < LONG else f"{reason[:LONG]}..."
        raise ValueError(f"{path} holds no model that can be built here: {short}") from error
    room.check(path)
    return model


def round_weights(path: str | os.PathLike, dtype: str) -> None:
    """Gives the weights in a `.keras` file another precision, in place; Keras loads them as before.

    Args:
        path: the file, which this process wrote.
        dtype: of NumPy, such as "float16".

    Raises:
        ValueError: a weight is no finite number in this precision.
    """
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members[WEIGHTS] = hdf5.rounded(members[WEIGHTS], dtype)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def _looked_through(path: pathlib.Path) -> int:
    """Returns the bytes of the weights in a file whose parts are all harmless."""
    with zipfile.ZipFile(path) as file:
        missing = sorted({CONFIG, WEIGHTS} - set(file.namelist()))
        if missing:
            raise ValueError(f"{path} is no .keras file: it has no {' and no '.join(missing)}")
        try:
            found = json_file.parsed(file.read(CONFIG), where=CONFIG)
            for part in config.objects(found):
                _check_harmless(part)
            config.check_known(found)
        except (ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{path}: {error}") from None
        member = file.getinfo(WEIGHTS)
        packed = member.compress_type != zipfile.ZIP_STORED  # HDF5 leaps, which takes ages there
        with io.BytesIO(file.read(member)) if packed else file.open(member) as weights:
            return hdf5.check(weights, size=member.file_size, where=str(path))


def _check_harmless(part: dict[str, Any]) -> None:
    """Refuses what runs code, reads other files or fills the memory when Keras builds it."""
    name, module, inner = (part.get(key) for key in ("class_name", "module", "config"))
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise ValueError(f"{CONFIG} names no class of Keras")
    inner = inner if isinstance(inner, dict) else {}
    function = inner.get("function")
    if name == "__lambda__" or (name == "Lambda" and not isinstance(function, dict)):
        raise ValueError(
            "it holds code of its own, which is never run; write a layer class in place of a Lambda"
        )
    if name in FOREIGN:
        raise ValueError(f"its layer {name} reads other files or runs their code; build it anew")
    if module is not None and module.startswith("keras.") and not ALLOWED.fullmatch(module):
        what = part["config"] if name == "function" else name
        raise ValueError(f"it names {module}.{what}, which is no part of a model; do not use it")
    if name in ("__numpy__", "__tensor__") and not NUMBERS.fullmatch(str(inner.get("dtype"))):
        raise ValueError(f"{CONFIG} holds an array that is not one of numbers")


class _Room:
    """The bytes that a model may take: beyond them its variables are made empty, and it is refused.

    An error at that point would stay in Keras, which keeps variables that are not yet made.
    """

    def __init__(self, most: int):
        self.most, self.made = most, 0

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keeps what is built in the block within these bytes."""
        with tf.variable_creator_scope(self._create), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Layer '.*' looks like it has unbuilt state")
            yield

    def check(self, path: pathlib.Path) -> None:
        """Refuses the file of a model that took more."""
        if self.made > self.most:
            raise ValueError(
                f"{path} describes weights of at least {self.made:,} bytes, and holds far fewer; "
                "it is damaged, or made to fill the memory"
            )

    def _create(self, make: Any, **options: Any) -> Any:
        value: Any = options["initial_value"]
        with tf.Graph().as_default():  # where nothing is computed
            value = value() if callable(value) else value
            value = value if hasattr(value, "shape") else tf.convert_to_tensor(value)
            dtype = tf.as_dtype(value.dtype)
        self.made += math.prod(value.shape) * dtype.size
        if self.made > self.most:
            options["initial_value"] = lambda: tf.zeros((), dtype)
        return make(**options)
