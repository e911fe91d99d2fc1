"""A source supplies samples, and a pair with a sampled prior plays the symmetric game."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_symvae as sv
from keras_symvae import seeds, sources

POINTS = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")


@keras.saving.register_keras_serializable(package="tests")
def ring(size, seed):
    angle = 2 * np.pi * tf.random.stateless_uniform([size], seed)
    return {"z": tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)}


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
