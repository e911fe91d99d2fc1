"""Tests of the segmentation model: what it answers, learns from and refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from keras_symvae import Cooperative, testing

CLASSES = 3


def model(**options):
    options = {"latent": 3, "filters": (4, 6), "width": 8, **options}
    return zoo.Segmentation((8, 8, 1), CLASSES, **options)


def data(size=16):
    """Images whose pixels are bright where their label is: 1 in the upper half, 2 in the left."""
    rng = np.random.default_rng(0)
    s = np.zeros((size, 8, 8), "int32")
    upper = rng.random(size) < 0.5
    s[upper, :4], s[~upper, :, :4] = 1, 2
    x = s[..., None] / 2.0 + rng.normal(size=(size, 8, 8, 1)) / 20.0
    return {"x": x.astype("float32"), "s": s}


@pytest.fixture(scope="module")
def learned():
    """Both conditionals of `data`, learned in a few hundred steps."""
    keras.utils.set_random_seed(0)
    learner = Cooperative(model(filters=(8, 16)), mixing=1.0)
    learner.compile(keras.optimizers.Adam(3e-3), steps_per_execution=20)
    learner.fit(data(64), batch_size=32, epochs=1, steps_per_epoch=200, verbose=0)
    return learner


@pytest.mark.slow  # a few hundred steps
def test_it_learns_both_directions(learned):
    held = data(40)
    segmented = learned.segment(held["x"], samples=4)
    assert (segmented["s"] == held["s"]).mean() > 0.97
    rendered = learned.render(held["s"])
    assert np.abs(rendered - held["s"][..., None] / 2.0).mean() < 0.1


@pytest.mark.slow  # a few hundred steps
def test_segment_averages_its_draws(learned):
    found = learned.segment(data(5)["x"], samples=7, seed=3)
    shapes = {name: value.shape for name, value in found.items()}
    assert shapes == {
        "s": (5, 8, 8),
        "probabilities": (5, 8, 8, CLASSES),
        "samples": (5, 7, 8, 8),
        "uncertainty": (5, 8, 8),
    }
    p = found["probabilities"].astype("float64")
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(found["s"], p.argmax(axis=-1))
    entropy = -(p * np.log(np.maximum(p, 1e-30))).sum(axis=-1)
    np.testing.assert_allclose(found["uncertainty"], entropy, atol=1e-5)
    many = learned.segment(data(2)["x"], samples=400, seed=1)
    share = (many["samples"][..., None] == np.arange(CLASSES)).mean(axis=1)
    error = np.sqrt(many["probabilities"] * (1 - many["probabilities"]) / 400)
    assert (np.abs(share - many["probabilities"]) < 6 * error + 0.01).all()


@pytest.mark.slow  # a few hundred steps
def test_transfer_paints_every_map_in_every_appearance(learned):
    donors, maps = data(3), data(4)["s"]
    painted = learned.transfer(donors["x"], donors["s"], maps, seed=2)
    assert painted.shape == (3, 4, 8, 8, 1)
    codes = learned.pair["painter"].encode(donors, seed=2)["z2"]
    for row, code in enumerate(codes):
        expected = learned.render(maps, z2=np.tile(code, (4, 1)), seed=2)
        np.testing.assert_allclose(painted[row], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow  # a few hundred steps
def test_the_limiting_chain_redraws_both_variables(learned):
    start = data(6)
    pairs = learned.limiting_pairs(start=start, steps=10, seed=1, output="mean")
    assert pairs.keys() == {"x", "s", "z1", "z2"}
    # What comes of data are pairs that agree as the data do.
    assert np.abs(pairs["x"] - pairs["s"][..., None] / 2.0).mean() < 0.1
    drawn = learned.limiting_pairs(start=start, steps=1, seed=1)
    assert np.any(drawn["x"] != start["x"])
    assert learned.limiting_pairs(2, steps=3)["s"].shape == (2, 8, 8)
    with pytest.raises(ValueError, match="steps >= 1"):
        learned.limiting_pairs(3, steps=0)


@pytest.mark.slow  # a few hundred steps
def test_files_and_exports_give_the_same_answers(learned, tmp_path):
    held = data(4)
    learned.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    learned.export(tmp_path / "saved")
    served = tf.saved_model.load(str(tmp_path / "saved")).signatures
    assert set(served) == {"segment", "render", "limiting_pairs"}
    integers = {"samples": tf.constant(5), "seed": tf.constant(1)}
    answers = served["segment"](x=tf.constant(held["x"]), **integers)
    for name, value in learned.segment(held["x"], samples=5, seed=1).items():
        np.testing.assert_array_equal(again.segment(held["x"], samples=5, seed=1)[name], value)
        np.testing.assert_allclose(answers[name], value, atol=1e-5)
    painted = served["render"](s=tf.constant(held["s"]), seed=tf.constant(1))["x"]
    np.testing.assert_allclose(painted, learned.render(held["s"], seed=1), atol=1e-5)
    drawn = served["limiting_pairs"](n=tf.constant(4), steps=tf.constant(2), seed=tf.constant(1))
    np.testing.assert_array_equal(drawn["s"], learned.limiting_pairs(4, steps=2, seed=1)["s"])


@pytest.mark.slow  # other teams resume in tests/learners/test_base.py
def test_it_resumes_bit_for_bit():
    # Every network of one resolution: all that is resumed is there, and graphs are small.
    learner = Cooperative(model(filters=(3,), width=4), mixing=0.6, seed=1)
    optimizer = {"painter": "adam", "labeller": "sgd"}
    testing.run_learner_test(learner, data(16), optimizer=optimizer)


def test_images_without_maps_teach():
    """Labelled by the labeller, they are the painter's data; without cooperation they are none."""
    values = data(8)
    values["s"][4:] = -1
    learner = Cooperative(model(), mixing=0.5, nonfinite="raise")
    learner.compile(run_eagerly=True)
    logs = learner.fit(values, batch_size=8, verbose=0).history
    assert all(np.isfinite(value).all() for value in logs.values())


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("side", [28, 64, 128])
def test_sizes_from_small_to_large(side):
    team = zoo.Segmentation((side, side, 3), 19, filters=(2, 3, 4), width=4, latent=2)
    values = {
        "x": np.zeros((1, side, side, 3), "float32"),
        "s": np.zeros((1, side, side), "int32"),
    }
    assert team.segment(values["x"], samples=2)["samples"].shape == (1, 2, side, side)
    assert team.render(values["s"]).shape == (1, side, side, 3)


REFUSED = {
    "a label map of another size": (
        {"s": np.zeros((2, 4, 4), "int32")},
        r"'s' has shape \(2, 4, 4\)",
    ),
    "classes out of range": ({"s": np.full((2, 8, 8), 3, "int32")}, r"'s' ranges over \[3, 3\]"),
    "no label map at all": ({"s": np.full((2, 8, 8), -1, "int32")}, "'s' is missing in all 2"),
    "images of another size": ({"x": np.zeros((2, 4, 4, 1), "float32")}, "'x' has shape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_do_not_fit_are_refused_before_training(name):
    wrong, message = REFUSED[name]
    learner = Cooperative(model(), mixing=1.0)
    learner.compile()
    with pytest.raises(ValueError, match=message):
        learner.fit({**data(2), **wrong}, verbose=0)
    assert int(learner.steps.numpy()) == 0


def test_impossible_architectures_are_refused():
    with pytest.raises(ValueError, match="image_shape is"):
        zoo.Segmentation((8, 8), CLASSES)
    with pytest.raises(ValueError, match="sides that 4 divides"):
        zoo.Segmentation((10, 8, 1), CLASSES)
    with pytest.raises(ValueError, match="num_classes >= 2"):
        zoo.Segmentation((8, 8, 1), 1)
    with pytest.raises(ValueError, match="likelihood is one of"):
        zoo.Segmentation((8, 8, 1), CLASSES, likelihood="poisson")
