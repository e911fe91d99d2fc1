"""Odd arrays: what somebody may give in place of the values of a variable."""

from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from keras_symvae.families import Family

KINDS = ["float32", "float64", "float16", "bool", "int8", "uint8", "int32", "int64", "uint64"]
KINDS += ["complex64", "str", "object"]
FILLS = ["bits", "ones", "nan", "one nan", "inf", "marker", "one marker", "255", "1e300", "grey"]


def usual(family: Family, size: int, *, seed: int = 0) -> np.ndarray:
    """Returns values [size, *shape] that the family takes."""
    rng = np.random.default_rng(seed)
    high = 1 if family.num_classes is None else family.num_classes - 1
    values = rng.integers(0, high + 1, (size, *family.shape))
    return values.astype(family.dtype.as_numpy_dtype)


def shapes(shape: tuple[int, ...]) -> st.SearchStrategy:
    """Returns shapes like those of several values: of none, one axis too many, or few, or long."""
    near = [
        (*shape,),
        (2, *shape, 1),
        (2, *shape[:-1]),
        (1, 2, *shape),
        (2, int(np.prod(shape))),
        (2, *shape[::-1]),
        (2, *shape[-1:], *shape[:-1]),
        (2, *(side + 1 for side in shape)),
        (2, *(0 for _ in shape)),
        (0,),
        (),
    ]
    return st.one_of(
        st.sampled_from([0, 1, 2, 3]).map(lambda n: (n, *shape)), st.sampled_from(near)
    )


@st.composite
def arrays(draw: Any, family: Family) -> Any:
    """Draws an array that the family may or may not take."""
    shape, kind = draw(shapes(family.shape)), draw(st.sampled_from(KINDS))
    fill = draw(st.sampled_from(FILLS))
    value = np.indices(shape).sum(0) % 2.0 if shape else np.asarray(0.0)
    if fill in ("one nan", "one marker"):
        value.flat[:1] = np.nan if fill == "one nan" else family.marker
    elif fill == "marker":
        value[...] = family.marker
    elif fill != "bits":
        value[...] = {"ones": 1, "nan": np.nan, "inf": np.inf, "255": 255, "grey": 0.25}.get(
            fill, 1e300
        )
    with np.errstate(all="ignore"):
        return value.astype(kind)


@st.composite
def contained(draw: Any, array: Any) -> Any:
    """Draws an array, as what it may come in."""
    array = np.asarray(array)
    as_it_is = lambda each: each  # noqa: E731
    forms = [as_it_is, as_it_is, np.ndarray.tolist, np.ma.masked_array, np.asfortranarray, list_of]
    if array.dtype.kind in "biufc":
        forms += [tf.constant, tf.Variable]
    return draw(st.sampled_from(forms))(array)


def list_of(array: np.ndarray) -> Any:
    """Returns a list of the rows."""
    return list(array) if array.ndim else [array]


def variable(family: Family) -> st.SearchStrategy:
    """Returns what somebody may give for one variable."""
    sizes = st.sampled_from([1, 2, 3])
    valid = sizes.map(lambda size: usual(family, size))
    return st.one_of(valid, arrays(family), arrays(family)).flatmap(contained)


@st.composite
def data(draw: Any, model: Any) -> Any:
    """Draws what somebody may give as data of a pair: one variable, a tuple or a dict of some."""
    schema = model.schema
    names = [*schema.observed, *schema.context, *schema.latent]
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    values = {name: draw(variable(model.families[name])) for name in chosen}
    form = draw(st.sampled_from(["dict", "dict", "tuple", "alone", "wrong", "stream", "pairs"]))
    if form == "tuple":
        return tuple(values.values())
    if form == "alone":
        return next(iter(values.values()))
    if form == "wrong":
        return {**values, draw(st.sampled_from(["w", "", 0, None, "X", ("x",)])): 1.0}
    if form == "pairs":
        return (values, draw(st.sampled_from([None, values, np.zeros(2)])))
    if form == "stream":
        return draw(stream(values))
    return values


@st.composite
def stream(draw: Any, values: Any) -> Any:
    """Draws a generator or an iterator over one batch of values, or none."""
    batches = draw(st.sampled_from([[values], [values, values], [], [None]]))
    return draw(st.sampled_from([iter, lambda each: (batch for batch in each)]))(batches)
