"""Tests of a pair: its questions, its files, and what it refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import Factor, Pair, Player, families, seeds, testing
from keras_symvae.model import questions
from keras_symvae.model.chain import Chain
from tests import cases

Dense = keras.layers.Dense


@pytest.mark.parametrize("name", cases.PAIRS)
def test_pair(name):
    pair, data = cases.PAIRS[name]()
    testing.run_pair_test(pair, {key: value[:6] for key, value in data.items()})


def independent():
    """Returns a pair whose x does not depend on z: its draws tell the streams apart."""
    known = {"x": families.Normal(2), "z": families.Normal(2)}
    return Pair(
        Player([Factor("z"), Factor("x")], families=known, name="decoder"),
        Player([Factor("z", tilt=True)], families=known, name="encoder"),
    )


def test_roles_follow_from_who_draws_what():
    pair = cases.conditional()
    assert (pair.latent, pair.observed, pair.context) == (("z",), ("x",), ("y",))
    pair = cases.ladder()
    assert (pair.latent, pair.observed, pair.context) == (("z0", "z1"), ("x",), ())
    assert [name for name, _ in pair.parts] == [
        "decoder/z0",
        "decoder/z1",
        "decoder/x",
        "encoder/z0",
        "encoder/z1",
        "encoder/trunk",
    ]


def test_many_examples_are_drawn_in_bounded_batches(monkeypatch):
    monkeypatch.setattr(questions, "BATCH_SIZE", 100)
    pair, sizes, dream = independent(), [], Chain.dream

    def watched(self, size, **options):
        values = dream(self, size, **options)
        tf.py_function(lambda value: sizes.append(len(value)), [values["x"]], [])
        return values

    monkeypatch.setattr(Chain, "dream", watched)
    values = pair.generate(250, seed=1)
    assert sizes == [100, 100, 50]
    assert {value.shape for value in values.values()} == {(250, 2)}
    # Batches are independent, and so are variables: no row comes twice.
    rows = np.concatenate([values["x"], values["z"]])
    assert len(np.unique(rows, axis=0)) == 500
    np.testing.assert_array_equal(values["x"][:100], pair.generate(100, seed=1)["x"])


def test_2500_samples_with_a_context():
    pair = cases.conditional()
    context = {"y": np.arange(2500) % 3}
    values = pair.generate(2500, **context)
    np.testing.assert_array_equal(values["y"], context["y"])
    assert values["x"].shape == (2500, 3)


def test_questions_draw_from_independent_streams():
    pair, x = independent(), np.zeros((50, 2), "float32")
    draws = [
        pair.generate(50, seed=0)["z"],
        pair.generate(50, seed=1)["z"],
        pair.generate(50, seed=-1)["z"],
        pair.encode(x, seed=0)["z"],
        pair.limiting(50, steps=1, seed=0)["z"],
    ]
    rows = np.concatenate(draws)
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_limiting_starts_from_data():
    """An encoder that copies x and a decoder that copies z keep the chain where it began."""
    known = {"x": families.Bernoulli(3), "z": families.Bernoulli(3)}

    def copy():
        return Dense(3, use_bias=False, kernel_initializer=keras.initializers.Identity(30.0))

    decoder = [Factor("z"), Factor("x", given="z", network=copy())]
    pair = Pair(
        Player(decoder, families=known, name="decoder"),
        Player([Factor("z", given="x", network=copy())], families=known, name="encoder"),
    )
    start = np.random.default_rng(0).integers(0, 2, (20, 3)).astype("float32")
    for first in (start, {"x": start}):
        values = pair.limiting(steps=7, start=first)
        np.testing.assert_array_equal(values["x"], start)
        np.testing.assert_array_equal(values["z"], start)
    np.testing.assert_array_equal(pair.reconstruct(start, output="mode")["x"], start)
    np.testing.assert_allclose(pair.reconstruct(start)["x"], start, atol=1e-5)
    np.testing.assert_array_equal(pair.encode(start)["z"], start)
    np.testing.assert_array_equal(pair.decode({"z": start})["x"], start)
    np.testing.assert_allclose(pair.predict(start, verbose=0)["x"], start, atol=1e-5)


def test_a_step_of_the_limiting_chain_is_encode_and_decode():
    pair, x = cases.ladder(), tf.constant(cases.images(5))
    seed = seeds.make(9)
    turned = pair.chain.alternate({"x": x}, steps=1, seed=seed)
    encoded = pair.chain.encode({"x": x}, seed=seeds.fold(seed, 0, 0))
    decoded = pair.chain.decode(encoded, seed=seeds.fold(seed, 0, 1))
    assert turned.keys() == {"x"}
    np.testing.assert_array_equal(turned["x"], decoded["x"])
    np.testing.assert_array_equal(pair.chain.alternate({"x": x}, steps=0, seed=seed)["x"], x)


def test_outputs_are_draws_means_or_modes():
    pair = cases.ladder()
    shown = {output: pair.generate(20, output=output)["x"] for output in questions.OUTPUTS}
    assert set(np.unique(shown["sample"])) == set(np.unique(shown["mode"])) == {0.0, 1.0}
    np.testing.assert_array_equal(shown["mode"], (shown["mean"] > 0.5).astype("float32"))


def test_half_precision_answers_in_full_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        pair, data = cases.PAIRS["conditional"]()
        for name, value in pair.predict(data, verbose=0).items():
            assert value.dtype == pair.families[name].dtype.as_numpy_dtype
        assert pair.generate(3, y=np.arange(3))["x"].dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")


def sides(decoder, encoder, *, known=None, other=None, names=("decoder", "encoder")):
    known = known or {"x": families.Bernoulli(3), "z": families.Bernoulli(2)}
    return lambda: Pair(
        Player(decoder(), families=known, name=names[0]),
        Player(encoder(), families=other or known, name=names[1]),
    )


def p():
    return [Factor("z"), Factor("x", given="z", network=Dense(3))]


def q(**options):
    return [Factor("z", given="x", network=Dense(2), **options)]


NORMAL = {"x": families.Bernoulli(3), "z": families.Normal(1)}
LEVELS = {"x": families.Bernoulli(3), "u": families.Bernoulli(2), "z": families.Bernoulli(2)}


def two_levels():
    middle = Factor("z", given="u", network=Dense(2))
    return [Factor("u"), middle, Factor("x", given="z", network=Dense(3))]


def tilted_too_early():
    return [*q(tilt=True), Factor("u", given="z", network=Dense(2))]


REFUSED = {
    "names": (sides(p, q, names=("p", "q")), "named 'decoder' and 'encoder'; received 'p' and 'q'"),
    "families": (sides(p, q, other=NORMAL), r"disagree on 'z': decoder Bernoulli.*encoder Normal"),
    "stray": (
        sides(lambda: [Factor("x")], q),
        r"encoder draws \['z'\], which the decoder does not",
    ),
    "tilt too early": (
        sides(two_levels, tilted_too_early, known=LEVELS),
        r"'z' tilts a decoder factor that reads \['u'\], which the encoder draws only later",
    ),
}


@pytest.mark.parametrize(("make", "match"), REFUSED.values(), ids=REFUSED)
def test_wrong_pairs_are_refused_by_name(make, match):
    with pytest.raises(ValueError, match=match):
        make()


X = np.zeros((4, 3), "float32")
WRONG_QUESTIONS = {
    "n": (lambda pair: pair.generate(0), "positive number of examples n; received 0"),
    "no n": (lambda pair: pair.limiting(steps=3), "positive number of examples n; received None"),
    "float n": (lambda pair: pair.generate(2.5), "received 2.5"),
    "output": (
        lambda pair: pair.generate(2, output="median"),
        "output is one of sample, mean, mode",
    ),
    "steps": (lambda pair: pair.limiting(2, steps=0), "steps >= 1; received 0"),
    "shape": (lambda pair: pair.encode(X[:, :2]), r"'x' has shape \(4, 2\)"),
    "bytes": (lambda pair: pair.reconstruct(X + 255), "Divide by 255"),
    "name": (lambda pair: pair.decode({"w": X}), r"\['w'\].*no variables of this pair"),
    "no data": (lambda pair: pair.encode({}), "The data are empty"),
    "another n": (lambda pair: pair.limiting(9, steps=1, start=X), "n=9.*4 examples"),
}


@pytest.mark.parametrize(("ask", "match"), WRONG_QUESTIONS.values(), ids=WRONG_QUESTIONS)
def test_wrong_questions_are_refused(ask, match):
    with pytest.raises(ValueError, match=match):
        ask(sides(p, q)())


def test_a_missing_context_is_named():
    with pytest.raises(ValueError, match=r"'x' reads \['y'\], which the values lack"):
        cases.conditional().generate(3)
