"""Every public function beside the models: it returns what it says, or refuses in words."""

import atexit
import functools
import inspect
import os
import tempfile

import keras
import numpy as np
from hypothesis import strategies as st

import zoo
from keras_symvae import evaluation, learners, pictures, seeds
from keras_symvae.families import estimators
from keras_symvae.learners.adversarial import divergences
from tests.properties import arguments, models
from tests.properties.call import Call
from tests.properties.profile import every

SHARE = 0.15  # of all tries
FOLDER = tempfile.TemporaryDirectory()
atexit.register(FOLDER.cleanup)
PNG = os.path.join(FOLDER.name, "picture.png")
IMAGES = st.sampled_from([np.zeros((2, 3, 3, 1)), np.ones((1, 4, 4, 3), "float32")])
MAPS = st.sampled_from([np.zeros((2, 3, 3), int), np.arange(18).reshape(2, 3, 3) % 2])
FEATURES = st.sampled_from([np.zeros((3, 2)), np.arange(6.0).reshape(3, 2), [[1, 2], [3, 5]]])
WORDS = {"samples", "images", "image", "Gaussian", "features"}


def finite(result, given):
    """Asserts that a number, or all of a table, is finite."""
    found = result.values() if isinstance(result, dict) else [result]
    assert all(np.isfinite(value).all() for value in found if not isinstance(value, str | None))


def picture(result, given):
    """Asserts that it is a picture."""
    assert result.dtype == np.uint8 and result.ndim == 3


def whole(result, given):
    """Asserts that it is a stateless seed or an integer."""
    assert np.asarray(result).dtype.kind == "i"


def there(result, given):
    """Asserts that something was found."""
    assert result is not None


def of_measurements():
    ranges = {"maps": MAPS, "truth": MAPS}
    yield Call(evaluation.agreement, ranges, needed=("maps", "truth"), right=finite)
    yield Call(evaluation.overlaps, ranges, needed=("maps", "truth"), right=finite)
    both = {"a": FEATURES, "b": FEATURES}
    yield Call(evaluation.frechet_distance, both, needed=("a", "b"), right=finite)
    yield Call(evaluation.kernel_distance, both, needed=("a", "b"), right=finite)
    flat = keras.Sequential([keras.Input((3, 3, 1)), keras.layers.Flatten()])
    extractor = evaluation.FeatureExtractor(flat, name="pixels")
    images = st.just(np.arange(27).reshape(3, 3, 3, 1) % 2.0)
    usual = {"images": images, "batch_size": st.sampled_from([None, 1, 2])}
    odd = {"batch_size": arguments.INTEGERS}
    yield Call(
        extractor.__call__, usual, needed=("images",), odd=odd, right=finite, words=("pixels",)
    )
    usual = {"model": st.just(flat), "name": st.just("x"), "batch_size": st.just(2)}
    usual |= {"repeats_grey": st.booleans()}
    yield Call(evaluation.FeatureExtractor, usual, needed=("model", "name"), right=there, odd=odd)
    usual = {"extractor": st.just(extractor), "real": images, "generated": images}
    words = ("images", "pixels")
    yield Call(evaluation.distance_report, usual | {"seed": st.none()}, needed=usual, words=words)


def of_pictures():
    usual = {"images": IMAGES, "columns": st.sampled_from([1, 2, 10])}
    odd = {"columns": arguments.INTEGERS}
    yield Call(pictures.grid, usual, needed=("images",), odd=odd, right=picture, words=("grid",))
    usual = {
        "originals": st.just(np.zeros((3, 2, 2, 1))),
        "answers": st.just(np.ones((3, 2, 2, 1))),
    }
    yield Call(
        inspect.unwrap(pictures.pairs),
        usual | {"columns": st.sampled_from([1, 2])},
        needed=usual,
        odd=odd,
        right=picture,
    )
    save = functools.partial(inspect.unwrap(pictures.save), PNG)
    yield Call(save, {"picture": st.just(np.zeros((4, 4, 1), "uint8"))}, needed=("picture",))
    rows = functools.partial(pictures.labelled_rows, PNG)
    usual = {"rows": st.just([np.zeros((2, 3, 3, 1))]), "labels": st.just(["one"])}
    colours = st.just({"sky": (0.5, 0.5, 1.0)})
    legend = {"colours": st.none() | colours}
    yield Call(rows, usual | legend, needed=usual, words=("grid",))
    named = inspect.unwrap(pictures.legend)
    usual = {"picture": st.just(np.zeros((4, 4, 1), "uint8")), "colours": colours}
    yield Call(named, usual, needed=usual, right=picture)
    curves = functools.partial(pictures.curves, PNG)
    record = {"step": 1, "metrics": {"decoder/x": 1.0, "val_decoder/x": None}}
    yield Call(curves, {"records": st.just([record])}, needed=("records",), words=("record",))


def of_tables():
    data = {"a": [0.5, None, 2.0], "c": ["x", "y", ""], "n": [1, 2, 3]}
    kinds = st.sampled_from([None, {}, {"a": "positive"}, {"n": {"kind": "count", "rate": 2.0}}])
    usual = {"data": st.just(data), "kinds": kinds}
    words = ("Column", "Columns", "column", "columns", "table")
    yield Call(zoo.describe, usual, needed=("data",), words=words, right=there)


def of_names():
    names = st.sampled_from(["zgr", "straight_through", "gumbel_softmax", "gumbel_softmax:0.3"])
    yield Call(estimators.get, {"name": names}, needed=("name",), words=("estimator",), right=there)
    names = st.sampled_from(["kl", "pearson"])
    yield Call(divergences.get, {"name": names}, needed=("name",), words=("divergence",))
    names = st.sampled_from(["elbo", "symmetric"])
    yield Call(learners.get, {"name": names}, needed=("name",), words=("learner",), right=there)
    names = st.sampled_from(["digits_ladder", "digits_semi"])
    yield Call(zoo.presets.get, {"name": names}, needed=("name",), words=("preset",), right=there)
    sets = {"one": models.gaussian(), "two": models.team()}
    for function in (learners.refusals, learners.table):
        usual = {"models": st.just(sets)}
        yield Call(function, usual, needed=("models",), right=there, words=("model",))
    register = {"name": st.just("elbo"), "package": st.just("tests")}
    yield Call(learners.register, register, needed=("name",), right=there)


def of_numbers():
    samples = st.sampled_from([np.zeros((2, 2), "float32"), np.ones((3, 2), "float32")])
    usual = {
        "x": samples,
        "y": samples,
        "kernel": st.sampled_from(["imq", "rbf"]),
        "scales": st.sampled_from([(1.0,), [0.5, 2]]),
        "width": st.sampled_from([None, 1.0]),
    }
    odd = {"width": arguments.REALS, "scales": arguments.REALS}
    words = ("samples", "kernel")
    yield Call(divergences.mmd, usual, needed=("x", "y"), odd=odd, right=finite, words=words)
    seed = {"seed": arguments.SEEDS}
    odd = {"seed": arguments.INTEGERS}
    yield Call(seeds.checked, seed, needed=("seed",), odd=odd, right=whole)


def of_zoo():
    usual = {
        "data": st.just("digits"),
        "split": st.sampled_from(["train", "test", "all"]),
        "split_rule": st.sampled_from(["stratified", "shuffled"]),
    }

    def right(result, given):
        assert result.x.ndim == 4 and len(result.x) == len(result.y)

    yield Call(
        zoo.datasets.load,
        usual,
        needed=("data",),
        fixed=("data",),
        right=right,
    )
    rates = {"decoder": 0.1, "encoder": 0.1}
    usual = {"learning_rate": st.just(rates), "beta_1": st.just(0.5)}
    usual |= {"options": st.just({}), "constant": st.sampled_from([(), ("decoder",)])}
    yield Call(zoo.Recipe, usual, needed=("learning_rate",))
    usual = {
        "architecture": st.just({}),
        "data": st.just("digits"),
        "preparation": st.just({}),
        "steps": st.just(2),
        "batch_size": st.just(2),
        "recipes": st.just({}),
        "labelled_batch_size": st.none(),
        "steps_per_execution": st.just(1),
        "model": st.sampled_from(["ladder", "implicit"]),
        "classes": st.sampled_from([None, "voc"]),
    }
    needed = ("architecture", "data", "preparation", "steps", "batch_size", "recipes")
    yield Call(zoo.Preset, usual, needed=needed)


def table():
    """Returns {name: Call}."""
    parts = (of_measurements, of_pictures, of_tables, of_names, of_numbers, of_zoo)
    return {call.name: call for part in parts for call in part()}


CALLS = table()


@every(CALLS, share=SHARE)
def test_a_function_answers_or_refuses():
    """What is returned is finite."""
