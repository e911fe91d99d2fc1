"""Tests of the ways to compile a learner."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import ELBO, Batches, SymmetricEquilibrium, testing
from tests import cases

SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam


def trained(optimizer, *, game=SymmetricEquilibrium, epochs=1, pair=None, **options):
    """Returns a learner after 4 steps an epoch, from the same weights each time."""
    keras.utils.set_random_seed(0)
    learner = game(pair or cases.ladder(latents=(2,), order="reverse"))
    learner.compile(optimizer, **{"run_eagerly": True, **options})  # no graph to trace: faster
    learner.start = learner.pair.get_weights()
    learner.logs = learner.fit(cases.images(), batch_size=8, epochs=epochs, verbose=0).history
    assert np.isfinite(learner.logs["loss"]).all()
    return learner


def distance(learner, variables=None):
    """Norm of the way that the variables went since the start."""
    path = zip(learner.pair.weights, learner.start, strict=True)
    chosen = learner.pair.weights if variables is None else variables
    ids = {id(variable) for variable in chosen}
    ways = [weight.numpy() - start for weight, start in path if id(weight) in ids]
    return np.sqrt(sum(np.square(way).sum() for way in ways))


def assert_close(learner, other, **tolerances):
    for weight, expected in zip(learner.pair.weights, other.pair.weights, strict=True):
        np.testing.assert_allclose(weight, expected, err_msg=weight.path, **tolerances)


@pytest.mark.parametrize("game", cases.LEARNERS.values())
def test_eager_and_graph_agree(game):
    eager, graph = trained("sgd", game=game), trained("sgd", game=game, run_eagerly=False)
    assert_close(eager, graph, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(eager.logs["loss"], graph.logs["loss"], rtol=1e-5)
    assert distance(graph) > 1e-3


def test_several_steps_per_execution_are_the_same_steps():
    together = trained("adam", run_eagerly=False, steps_per_execution=4)
    assert_close(trained("adam"), together, rtol=1e-4, atol=1e-6)


@pytest.mark.slow  # compiles
@pytest.mark.parametrize("game", cases.LEARNERS.values())
def test_xla_plays_the_same_game(game):
    """XLA's draws are others, so that only means over many examples can agree."""
    learner = game(cases.ladder(latents=(2,), order="reverse"))
    x = np.repeat(cases.images(), 64, axis=0)
    learner.start, means = learner.pair.get_weights(), []
    for options in ({"run_eagerly": True}, {"jit_compile": True}):
        learner.pair.set_weights(learner.start)
        learner.compile(SGD(0.1), **options)
        means.append(learner.fit(x, batch_size=2048, verbose=0).history)
    for name, values in means[0].items():
        np.testing.assert_allclose(values, means[1][name], rtol=0.05, atol=0.02, err_msg=name)
    assert distance(learner) > 1e-3


def test_keys_name_players_and_factors():
    pair = cases.ladder(order="reverse")
    table = {"decoder": SGD(0.0), "encoder": SGD(0.0), "decoder/z1": SGD(0.1)}
    learner = trained(table, pair=pair)
    mover = pair.decoder.factor("z1").trainable_variables
    assert distance(learner, mover) > 1e-3
    assert distance(learner) == distance(learner, mover)


def test_prebuilt_networks_find_their_optimizer():
    """A functional network keeps the variable paths that it had before it joined a factor."""
    learner = ELBO(cases.conditional())
    learner.compile({"decoder": SGD(0.0), "encoder": SGD(0.1)}, run_eagerly=True)
    learner.start = learner.pair.get_weights()
    learner.fit(cases.conditional_data(), batch_size=16, verbose=0)
    assert distance(learner, learner.pair.encoder.trainable_variables) > 1e-3
    assert distance(learner, learner.pair.decoder.trainable_variables) == 0.0


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ({"decoder": "adam"}, "No optimizer for 'encoder/"),
        ({"decoder": "adam", "encoder": "adam", "decoder/z9": "sgd"}, r"\['decoder/z9'\] fit no"),
        ({"decoder": "adam", "encoder": "nonsense"}, "nonsense"),
    ],
)
def test_bad_keys_are_refused(table, match):
    with pytest.raises(ValueError, match=match):
        SymmetricEquilibrium(cases.ladder()).compile(table)


def test_a_learner_may_be_compiled_again():
    learner = trained("adam")
    learner.compile(SGD(0.0), run_eagerly=True)
    before = learner.pair.get_weights()
    learner.fit(cases.images(), batch_size=8, verbose=0)
    for weight, expected in zip(learner.pair.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_schedules_are_followed():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.1, 0.0])
    # Step 4 of the first epoch is the last that moves anything.
    assert_close(trained(SGD(schedule)), trained(SGD(schedule), epochs=2), rtol=0)
    assert distance(trained(SGD(schedule))) > 1e-3


@pytest.mark.parametrize("table", [False, True])
def test_gradients_are_clipped_per_optimizer(table):
    def clipped():
        return SGD(1.0, global_clipnorm=1e-3)

    learner = trained({"decoder": clipped(), "encoder": clipped()} if table else clipped())
    bound = 4e-3 * (2**0.5 if table else 1)
    assert 0.5 * bound < distance(learner) < 1.001 * bound


def test_clipnorm_is_taken():
    assert 0 < distance(trained(SGD(1.0, clipnorm=1e-3))) < 4e-3 * len(cases.ladder().weights)


@pytest.mark.parametrize("table", [False, True])
def test_averaged_weights_remain_after_training(table):
    def averaged(momentum):
        def make():
            return SGD(0.1, use_ema=True, ema_momentum=momentum)

        return trained({"decoder": make(), "encoder": make()} if table else make())

    plain = trained(SGD(0.1))
    assert_close(averaged(0.0), plain, rtol=1e-6)
    assert 0 < distance(averaged(0.5)) < 0.95 * distance(plain)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_costs_in_float32(policy):
    exact = trained(SGD(0.01))
    keras.config.set_dtype_policy(policy)
    try:
        learner = trained(SGD(0.01))
        assert learner.pair.decoder.log_prob({"z0": np.ones((2, 2), "float32")})["z0"].dtype == (
            "float32"
        )
        assert learner.predict(cases.images(4), verbose=0)["x"].dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")
    scaled = isinstance(learner.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    np.testing.assert_allclose(learner.logs["loss"], exact.logs["loss"], rtol=0.02)
    assert distance(learner) > 1e-3


@pytest.mark.parametrize(
    ("data", "options", "steps"),
    [
        (cases.images(), {"batch_size": 8}, 4),
        (Batches({"x": cases.images()}, batch_size=8), {}, 4),
        (tf.data.Dataset.from_tensor_slices(cases.images()).batch(8), {}, 4),
        (cases.images(), {"batch_size": 8, "steps_per_epoch": 7}, 7),
        (
            tf.data.Dataset.from_tensor_slices(cases.images()).repeat().batch(8),
            {"steps_per_epoch": 7},
            7,
        ),
    ],
    ids=["arrays", "batches", "tf.data", "arrays without end", "tf.data without end"],
)
def test_no_epoch_goes_beyond_its_end(data, options, steps):
    learner = SymmetricEquilibrium(cases.ladder())
    learner.compile("adam", steps_per_execution=3)
    learner.fit(data, epochs=2, verbose=0, **options)
    assert int(learner.steps.numpy()) == 2 * steps
    assert learner.steps_per_execution in (1, 2, 3)
    learner.fit(cases.images(24), batch_size=8, verbose=0)
    assert (learner.steps_per_execution, int(learner.steps.numpy())) == (3, 2 * steps + 3)


MIRRORED = """
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], 2 * [tf.config.LogicalDeviceConfiguration()]
)
import keras
from keras_symvae import SymmetricEquilibrium
from tests import cases
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    learner = SymmetricEquilibrium(cases.ladder(latents=(2,)), draws=DRAWS)
    learner.compile({"decoder": "adam", "encoder": keras.optimizers.SGD(0.1)})
before = learner.pair.get_weights()
history = learner.fit(cases.images(), batch_size=8, epochs=2, verbose=0).history
assert np.isfinite(history["loss"]).all()
assert int(learner.steps.numpy()) == 8
assert all(np.any(a != b) for a, b in zip(learner.pair.get_weights(), before))
first, second = (learner.evaluate(cases.images(), verbose=0) for _ in range(2))
assert first == second
for variable in learner.trainable_variables:
    first, second = (part.numpy() for part in variable.value.values)
    np.testing.assert_array_equal(first, second)

class Overflow(type(learner)):
    def train_step(self, data):
        return super().train_step({"x": tf.where(data["x"] == 0.5, np.nan, data["x"])})

learner.__class__ = Overflow
x = np.repeat(cases.images(8)[:, None], 4, 1).reshape(32, 3, 3, 1)
x[12:16] = 0.5  # the fourth batch of 4, read by the second of the replicas
before = learner.pair.get_weights()
with strategy.scope():
    learner.compile(keras.optimizers.SGD(0.1))
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
data = tf.data.Dataset.from_tensor_slices(x[8:16]).batch(8).with_options(options)
history = learner.fit(data, verbose=0).history
assert int(learner.guard.skipped.numpy()) == 1, learner.guard.skipped
assert np.isnan(history["loss"]).all()  # no step counted
for weight, expected in zip(learner.pair.get_weights(), before):
    np.testing.assert_array_equal(weight, expected)
"""


@pytest.mark.slow  # a process that traces a step for two devices
@pytest.mark.parametrize("draws", [1, 3])
def test_two_mirrored_devices_stay_equal_and_skip_together(draws):
    code = f"DRAWS = {draws}\n{MIRRORED}"
    result = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr[-3000:]


def test_optimizers_survive_files(tmp_path):
    learner = trained({"decoder": Adam(1e-2), "encoder": SGD(0.1, momentum=0.9)})
    learner.save(tmp_path / "learner.keras")
    testing.assert_same_state(keras.saving.load_model(tmp_path / "learner.keras"), learner)
