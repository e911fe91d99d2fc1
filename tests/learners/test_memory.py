"""Tests of remembered codes: a chain of its own for every example, saved and resumed exactly."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    Backup,
    Batches,
    Cooperative,
    SymmetricEquilibrium,
    families,
    seeds,
    testing,
)
from keras_symvae.data.batch import Batch
from keras_symvae.data.batches import Mixture
from keras_symvae.data.variables import ROWS
from keras_symvae.learners.memory import Memory
from keras_symvae.learners.resampling import Resampling
from tests import cases
from tests.enumeration import Exact, tiny
from tests.learners.test_exactness import ORDERS
from tests.learners.test_resampling import indices

COPIES = 4000
VISITS = 60


@pytest.mark.parametrize("order", ORDERS)
def test_few_draws_one_of_them_remembered_come_to_the_posterior(order):
    """From visit to visit the law of the taken code tends to p(z | x), for any number of draws."""
    exact = Exact(tiny(order))
    image = exact.images[5]
    posterior = np.exp(exact.log_p() - exact.log_evidence()[:, None])[5]
    codes = Resampling(exact.pair, draws=6, remember=1.0)
    codes.memory.prepare(COPIES)
    rows = tf.range(COPIES, dtype=tf.int64)
    x = tf.constant(np.repeat(image[None], COPIES, axis=0))

    @tf.function
    def visit(number):
        batch = Batch({"x": x}, rows=rows)
        taken = codes.of(batch, seed=seeds.fold(seeds.make(0), number)).taken
        return {name: taken[name] for name in ("z0", "z1")}

    gaps = []
    for number in tf.range(VISITS):
        found = indices(visit(number), ("z0", "z1"))
        shares = np.bincount(found, minlength=32) / COPIES
        gaps.append(np.abs(shares - posterior).sum() / 2)
    noise = np.sqrt(posterior * (1 - posterior) / COPIES).sum() / 2
    assert gaps[0] > 4 * noise  # one visit is the law of six draws
    assert np.mean(gaps[-10:]) < 2 * noise


def test_a_memory_keeps_what_is_sound_and_nothing_else():
    kinds = {"z": families.Bernoulli(2), "y": families.Categorical((), num_classes=3)}
    memory = Memory(kinds | {"u": families.Normal(1)})
    memory.prepare(5)
    assert {name: table.dtype for name, table in memory.codes.items()} == {
        "z": "int8",
        "y": "int8",
        "u": "float32",
    }
    values = {
        "z": tf.constant([[1.0, 0.0], [1.0, 1.0]]),
        "y": tf.constant([2, 1]),
        "u": tf.constant([[0.25], [0.5]]),
    }
    memory.keep(tf.constant([3, 1], tf.int64), values, where=tf.constant([True, False]))
    found = memory.recall(tf.range(5, dtype=tf.int64), share=1.0, seed=seeds.make(0))
    np.testing.assert_array_equal(found.mask, [0, 0, 0, 1, 0])
    np.testing.assert_array_equal(found.values["z"][3], [1, 0])
    assert found.values["y"].dtype == tf.int32 and int(found.values["y"][3]) == 2
    assert float(found.values["u"][3, 0]) == 0.25
    with pytest.raises(ValueError, match="codes of 5 examples are remembered, and the data have 6"):
        memory.prepare(6)


def test_an_example_remembers_with_the_probability_that_was_asked_for():
    memory = Memory({"z": families.Bernoulli(1)})
    memory.prepare(4000)
    rows = tf.range(4000, dtype=tf.int64)
    memory.keep(rows, {"z": tf.ones([4000, 1])}, where=True)
    awake = memory.recall(rows, share=0.3, seed=seeds.make(1)).mask
    assert abs(np.mean(awake) - 0.3) < 0.04


def remembering(**options):
    keras.utils.set_random_seed(0)
    learner = SymmetricEquilibrium(cases.ladder(), draws=3, remember=0.5, **options)
    learner.compile("adam")
    return learner


@pytest.mark.parametrize("kind", ["arrays", "Batches", "Mixture"])
def test_rows_are_the_examples_that_a_step_holds(kind):
    """A row holds the code that was taken for this very example."""
    x = cases.images(12)
    data = {
        "arrays": x,
        "Batches": Batches({"x": x}, batch_size=4, seed=3),
        "Mixture": Mixture([Batches({"x": x[:4]}, batch_size=2), Batches({"x": x}, batch_size=4)]),
    }[kind]
    learner = remembering()
    learner.fit(data, batch_size=None if kind != "arrays" else 4, steps_per_epoch=2, verbose=0)
    memory = learner.memories["pair"]
    assert memory.size == (16 if kind == "Mixture" else 12)
    if kind == "arrays":
        data = Batches({"x": x}, batch_size=4, seed=learner.seed)
    seen = np.concatenate([data.rows(step) for step in range(2)])
    expected = np.zeros(memory.size, bool)
    expected[seen] = True
    np.testing.assert_array_equal(memory.visited, expected)
    batch = next(iter(data.dataset(start=1, numbered=True)))
    np.testing.assert_array_equal(batch[ROWS], data.rows(1))
    if kind != "Mixture":
        np.testing.assert_array_equal(batch["x"], x[data.rows(1)])


def test_an_interrupted_run_remembers_what_it_would_have(tmp_path):
    x = cases.images(16)
    whole = remembering()
    whole.fit(x, batch_size=4, epochs=3, verbose=0)
    remembering().fit(x, batch_size=4, epochs=1, callbacks=[Backup(tmp_path)], verbose=0)
    resumed = remembering()
    resumed.fit(x, batch_size=4, epochs=3, callbacks=[Backup(tmp_path)], verbose=0)
    testing.assert_same_state(resumed, whole)
    assert whole.memories["pair"].visited.numpy().all()


def test_a_file_holds_what_is_remembered(tmp_path):
    learner = remembering()
    learner.fit(cases.images(16), batch_size=4, verbose=0)
    learner.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    testing.assert_same_state(loaded, learner)
    for model in (loaded, learner):
        model.fit(cases.images(16), batch_size=4, verbose=0)
    testing.assert_same_state(loaded, learner)
    with pytest.raises(ValueError, match="codes of 16 examples are remembered"):
        loaded.fit(cases.images(20), verbose=0)


def test_held_out_data_are_not_remembered():
    learner = remembering()
    learner.fit(cases.images(16), validation_data=cases.images(8), verbose=0)
    before = [np.array(table) for table in learner.memories["pair"].codes.values()]
    learner.evaluate(cases.images(16), verbose=0)
    for table, former in zip(learner.memories["pair"].codes.values(), before, strict=True):
        np.testing.assert_array_equal(table, former)


@pytest.mark.usefixtures("eagerly")
def test_every_member_of_a_team_remembers_its_own_codes():
    learner = Cooperative(cases.team(), mixing=0.5, draws=3, remember=1.0, nonfinite="raise")
    learner.compile("sgd")
    data = cases.conditional_data(12)
    data["y"][8:] = -1
    learner.fit(data, batch_size=4, epochs=2, verbose=0)
    assert {name: memory.size for name, memory in learner.memories.items()} == {
        "painter": 12,
        "labeller": 12,
    }
    # What an example without a label has of codes of the painter was drawn under a drawn label.
    assert learner.memories["painter"].visited.numpy()[:8].all()


def test_a_probability_that_is_none_is_refused():
    with pytest.raises(ValueError, match="remember is a share"):
        SymmetricEquilibrium(cases.ladder(), draws=2, remember=1.5)


def test_one_draw_has_nothing_to_remember():
    """So that `draws=1` alone turns any recipe into the game of the paper."""
    assert not SymmetricEquilibrium(cases.ladder(), draws=1, remember=0.5).memories


def test_data_without_numbers_are_refused():
    learner = remembering()
    data = tf.data.Dataset.from_tensor_slices(cases.images(8)).batch(4)
    with pytest.raises(ValueError, match="every example, which therefore needs a number"):
        learner.fit(data, verbose=0)
    learner.train_on_batch(cases.images(8))  # a batch alone has no numbers, and remembers nothing
    assert learner.memories["pair"].size == 0
