"""Tests of the semi-supervised VAE: its answers, files and refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from keras_symvae import ELBO, Batches, SymmetricEquilibrium, families, seeds, testing
from keras_symvae.data.batches import Mixture
from zoo import datasets


def model(**options):
    return zoo.SemiSupervised((3, 3, 1), 4, **{"latents": (2, 3), "width": 5, **options})


def data(size=20):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, size=(size, 3, 3, 1)).astype("float32")
    return {"x": x, "y": rng.integers(-1, 4, size).astype("int32")}


GRAY_LEVELS = families.Categorical((3, 3, 1), num_classes=4)
KINDS = {
    "two levels": {},
    "one level": {"latents": (3,)},
    "patches": {"body": "patches", "patch": 2, "filters": 3},
    "real latents": {"latents": (families.Normal(2), 3), "likelihood": "normal"},
}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_it_answers_and_survives_files(options):
    testing.run_pair_test(model(**options), {"x": data()["x"]})


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("game", [SymmetricEquilibrium, pytest.param(ELBO, marks=pytest.mark.slow)])
def test_it_trains_on_any_mix_of_labels_and_resumes(game):
    testing.run_learner_test(game(model(latents=(3,)), seed=2), data())


def test_classify_is_the_softmax_of_the_encoder():
    pair, x = model(), data()["x"]
    found = pair.classify(x)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
    hidden = 2.0 * x.reshape(len(x), -1) - 1.0
    layers = pair.encoder.trunk.network.layers[-1].layers
    for layer in layers:
        hidden = np.tanh(hidden @ layer.kernel.numpy() + layer.bias.numpy())
    head = pair.encoder.factor("y").network
    logits = hidden @ head.kernel.numpy() + head.bias.numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_classify_averages_along_the_chain():
    pair, x = model(), data()["x"]
    total, root = pair.classify(x), seeds.make(7)
    for step in range(2):
        values = {"x": tf.constant(x)}
        x = pair.chain.alternate(values, steps=1, seed=seeds.fold(root, step))["x"].numpy()
        total = total + pair.classify(x)
    np.testing.assert_allclose(pair.classify(data()["x"], steps=2, seed=7), total / 3, rtol=1e-5)


def test_a_class_can_be_asked_for():
    pair, y = model(), np.arange(8, dtype="int32") % 4
    np.testing.assert_array_equal(pair.generate(y=y)["y"], y)
    kept = pair.encode({"x": data(8)["x"], "y": y})
    np.testing.assert_array_equal(kept["y"], y)
    with pytest.raises(ValueError, match="'y' ranges over"):
        pair.generate(y=y + 1)


def test_the_learner_classifies_and_exports_it(tmp_path):
    learner = SymmetricEquilibrium(model())
    x = data(6)["x"]
    learner.export(tmp_path / "saved")
    served = tf.saved_model.load(str(tmp_path / "saved")).signatures["classify"]
    integers = {"steps": tf.constant(3), "seed": tf.constant(5)}
    answer = served(x=tf.constant(x), **integers)["probabilities"]
    np.testing.assert_allclose(answer, learner.classify(x, steps=3, seed=5), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latents": ()}, "at least one latent level"),
        ({"body": "transformer"}, "body is"),
        ({"likelihood": "poisson"}, "likelihood is one of"),
        ({"body": "conv"}, "image sides of at least 20"),
        ({"body": "patches", "patch": 4}, "Patches of side 4 do not fit"),
        ({"body": "patches", "likelihood": GRAY_LEVELS}, "body='patches' reads images; .*no pixel"),
    ],
)
def test_impossible_architectures_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        model(**options)
    with pytest.raises(ValueError, match="steps >= 0"):
        model().classify(data()["x"], steps=-1)
    with pytest.raises(ValueError, match="num_classes >= 2"):
        zoo.SemiSupervised((3, 3, 1), 1)


def test_patches_are_read_as_their_definition_says():
    pair = model(body="patches", patch=2, filters=3)
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, size=(7, 3, 3, 1)).astype("float32")
    filters, bias = rng.normal(size=(2, 2, 1, 3)).astype("float32"), rng.normal(size=3)
    pair.adopt(filters, x, bias=bias)
    expected = np.zeros((7, 2, 2, 3))
    for row, column in np.ndindex(2, 2):
        v = 2.0 * x[:, row : row + 2, column : column + 2].reshape(7, 4) - 1.0
        v = (v - v.mean(axis=1, keepdims=True)) / np.sqrt(v.var(axis=1, keepdims=True) + 0.04)
        expected[:, row, column] = np.maximum(v @ filters.reshape(4, 3) + bias, 0.0)
    expected = expected.reshape(7, 12)
    spread = expected.std(axis=0) + 0.02 * expected.std() + 1e-4
    found = pair.reader(2.0 * x - 1.0)
    np.testing.assert_allclose(found, (expected - expected.mean(axis=0)) / spread, atol=1e-4)


def test_only_patches_have_filters():
    with pytest.raises(ValueError, match="body='mlp' has no filters"):
        model().adopt(np.zeros((2, 2, 1, 3)), data()["x"])


@pytest.mark.slow  # a training that has to reach a number
def test_labels_teach_the_digits():
    """With ten labels per class the encoder is far above chance after seconds."""
    digits = datasets.load("digits")
    rows = np.concatenate([np.flatnonzero(digits.y == label)[:10] for label in range(10)])
    y = np.full(len(digits.y), -1, "int32")
    y[rows] = digits.y[rows]
    keras.utils.set_random_seed(0)
    pair = zoo.SemiSupervised((8, 8, 1), 10, latents=(20,), width=100)
    learner = SymmetricEquilibrium(pair)
    learner.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), steps_per_execution=10)
    x = (digits.x > 0.4375).astype("float32")
    learner.fit({"x": x, "y": y}, batch_size=256, steps_per_epoch=200, verbose=0)
    held = datasets.load("digits", split="test")
    found = learner.classify((held.x > 0.4375).astype("float32")).argmax(axis=1)
    assert (found == held.y).mean() > 0.7


@pytest.mark.slow
def test_images_without_labels_help_where_labels_are_few():
    """Five labels per class: the same encoder is better with all digits than with these alone."""
    digits, held = datasets.load("digits"), datasets.load("digits", split="test")
    order = np.random.RandomState(1).permutation(len(digits.y))
    rows = np.concatenate([order[digits.y[order] == label][:5] for label in range(10)])
    known = Batches({"x": digits.x[rows], "y": digits.y[rows]}, batch_size=50)
    everything = Mixture([known, Batches({"x": digits.x}, batch_size=128)])
    right = {}
    # Without dreams and unlabelled images the encoder's utility is the cross-entropy of labels.
    for batches, dreams in ((everything, 1.0), (known, 0.0)):
        keras.utils.set_random_seed(1)
        pair = zoo.SemiSupervised((8, 8, 1), 10, latents=(10,), likelihood="normal", width=200)
        learner = SymmetricEquilibrium(pair, weights={"encoder/dreams": dreams})
        learner.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), steps_per_execution=10)
        learner.fit(batches, steps_per_epoch=600, verbose=0)
        right[dreams] = (learner.classify(held.x).argmax(axis=1) == held.y).mean()
    assert right[1.0] > right[0.0] + 0.01
