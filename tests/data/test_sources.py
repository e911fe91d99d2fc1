"""A source supplies samples, and a pair with a sampled prior plays the symmetric game."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_symvae as sv
from keras_symvae import seeds, testing
from keras_symvae.data import batches, sources
from tests import cases

POINTS = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")


@keras.saving.register_keras_serializable(package="tests")
def ring(size, seed):
    angle = 2 * np.pi * tf.random.stateless_uniform([size], seed)
    return {"z": tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)}


@keras.saving.register_keras_serializable(package="tests")
def ring_of_data(size, seed):
    return {"x": ring(size, seed)["z"]}


def simple_pair(prior=None, *, latent="z", observed="x"):
    families = {observed: sv.families.Normal(2), latent: sv.families.Normal(2)}
    root = [] if prior is not None else [sv.Factor(latent)]
    decode, encode = keras.layers.Dense(4), keras.layers.Dense(4)
    decoder = [*root, sv.Factor(observed, given=latent, network=decode)]
    encoder = [sv.Factor(latent, given=observed, network=encode)]
    return sv.Pair(
        sv.Player(decoder, families=families, name="decoder"),
        sv.Player(encoder, families=families, name="encoder"),
        prior=prior,
    )


SOURCES = {
    "array": lambda: sources.ArraySource({"z": POINTS}),
    "function": lambda: sources.FunctionSource(ring, names=["z"]),
    "pair": lambda: sources.PairSource(simple_pair(latent="w"), rename={"x": "z"}),
}


def test_the_table_names_every_source():
    concrete = {
        cls.__name__.removesuffix("Source").lower() for cls in sources.Source.__subclasses__()
    }
    assert concrete == set(SOURCES)


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_a_pair_with_this_prior_trains_saves_and_exports(make, tmp_path):
    pair = simple_pair(make())
    assert (pair.latent, pair.observed) == (("z",), ("x",))
    model = sv.SymmetricEquilibrium(pair)
    model.compile("adam")
    history = model.fit(POINTS, batch_size=10, epochs=2, verbose=0).history
    assert set(model.cost_names) == {"decoder/x", "encoder/z"}
    assert np.isfinite(history["loss"]).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for name, value in model.generate(7, seed=3).items():
        np.testing.assert_array_equal(again.generate(7, seed=3)[name], value)
    model.export(tmp_path / "saved")
    served = tf.saved_model.load(str(tmp_path / "saved")).signatures["generate"]
    answer = served(n=tf.constant(5), seed=tf.constant(1))
    assert answer["x"].shape == (5, 2)


def test_rows_stay_together_and_are_drawn_evenly():
    rows = {"z": np.arange(4, dtype="int32"), "y": np.arange(4, dtype="int32") + 10}
    drawn = sources.ArraySource(rows).sample(4000, seed=seeds.make(0))
    np.testing.assert_array_equal(drawn["y"] - drawn["z"], 10)
    share = np.bincount(drawn["z"], minlength=4) / 4000
    np.testing.assert_allclose(share, 0.25, atol=5 * np.sqrt(0.25 * 0.75 / 4000))


GIVEN = {
    "an array": (lambda: POINTS, sources.ArraySource),
    "a dict": (lambda: {"z": POINTS}, sources.ArraySource),
    "a data set": (
        lambda: tf.data.Dataset.from_tensor_slices(POINTS).shuffle(50, seed=0),
        sources.ArraySource,
    ),
    "a data set of dicts": (
        lambda: tf.data.Dataset.from_tensor_slices({"z": POINTS}),
        sources.ArraySource,
    ),
    "a function": (lambda: ring, sources.FunctionSource),
    "a pair": (lambda: simple_pair(latent="w"), sources.PairSource),
}


@pytest.mark.parametrize("name", GIVEN)
def test_a_prior_is_whatever_can_be_sampled(name):
    make, kind = GIVEN[name]
    pair = simple_pair(make())
    assert type(pair.prior) is kind and pair.prior.names == ("z",)
    drawn = pair.generate(200, seed=1)["z"]
    if kind is sources.ArraySource:
        gaps = np.abs(drawn[:, None] - POINTS[None]).sum(axis=2).min(axis=1)
        np.testing.assert_array_equal(gaps, 0.0)
    if name == "a function":
        np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1.0, rtol=1e-5)


BAD_PRIORS = {
    "points of another dimension": (np.zeros((9, 3), "float32"), r"'z' has shape \(2, 3\)"),
    "an endless data set": (tf.data.Dataset.from_tensors(POINTS[0]).repeat(), "never ends"),
    "an empty data set": (tf.data.Dataset.from_tensor_slices(POINTS[:0]), "one length"),
    "batches": (tf.data.Dataset.from_tensor_slices(POINTS).batch(5), "'z' has shape"),
    "another variable": ({"w": POINTS}, r"supplies \['w'\]; it has to supply \['z'\]"),
    "a number": (3.0, "received float"),
}


@pytest.mark.parametrize("name", BAD_PRIORS)
def test_a_prior_that_cannot_be_is_refused_at_construction(name):
    prior, message = BAD_PRIORS[name]
    with pytest.raises(ValueError, match=message):
        simple_pair(prior)


@pytest.mark.usefixtures("eagerly")
def test_data_by_a_sampler_alone():
    """`fit` draws every batch anew, resumes with the draws that would have come, and learns."""
    source = sources.FunctionSource(ring_of_data, names=["x"])
    runs = []
    for stages in ([4], [2, 4]):
        keras.utils.set_random_seed(0)
        model = sv.SymmetricEquilibrium(simple_pair(), seed=2)
        model.compile("adam")
        for done, epochs in zip([0, *stages], stages, strict=False):
            model.fit(
                source,
                batch_size=8,
                steps_per_epoch=3,
                initial_epoch=done,
                epochs=epochs,
                verbose=0,
            )
        runs.append(model)
    testing.assert_same_state(*runs)
    draws = batches.Draws(source, batch_size=8, seed=2)
    assert np.any(draws.at(0)["x"] != draws.at(1)["x"])
    np.testing.assert_array_equal(draws.at(1)["x"], draws.at(1)["x"])


def test_a_sampler_of_other_data_is_refused_before_training():
    model = sv.SymmetricEquilibrium(simple_pair())
    model.compile()
    with pytest.raises(ValueError, match="steps_per_epoch"):
        model.fit(sources.FunctionSource(ring_of_data, names=["x"]), verbose=0)
    flat = sources.ArraySource({"x": np.zeros((5, 3), "float32")})
    with pytest.raises(ValueError, match="'x' has shape"):
        model.fit(flat, steps_per_epoch=2, verbose=0)
    assert int(model.steps.numpy()) == 0


@pytest.mark.usefixtures("eagerly")
def test_a_ladder_over_a_sampled_prior():
    bits = np.random.default_rng(0).integers(0, 2, size=(20, 4)).astype("float32")
    for order in ("ladder", "reverse"):
        pair = cases.ladder(latents=(4, 3), order=order, prior=bits)
        assert "z0" not in pair.decoder.names and pair.latent == ("z1", "z0")
        testing.run_pair_test(pair, {"x": cases.images()})
        drawn = pair.generate(50)["z0"]
        assert {tuple(row) for row in drawn} <= {tuple(row) for row in bits}


def test_the_prior_pair_is_frozen():
    pair = simple_pair(SOURCES["pair"]())
    assert not pair.prior.trainable_variables


def test_the_elbo_refuses_a_prior_without_density():
    with pytest.raises(ValueError, match="known only by samples"):
        sv.ELBO(simple_pair(SOURCES["array"]()))


def test_bad_sources_are_refused_by_name():
    with pytest.raises(ValueError, match="one length"):
        sources.ArraySource({"z": POINTS, "y": POINTS[:3]})
    with pytest.raises(ValueError, match="has no"):
        sources.PairSource(simple_pair(), rename={"nothing": "z"})
    stray = sources.FunctionSource(ring, names=["y"])
    with pytest.raises(ValueError, match="returned"):
        stray.sample(3, seed=seeds.make(0))
