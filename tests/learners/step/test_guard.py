"""Tests of steps that are not finite: nothing moves, and the fault is named."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    ELBO,
    Factor,
    Learner,
    NonFiniteError,
    Pair,
    Player,
    SymmetricEquilibrium,
    families,
    testing,
)
from tests import cases


@pytest.fixture(autouse=True)
def _overflow(monkeypatch):
    """Turns pixels of 0.5 into NaN within a step: NaN in the data does not get that far."""
    step = Learner.train_step

    def train_step(learner, data):
        values = learner.pair.named(data)
        return step(learner, {n: tf.where(v == 0.5, np.nan, v) for n, v in values.items()})

    monkeypatch.setattr(Learner, "train_step", train_step)


def faulty_data(steps, *, bad, batch_size=4):
    """Returns a dataset of batches of which those at the steps `bad` become NaN."""
    x = np.tile(cases.images(batch_size), (steps, 1, 1, 1)).reshape(steps, batch_size, 3, 3, 1)
    x[list(bad), 1, 2, 0] = 0.5
    return tf.data.Dataset.from_tensor_slices(x)


def compiled(game=SymmetricEquilibrium, *, pair=None, optimizer="adam", options=None, **arguments):
    keras.utils.set_random_seed(0)
    learner = game(pair or cases.ladder(latents=(2,), order="reverse"), **arguments)
    # The graph matters where several steps run in it; elsewhere there is no need to trace one.
    learner.compile(optimizer, **(options or {"run_eagerly": True}))
    return learner


def stepping(steps):
    return {"steps_per_execution": steps, "run_eagerly": steps == 1}


def trained_state(learner):
    """Returns the arrays of `testing.state` that no faulty step may touch."""
    return {
        path: value
        for path, value in testing.state(learner)
        if "/guard/" not in f"/{path}" and not path.endswith("/steps")
    }


@pytest.mark.parametrize("game", cases.LEARNERS.values())
def test_a_faulty_step_touches_neither_weights_nor_slots(game):
    learner = compiled(game, options={"run_eagerly": False})
    learner.fit(faulty_data(2, bad=[]), verbose=0)
    before = trained_state(learner)
    assert any("iterations" in path or "iteration" in path for path in before)
    logs = learner.fit(faulty_data(3, bad=[0, 1, 2]), verbose=0).history
    for path, value in trained_state(learner).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)
    assert int(learner.guard.skipped.numpy()) == 3 and int(learner.steps.numpy()) == 5
    assert np.isnan(list(logs.values())).all()  # a mean of no step; 0 would look perfect


def test_training_goes_on_after_a_faulty_step_and_logs_leave_it_out():
    learner = compiled(optimizer=keras.optimizers.SGD(0.0), patience=2)
    logs = learner.fit(faulty_data(7, bad=[1, 3, 5]), verbose=0).history
    assert int(learner.guard.skipped.numpy()) == 3
    # Bits under nearly uniform probabilities cost log 2 each; a skipped step would count as 0.
    assert abs(logs["decoder/x/bits_per_dim"][0] - 1.0) < 0.5
    learner.compile("adam", run_eagerly=True)
    before = trained_state(learner)
    learner.fit(faulty_data(2, bad=[0]), verbose=0)
    assert any(np.any(value != before[path]) for path, value in trained_state(learner).items())


@pytest.mark.parametrize("game", cases.LEARNERS.values())
@pytest.mark.parametrize("steps_per_execution", [1, 5])
def test_patience_ends_training_with_the_name_of_the_fault(game, steps_per_execution):
    learner = compiled(game, patience=3, options=stepping(steps_per_execution))
    with pytest.raises(NonFiniteError, match=r"[35] steps in a row.* decoder/x, .*clipnorm"):
        learner.fit(faulty_data(5, bad=range(5)), verbose=0)
    assert all(np.isfinite(weight).all() for weight in learner.pair.get_weights())


@pytest.mark.parametrize("steps_per_execution", [1, 5])
def test_raise_stops_before_the_first_faulty_step(steps_per_execution):
    learner = compiled(nonfinite="raise", options=stepping(steps_per_execution))
    with pytest.raises(NonFiniteError, match="decoder/x"):
        learner.fit(faulty_data(5, bad=[2]), verbose=0)
    expected = compiled()
    expected.fit(faulty_data(2, bad=[]), verbose=0)
    pairs = zip(learner.pair.get_weights(), expected.pair.get_weights(), strict=True)
    for weight, other in pairs:
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-7)
    learner.fit(faulty_data(5, bad=[]), verbose=0)  # whoever mended the data may go on


@tf.custom_gradient
def poisoned(value):
    return value, lambda upstream: upstream * np.nan


@keras.saving.register_keras_serializable(package="tests")
class Poisoned(keras.layers.Dense):
    """A dense layer whose weights get a gradient that is not a number."""

    def call(self, inputs):
        return poisoned(super().call(inputs))


def poisoned_pair(*, prebuilt):
    known = {"x": families.Bernoulli(3), "z": families.Bernoulli(2)}
    painter = Poisoned(3)
    if prebuilt:
        painter = keras.Sequential([keras.Input((2,)), painter])
    decoder = [Factor("z"), Factor("x", given="z", network=painter)]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(2))]
    return Pair(
        Player(decoder, families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
    )


@pytest.mark.parametrize("prebuilt", [False, True])
def test_a_faulty_gradient_is_named(prebuilt):
    x = np.ones((8, 3), "float32")
    learner = compiled(pair=poisoned_pair(prebuilt=prebuilt), nonfinite="raise")
    before = trained_state(learner)
    with pytest.raises(NonFiniteError, match=r"finite: gradient of decoder/x\."):
        learner.fit(x, verbose=0)
    for path, value in trained_state(learner).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)


def test_a_loss_scale_looks_for_its_size_by_itself():
    """Infinite gradients under loss scaling are no fault: the scale shrinks instead."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        pair = cases.ladder(latents=(2,), order="reverse")
        optimizer = keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(), initial_scale=2.0**100
        )
        learner = compiled(pair=pair, optimizer=optimizer, nonfinite="raise")
        learner.fit(cases.images(), batch_size=8, verbose=0)
        assert float(optimizer.dynamic_scale.numpy()) < 2.0**100
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"nonfinite": "ignore"}, "nonfinite is one of skip, raise"),
        ({"patience": 0}, "patience is a positive integer"),
    ],
)
def test_bad_policies_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        ELBO(cases.ladder(latents=(2,)), **arguments)
