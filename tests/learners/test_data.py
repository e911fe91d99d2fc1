"""Tests of the data that a learner takes: every form passes one check before it is trained on."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import ELBO, Batches, Cooperative, Pair, SymmetricEquilibrium, seeds, testing
from tests import cases

X = cases.images(16, shape=(4, 4, 1))
LABELLED = cases.conditional_data(16)
Dataset = tf.data.Dataset


def pair():
    return cases.Ladder((4, 4, 1), latents=(2,), width=3)


def compiled(learner, **options):
    learner.compile("adam", **{"run_eagerly": True, **options})
    return learner


def images(**options):
    """Returns a compiled learner of images [N, 4, 4, 1], with the same weights every time."""
    keras.utils.set_random_seed(1)
    return compiled(SymmetricEquilibrium(pair(), seed=2), **options)


def labels():
    """Returns a compiled learner of x [N, 3] with a context label y, one of three."""
    return compiled(SymmetricEquilibrium(cases.conditional(), seed=2))


@functools.cache
def shared(make):
    """Returns a learner that many tests share: one that refuses what they give it."""
    return make()


def dataset(*parts, batch_size=4):
    return Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(batch_size)


def spec_of(data, shape):
    """Returns a data set of batches of 4 whose spec says no more than `shape`."""
    signature = tf.TensorSpec(shape, data.dtype)
    batches = lambda: (data[start : start + 4] for start in range(0, len(data), 4))  # noqa: E731
    return Dataset.from_generator(batches, output_signature=signature)


class Sequence(keras.utils.PyDataset):
    """Batches of 4 examples in some form; endless where there is no number of batches."""

    def __init__(self, form, *, num_batches=4, data=X):
        super().__init__()
        self.form, self.count, self.data, self.epochs = form, num_batches, data, 0

    def __getitem__(self, index):
        start = 4 * (index % 4)
        return self.form(self.data[start : start + 4])

    @property
    def num_batches(self):
        return self.count

    def on_epoch_end(self):
        self.epochs += 1


def generator(form=lambda x: x, *, data=X):
    return (form(data[start : start + 4]) for start in range(0, len(data), 4))


BAD_IMAGES = {
    "bytes": (lambda: dataset((255 * X).astype("uint8")), r"\[0, 255\].*Divide by 255\?"),
    "a missing channel, B the height": (lambda: dataset(X[..., 0]), r"channel axis: x\[\.\.\., N"),
    "a missing channel, B = 1": (lambda: dataset(X[..., 0], batch_size=1), "Add the channel axis"),
    "channels first": (lambda: dataset(X.transpose(0, 3, 1, 2)), "Channels come last"),
    "flat pixels": (lambda: dataset(X.reshape(16, 16)), r"reshape\(-1, \*\(4, 4, 1\)\)"),
    "another shape": (lambda: dataset(X.reshape(16, 2, 8, 1)), r"shape \(n, 2, 8, 1\); Bern"),
    "unknown rank": (lambda: spec_of(X[:, :2], None), r"shape \(4, 2, 4, 1\)"),
    "unknown height": (lambda: spec_of(X[:, :2], (None, None, 4, 1)), r"shape \(4, 2, 4, 1\)"),
    "not batched": (lambda: Dataset.from_tensor_slices(X), r"batch the data set"),
    "NaN": (lambda: dataset(np.where(X > 0, np.nan, X)), "'x' holds NaN or infinite"),
    "strings": (lambda: dataset(X.astype(str)), "'x' has dtype object; Bernoulli needs numbers"),
    "ragged": (lambda: Dataset.from_tensors(tf.ragged.constant([[1.0], []])), "RaggedTensorSpec"),
    "another target": (lambda: dataset(X, 1 - X), "The targets differ from x"),
    "an unknown name": (lambda: Dataset.from_tensors({"w": X}), r"\['w'\], which are no variables"),
    "latents alone": (lambda: Dataset.from_tensors({"z0": X[:, 0, :2, 0]}), r"reads \['x'\]"),
    "weights": (lambda: dataset(X, X, X[:, 0, 0, 0]), "3 parts"),
    "no end": (lambda: dataset(X).repeat(), r"has no end; say how many (steps|validation_steps)"),
    "a PyDataset of bytes": (lambda: Sequence(lambda x: (255 * x,)), "Divide by 255"),
    "a PyDataset without channel": (lambda: Sequence(lambda x: x[..., 0]), "Add the channel axis"),
    "an endless PyDataset": (lambda: Sequence(lambda x: x, num_batches=None), "has no end"),
    "a generator of bytes": (lambda: generator(lambda x: 255 * x), "Divide by 255"),
    "a generator of examples": (lambda: generator(lambda x: x[0]), "batch the data set"),
    "an empty generator": (lambda: iter(()), "holds no batch"),
    "batches, of which a late one is bad": (
        lambda: dataset(np.concatenate([X, 2 * X])).skip(4),
        r"ranges over \[0\.0, 2\.0\]",
    ),
    "nothing known": (object, "received object"),
    "a path": (lambda: "images.npy", "received str"),
    "a data set and labels": (lambda: (dataset(X), X[:, 0, 0, 0]), "tuple of _BatchDataset, nda"),
}


@pytest.mark.parametrize(("data", "match"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_batches_are_refused_as_arrays_are(data, match):
    learner = shared(images)
    before = testing.state(learner)
    for call in (learner.fit, learner.evaluate):
        with pytest.raises(ValueError, match=match) as told:
            call(data(), verbose=0)
        assert "[[" not in str(told.value) and len(str(told.value)) < 300  # no data, no nodes
    for (path, value), (_, expected) in zip(testing.state(learner), before, strict=True):
        np.testing.assert_array_equal(value, expected, err_msg=path)
    with pytest.raises(ValueError, match=match):
        learner.fit(X, validation_data=data(), batch_size=16, verbose=0)


Y = LABELLED["y"]
ONE_HOT = np.eye(3, dtype="float32")[Y]
BAD_LABELS = {
    "one-hot codes": (ONE_HOT, r"one-hot codes into labels: y\.argmax"),
    "an axis too many": (Y[:, None], r"Drop the last axis: y\[\.\.\., 0\]"),
    "from 1 on": (Y + 1, r"'y' ranges over \[1, 3\]; Categorical expects values in \[0, 2\]"),
    "floats": (Y.astype("float32"), r"labels are integers 0 \.\.\. 2\. Cast them"),
    "floats with NaN": (np.where(Y > 0, np.nan, 1.0), "labels are integers"),
    "below -1": (Y - 2, r"'y' ranges over \[-2, "),
    "strings": (Y.astype(str), "labels are integers"),
    "objects": (Y.astype(object), "labels are integers"),
}


@pytest.mark.parametrize(("y", "match"), BAD_LABELS.values(), ids=BAD_LABELS)
@pytest.mark.parametrize("form", ["arrays", "a data set", "a generator"])
def test_labels_in_batches_are_checked_as_labels_in_arrays(form, y, match):
    if form == "a data set" and y.dtype == object:
        pytest.skip("TensorFlow has no tensors of Python's objects")
    x, learner = LABELLED["x"], shared(labels)
    data = {
        "arrays": lambda: (x, y),
        "a data set": lambda: dataset(x, y, batch_size=16),
        "a generator": lambda: iter([(x, y)]),
    }[form]
    for call in (learner.fit, learner.evaluate):
        with pytest.raises(ValueError, match=match):
            call(data(), verbose=0)
    assert int(learner.steps.numpy()) == 0


GOOD = {
    "a data set of x": lambda: dataset(X),
    "(x,)": lambda: Dataset.from_tensor_slices((X,)).batch(4),
    "(x, None)": lambda: dataset(X).map(lambda x: (x, None)),
    "(x, x)": lambda: dataset(X, X),
    "a dict": lambda: dataset(X).map(lambda x: {"x": x}),
    "(dict, None)": lambda: dataset(X).map(lambda x: ({"x": x}, None)),
    "bits as bytes": lambda: dataset(X.astype("uint8")),
    "halves": lambda: dataset(X.astype("float16")),
    "brain floats": lambda: dataset(X).map(lambda x: tf.cast(x, tf.bfloat16)),
    "doubles": lambda: dataset(X.astype("float64")),
    "booleans": lambda: dataset(X.astype(bool)),
    "unknown rank": lambda: spec_of(X, None),
    "unknown sizes": lambda: spec_of(X, (None, None, None, None)),
    "a generator of arrays": generator,
    "a generator of lists": lambda: generator(lambda x: x.tolist()),
    "a generator of tuples": lambda: generator(lambda x: (x,)),
    "a generator of (x, x)": lambda: generator(lambda x: (x, x)),
    "a generator of dicts": lambda: generator(lambda x: {"x": x}),
    "an iterator": lambda: iter([X[:4], X[4:8], X[8:12], X[12:]]),
    "a PyDataset of arrays": lambda: Sequence(lambda x: x),
    "a PyDataset of ({x}, None)": lambda: Sequence(lambda x: ({"x": x}, None)),
    "a PyDataset of dicts": lambda: Sequence(lambda x: {"x": x.astype("uint8")}),
    "batches": lambda: Batches({"x": X}, batch_size=4, shuffle=False),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # Keras's, of unknown lengths
def test_all_forms_of_the_same_batches_train_alike_and_lose_none(data, expected):
    learner = images()
    # A `PyDataset` is shuffled by Keras.
    options = {"shuffle": False} if isinstance(data(), keras.utils.PyDataset) else {}
    history = learner.fit(data(), verbose=0, **options).history
    testing.assert_same_state(learner, expected[0])
    assert history["loss"] == expected[1]["loss"]


@pytest.fixture(scope="module")
def expected():
    """Returns a learner that was trained with arrays in their order, and its history."""
    learner = images()
    return learner, learner.fit(X, batch_size=4, shuffle=False, verbose=0).history


def test_a_target_that_equals_x_is_x(expected):
    """`fit(x, x)`, `validation_data=(x, x)`: the usual call of Keras's autoencoders."""
    learner = images()
    history = learner.fit(
        X, X, validation_data=(X, X.copy()), batch_size=4, shuffle=False, verbose=0
    ).history
    testing.assert_same_state(learner, expected[0])
    judged = learner.evaluate(X, X, verbose=0, return_dict=True)
    assert history["val_loss"] == [judged["loss"]]
    assert learner.test_on_batch(X, X) == learner.test_on_batch(X)
    for call in (learner.fit, learner.evaluate, learner.train_on_batch):
        with pytest.raises(ValueError, match=r"The targets differ from x.* Pass x alone"):
            call(X, 1 - X)


def test_a_target_is_told_from_a_label():
    learner = labels()
    x = LABELLED["x"]
    learner.test_on_batch(x, Y)
    with pytest.raises(ValueError, match=r"reads \['y'\]; the data hold \['x'\]"):
        learner.fit(x, x, verbose=0)


@pytest.mark.parametrize("data", [list(X), X.tolist(), {"x": list(X)}], ids=["rows", "all", "dict"])
def test_lists_are_converted_as_numpy_does(data, expected):
    learner = images()
    learner.fit(data, batch_size=4, shuffle=False, verbose=0)
    testing.assert_same_state(learner, expected[0])


def test_lists_of_several_shapes_are_refused_without_printing_them():
    for data in ([X[0], X[1, :2]], {"x": [[1.0], [2.0, 3.0]]}):
        with pytest.raises(ValueError, match=r"^'x' is a list (whose|that)[^\[]*$"):
            shared(images).fit(data, verbose=0)


@pytest.mark.parametrize("size", [0, -1, 2.5, "4"])
def test_a_batch_size_is_positive(size):
    learner = shared(images)
    for data in (X, dataset(X)):
        with pytest.raises(ValueError, match=r"^batch_size is a positive integer; received"):
            learner.fit(data, batch_size=size, verbose=0)
    with pytest.raises(ValueError, match=r"^batch_size is a positive integer; received"):
        learner.evaluate(X, batch_size=size, verbose=0)
    with pytest.raises(ValueError, match=r"^validation_batch_size is a positive integer; received"):
        learner.fit(X, validation_data=X, validation_batch_size=size, verbose=0)


SEEDED = {
    "a learner": lambda seed: SymmetricEquilibrium(shared(images).pair, seed=seed),
    "batches": lambda seed: Batches({"x": X}, batch_size=4, seed=seed),
    "a question": lambda seed: shared(images).generate(2, seed=seed),
    "a seed": seeds.make,
}


@pytest.mark.parametrize("call", SEEDED.values(), ids=SEEDED)
@pytest.mark.parametrize("wrong", [None, 1.5])
def test_a_seed_is_an_integer(call, wrong):
    with pytest.raises(ValueError, match=rf"^seed is an integer.* received {wrong!r}"):
        call(wrong)


def test_one_batch_is_of_arrays():
    with pytest.raises(ValueError, match=r"One batch is of arrays; received _BatchDataset\. Use f"):
        shared(images).train_on_batch(dataset(X))


def test_what_can_be_read_once_is_not_read_twice():
    learner = images()
    with pytest.raises(ValueError, match="can be read once, and not in each of 2 epochs"):
        learner.fit(generator(), epochs=2, verbose=0)
    with pytest.raises(ValueError, match="say how many validation_steps"):
        learner.fit(X, validation_data=generator(), epochs=2, verbose=0)
    other = images()
    other.fit(X, batch_size=4, shuffle=False, verbose=0)
    learner.fit(generator(), epochs=2, steps_per_epoch=2, verbose=0)
    testing.assert_same_state(learner, other)


def test_refused_held_out_data_take_nothing_from_a_generator():
    learner, data = shared(images), generator()
    with pytest.raises(ValueError, match="Add the channel axis"):
        learner.fit(data, validation_data=X[..., 0], verbose=0)
    np.testing.assert_array_equal(np.concatenate(list(data)), X)


def test_endless_data_are_taken_with_steps():
    learner = images()
    learner.fit(dataset(X).repeat(), steps_per_epoch=2, verbose=0)
    learner.fit(Sequence(lambda x: x, num_batches=None), steps_per_epoch=1, verbose=0)
    assert int(learner.steps.numpy()) == 3
    logs = learner.fit(X, validation_data=dataset(X).repeat(), validation_steps=1, verbose=0)
    assert np.isfinite(logs.history["val_loss"]).all()


def test_a_pydataset_is_told_of_epochs_as_by_keras():
    data, learner = Sequence(lambda x: x), images()
    learner.fit(data, epochs=2, verbose=0)
    plain = Sequence(lambda x: (x, x))
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(plain, epochs=2, verbose=0)
    assert data.epochs == plain.epochs > 0


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_a_late_faulty_batch_stops_training_before_it_is_learned_from(steps_per_execution):
    x = np.concatenate([X, 255 * X])
    learner, other = (
        images(run_eagerly=False, steps_per_execution=steps_per_execution) for _ in range(2)
    )
    with pytest.raises(ValueError, match=r"'x' ranges over \[0\.0, 255\.0\]"):
        learner.fit(dataset(x), verbose=0)
    other.fit(dataset(X), verbose=0)
    testing.assert_same_state(learner, other)


def test_batches_of_a_users_own_are_checked_beyond_the_first():
    data = Batches({"x": np.concatenate([X, 2 * X])}, batch_size=4, shuffle=False)
    learner = images()
    with pytest.raises(ValueError, match=r"'x' ranges over \[0\.0, 2\.0\]"):
        learner.fit(data, verbose=0)
    assert int(learner.steps.numpy()) == 4


def test_missing_labels_and_values_pass_where_a_learner_may_lack_them():
    x = np.concatenate([LABELLED["x"], np.full((16, 3), np.nan, "float32")])
    y, learner = np.tile(Y, 2), compiled(Cooperative(cases.team(), mixing=0.5, seed=2))
    y[:8] = -1
    learner.fit(dataset({"x": x, "y": y}), verbose=0)
    assert int(learner.steps.numpy()) == 8 and int(learner.guard.skipped.numpy()) == 0
    elbo = compiled(ELBO(cases.conditional()))
    with pytest.raises(ValueError, match=r"'y' is missing in 4 examples, and ELBO cannot"):
        elbo.fit(dataset({"x": LABELLED["x"], "y": y[:16]}), verbose=0)


def test_data_of_a_team_are_checked_by_member():
    learner = compiled(Cooperative(cases.team(), mixing=0.5, seed=2))
    parts = {"painter": LABELLED, "labeller": {**LABELLED, "y": Y + 1}}
    with pytest.raises(ValueError, match=r"'y' ranges over \[1, 3\]"):
        learner.fit(iter([parts]), verbose=0)
    with pytest.raises(ValueError, match=r"'y' ranges over \[1, 3\]"):
        learner.fit(Dataset.from_tensors(parts), verbose=0)
    learner.fit(Dataset.from_tensors({**parts, "labeller": LABELLED}), verbose=0)
    assert int(learner.steps.numpy()) == 1


ASKED = {
    "arrays": lambda: X,
    "lists": X.tolist,
    "a data set": lambda: dataset(X, batch_size=3),
    "a target": lambda: dataset(X, X, batch_size=5),
    "a generator": generator,
    "a PyDataset": lambda: Sequence(lambda x: (x, None)),
}


@pytest.mark.parametrize("data", ASKED.values(), ids=ASKED)
def test_predict_is_reconstruct_however_data_are_divided(data):
    """Draws depend on the place of an example in the data, and on nothing else."""
    learner = shared(images)
    answers = learner.predict(data(), batch_size=2, verbose=0)
    np.testing.assert_array_equal(answers["x"], learner.reconstruct(X)["x"])


def test_codes_of_predict_do_not_repeat_from_batch_to_batch():
    x = np.repeat(X[:1], 64, axis=0)
    codes = shared(images).predict(dataset(x), verbose=0)["z0"]
    batches = codes.reshape(16, -1)
    assert len(np.unique(batches, axis=0)) > 8


BAD_QUESTIONS = {
    "bytes": (255 * X, "Divide by 255"),
    "no channel": (X[..., 0], "Add the channel axis"),
    "NaN": (np.where(X > 0, np.nan, X), "NaN"),
    "nothing": (X[:0], "The data are empty"),
}


@pytest.mark.parametrize(("x", "match"), BAD_QUESTIONS.values(), ids=BAD_QUESTIONS)
def test_predict_checks_as_reconstruct_does(x, match):
    learner = shared(images)
    if len(x):
        for data in (dataset(x), iter([x])):
            with pytest.raises(ValueError, match=match):
                learner.predict(data, verbose=0)
    for call in (learner.predict, learner.predict_on_batch, learner.reconstruct):
        with pytest.raises(ValueError, match=match):
            call(x)


def test_predict_of_endless_data_needs_steps():
    learner = shared(images)
    with pytest.raises(ValueError, match="has no end; say how many steps"):
        learner.predict(dataset(X).repeat(), verbose=0)
    assert learner.predict(dataset(X).repeat(), steps=2)["x"].shape == (8, 4, 4, 1)
    assert learner.predict(X, batch_size=3, steps=2)["x"].shape == (6, 4, 4, 1)
    with pytest.raises(ValueError, match="predict takes no callbacks"):
        learner.predict(X, callbacks=[keras.callbacks.Callback()])


def test_a_team_predicts_what_its_members_do():
    team = cases.team()
    found = team.predict(LABELLED)
    for member in team.members:
        expected = team[member].predict(LABELLED)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[member][name], value)
    assert isinstance(team["painter"], Pair)


def test_a_question_without_data_says_so():
    asked = pair()
    with pytest.raises(ValueError, match=r"^encode is asked about data; received None"):
        asked.encode(None)
    with pytest.raises(ValueError, match="The data are empty"):
        asked.encode(X[:0])
    with pytest.raises(ValueError, match=r"limiting needs steps >= 1; received 2\.5"):
        asked.limiting(2, steps=2.5)
