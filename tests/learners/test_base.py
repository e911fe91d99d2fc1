"""Tests of what all learners share: the game, logs, files, resuming and refusals."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import ELBO, Batches, Learner, SymmetricEquilibrium, learners, seeds, testing
from keras_symvae.learners import Outcome
from tests import cases


@pytest.mark.quick
def test_the_table_holds_every_learner():
    public = [getattr(learners, name) for name in learners.__all__]
    games = {part for part in public if inspect.isclass(part) and issubclass(part, Learner)}
    tables = (cases.LEARNERS, cases.TEAM_LEARNERS, cases.ADVERSARIAL_LEARNERS)
    registered = set(learners.LEARNERS.values())
    assert registered == {learner for table in tables for learner in table.values()}
    assert games - {Learner} <= registered


# All learners train and resume eagerly, and in graphs, whose traces take most of the time.
eager = pytest.mark.usefixtures("eagerly")


def check_learner(name):
    data = cases.conditional_data()
    learner = cases.LEARNERS[name](cases.conditional(), seed=3)
    testing.run_learner_test(learner, data, optimizer={"decoder": "adam", "encoder": "sgd"})


@pytest.mark.quick
@eager
@pytest.mark.parametrize("name", cases.LEARNERS)
def test_learner(name):
    check_learner(name)


@pytest.mark.parametrize("name", ["symmetric", pytest.param("elbo", marks=pytest.mark.slow)])
def test_learner_in_a_graph(name):
    check_learner(name)


def check_learner_of_a_team(name):
    learner = cases.TEAM_LEARNERS[name](cases.team(), mixing=0.7, seed=3)
    testing.run_learner_test(learner, cases.conditional_data())


@pytest.mark.quick
@eager
@pytest.mark.parametrize("name", cases.TEAM_LEARNERS)
def test_learner_of_a_team(name):
    check_learner_of_a_team(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", cases.TEAM_LEARNERS)
def test_learner_of_a_team_in_a_graph(name):
    check_learner_of_a_team(name)


@pytest.mark.slow
def test_learner_of_a_ladder_of_bits():
    testing.run_learner_test(SymmetricEquilibrium(cases.ladder()), {"x": cases.images()})


def weights(player):
    return [variable.numpy() for variable in player.trainable_variables]


def moved(player, before):
    pairs = zip(weights(player), before, strict=True)
    return [bool(np.any(after != value)) for after, value in pairs]


@pytest.mark.parametrize("mover", ["decoder", "encoder"])
def test_a_player_moves_its_own_weights_only(mover):
    pair = cases.ladder()
    learner = SymmetricEquilibrium(pair)
    rates = {"decoder": 0.0, "encoder": 0.0, mover: 0.1}
    optimizers = {name: keras.optimizers.SGD(rate) for name, rate in rates.items()}
    learner.compile(optimizers, run_eagerly=True)
    before = {name: weights(getattr(pair, name)) for name in rates}
    learner.fit(cases.images(), batch_size=16, verbose=0)
    assert all(moved(getattr(pair, mover), before[mover]))
    other = "encoder" if mover == "decoder" else "decoder"
    assert not any(moved(getattr(pair, other), before[other]))


@pytest.mark.quick
def test_a_step_follows_each_players_own_utility_from_the_same_point():
    pair, values = cases.ladder(), {"x": tf.constant(cases.images(8))}
    learner = SymmetricEquilibrium(pair, seed=5)
    learner.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    seed, expected, foreign = learner._seed(seeds.TRAIN, 0), {}, []
    for player, utility in (
        (pair.decoder, learner.decoder_utility),
        (pair.encoder, learner.encoder_utility),
    ):
        other = pair.decoder if player is pair.encoder else pair.encoder
        with tf.GradientTape(persistent=True) as tape:
            gain = tf.reduce_mean(utility(values, seed)[0])
        gradients = tape.gradient(gain, [v.value for v in player.trainable_variables])
        pairs = zip(weights(player), gradients, strict=True)
        expected[player.name] = [weight + 0.1 * gradient for weight, gradient in pairs]
        foreign.append(tape.gradient(gain, [v.value for v in other.trainable_variables]))
    # Through the tilt the encoder's utility does depend on the decoder, which must not heed it.
    assert all(gradient is None for gradient in foreign[0])
    assert any(gradient is not None and np.any(gradient) for gradient in foreign[1])
    learner.train_on_batch(values)
    for name, arrays in expected.items():
        for weight, array in zip(weights(getattr(pair, name)), arrays, strict=True):
            np.testing.assert_allclose(weight, array, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("game", cases.LEARNERS.values())
def test_logs_are_sums_of_costs(game):
    learner = game(cases.ladder())
    learner.compile("sgd", run_eagerly=True)
    logs = learner.fit(cases.images(), batch_size=8, verbose=0).history
    for player in ("decoder", "encoder"):
        parts = [logs[name][0] for name in learner.cost_names if name.startswith(player + "/")]
        np.testing.assert_allclose(logs[player][0], sum(parts), rtol=1e-5)
    np.testing.assert_allclose(logs["loss"][0], logs["decoder"][0] + logs["encoder"][0], rtol=1e-5)
    bits = logs["decoder/x"][0] / (9 * np.log(2))
    np.testing.assert_allclose(logs["decoder/x/bits_per_dim"][0], bits, rtol=1e-5)


class Sum(Learner):
    """A game without draws: the decoder's cost is the sum of x."""

    cost_names = ("decoder/x",)

    def moves(self):
        return [(("decoder",), self.utility)]

    def utility(self, values, seed, training=True):
        cost = tf.reduce_sum(values["x"], axis=[1, 2, 3])
        return Outcome(-cost, {"decoder/x": cost})


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_logs_are_means_over_all_examples_of_an_epoch(steps_per_execution):
    x = cases.images(11)
    learner = Sum(cases.ladder(latents=(2,)))
    learner.compile("sgd", steps_per_execution=steps_per_execution)
    dataset = tf.data.Dataset.from_tensor_slices(x).batch(4)  # 4 + 4 + 3
    logs = learner.fit(dataset, validation_data=(x[:5],), epochs=2, verbose=0).history
    np.testing.assert_allclose(logs["loss"], 2 * [x.sum() / 11], rtol=1e-6)
    np.testing.assert_allclose(logs["val_loss"], 2 * [x[:5].sum() / 5], rtol=1e-6)


def test_evaluation_is_repeatable_and_training_does_not_see_it():
    x, runs = cases.images(), []
    for validation in (None, x[:8]):
        learner = SymmetricEquilibrium(cases.ladder(latents=(2,)), seed=1)
        keras.utils.set_random_seed(0)
        learner.pair.set_weights([np.full(w.shape, 0.1) for w in learner.pair.weights])
        learner.compile("adam", run_eagerly=True)
        learner.fit(x, validation_data=validation, epochs=2, batch_size=16, verbose=0)
        runs.append(learner)
    testing.assert_same_state(*runs)
    first, second = (learner.evaluate(x, verbose=0, return_dict=True) for _ in range(2))
    assert first == second and first.keys() == set(learner.metric_names)
    assert first == learner.evaluate({"x": x}, verbose=0, return_dict=True)


def test_arrays_dicts_and_batches_train_alike():
    x, runs = cases.images(), []
    for data in (x, {"x": x}, (x,), (x, None), Batches({"x": x}, batch_size=8, seed=4)):
        learner = SymmetricEquilibrium(cases.ladder(latents=(2,)), seed=4)
        learner.pair.set_weights([np.full(w.shape, 0.1) for w in learner.pair.weights])
        learner.compile("adam", run_eagerly=True)
        learner.fit(data, batch_size=None if isinstance(data, Batches) else 8, verbose=0)
        runs.append(learner)
    for learner in runs[1:]:
        testing.assert_same_state(runs[0], learner)


def test_missing_labels_are_refused_by_who_cannot_use_them():
    model = cases.LEARNERS["elbo"](cases.conditional())
    model.compile()
    data = cases.conditional_data()
    data["y"][:3] = -1
    with pytest.raises(ValueError, match="'y' is missing in 3 examples, and ELBO cannot"):
        model.fit(data, verbose=0)
    assert int(model.steps.numpy()) == 0


def test_labels_are_taken_as_y():
    data = cases.conditional_data(8)
    learner = SymmetricEquilibrium(cases.conditional())
    learner.compile("adam", run_eagerly=True)
    logs = learner.fit(data["x"], data["y"], validation_data=(data["x"], data["y"]), verbose=0)
    assert np.isfinite(logs.history["val_loss"]).all()
    dataset = tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).batch(4)
    learner.fit(dataset, verbose=0)
    assert int(learner.steps.numpy()) == 3


BITS = cases.images(4)
BAD_DATA = {
    "labels of a pair that has none": ((BITS, np.zeros(4, int)), r"\['y'\].*no variables"),
    "an unknown name": ({"x": BITS, "w": BITS}, r"\['w'\].*no variables"),
    "too much": ((BITS, None, BITS), "3 parts"),
    "a missing channel": (BITS[..., 0], r"x\[\.\.\., None\]"),
    "bytes": (255 * BITS, "Divide by 255"),
    "not a number": (np.where(BITS > 0, np.nan, BITS), "NaN"),
    "two lengths": ({"x": BITS, "z0": np.zeros((3, 2))}, "one common length"),
    "nothing": (BITS[:0], "length above 0"),
    "latents alone": ({"z0": np.zeros((4, 2))}, r"reads \['x'\]"),
}


@pytest.mark.parametrize(("data", "match"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_are_refused_before_training(data, match):
    learner = SymmetricEquilibrium(cases.ladder())
    learner.compile("adam", run_eagerly=True)
    before = testing.state(learner)
    with pytest.raises(ValueError, match=match):
        learner.fit(data, verbose=0)
    with pytest.raises(ValueError, match=match):
        learner.fit(BITS, validation_data=data, verbose=0)
    with pytest.raises(ValueError, match=match):
        learner.evaluate(data, verbose=0)
    for (path, value), (_, expected) in zip(testing.state(learner), before, strict=True):
        np.testing.assert_array_equal(value, expected, err_msg=path)


@eager
def test_prediction_is_the_mean_reconstruction():
    pair, x = cases.ladder(), cases.images(4)
    learner = ELBO(pair)
    learner.compile("adam")
    expected = pair.endpoints["reconstruct"]({"x": tf.constant(x)}, seed=0, output="mean")
    for name, value in learner.predict(x, verbose=0).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6)
    assert learner.generate(2)["x"].shape == learner.reconstruct(x[:2])["x"].shape
    assert learner.decode(learner.encode(x))["x"].shape == x.shape
    assert learner.limiting(3, steps=1)["x"].shape == (3, 3, 3, 1)
