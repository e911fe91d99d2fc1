"""Tests of adversarial learners: critics as players, rehearsals, and what a step costs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import flops
from keras_symvae import (
    ASVAE,
    AVB,
    FGAN,
    SVAE,
    WAE,
    Critic,
    Factor,
    NonFiniteError,
    Pair,
    Player,
    families,
    seeds,
)
from keras_symvae.learners.adversarial.base import drawn_prior

PIXELS, CODES, WIDTH, BATCH = 24, 8, 32, 16
GREY = {"x": families.Normal(PIXELS, scale=0.5), "z": families.Normal(CODES, scale=0.5)}


def body(units):
    return keras.Sequential([keras.layers.Dense(WIDTH, "tanh"), keras.layers.Dense(units)])


def pair():
    decoder = [Factor("z"), Factor("x", given="z", network=body(PIXELS))]
    encoder = [Factor("z", given="x", network=body(CODES))]
    return Pair(
        Player(decoder, families=GREY, name="decoder"),
        Player(encoder, families=GREY, name="encoder"),
    )


def data(seed=0):
    return np.random.default_rng(seed).normal(size=(BATCH, PIXELS)).astype("float32")


def critic(*given):
    return Critic(given, widths=(WIDTH,))


# What one step has to do, in passes through a network: forward, for the gradient of its kernels,
# for that of its inputs. Samples for the critic are one forward pass each.
STEPS = {
    "avb": (
        lambda: AVB(pair(), critic=critic("x", "z")),
        {"encoder": 1 + 1 + 1, "decoder": 1 + 1 + 1, "critic": (1 + 1) + 2 * (1 + 1 + 1)},
    ),
    "as_vae": (
        lambda: ASVAE(pair(), critic_codes=critic("x", "z"), critic_data=critic("x", "z")),
        {"encoder": 2 + 2 + 1 + 1, "decoder": 2 + 2 + 1 + 1, "critic": 2 * (1 + 1) + 4 * 3},
    ),
    "svae": (
        lambda: SVAE(pair(), critic=critic("x", "z"), reconstruction=1.0),
        {"encoder": 2 + 2 + 1 + 1, "decoder": 2 + 2 + 1 + 1, "critic": 2 * (1 + 1) + 2 * 3},
    ),
    "wae gan": (
        lambda: WAE(pair(), critic=critic("z"), penalty="gan"),
        {"encoder": 1 + 1 + 1, "decoder": 1 + 1 + 1, "critic": (1 + 1) + 2 * 3},
    ),
    "fgan": (
        lambda: FGAN(pair(), critic=critic("x")),
        {"encoder": 1 + 1, "decoder": 1 + 1 + 1 + 1, "critic": 1 + (1 + 1) + 2 * 3},
    ),
}


@pytest.mark.parametrize(("make", "passes"), STEPS.values(), ids=STEPS)
def test_a_step_costs_no_more_than_the_passes_it_needs(make, passes):
    learner = make()
    learner.compile("adam")
    reads = sum(
        int(np.prod(GREY[name].shape)) for name in next(iter(learner.critics.values())).given
    )
    pass_of = {
        "encoder": 2 * BATCH * WIDTH * (PIXELS + CODES),
        "decoder": 2 * BATCH * WIDTH * (CODES + PIXELS),
        "critic": 2 * BATCH * WIDTH * (reads + 1),
    }
    needed = sum(count * pass_of[name] for name, count in passes.items())
    found = flops.count(learner, {"x": tf.constant(data())})
    assert 0.6 * needed < found <= 1.1 * needed  # first layers need no gradient of their inputs


@pytest.mark.usefixtures("eagerly")
def test_a_rehearsal_is_a_move_of_the_critic_alone():
    weights = {}
    for steps in (1, 3):
        keras.utils.set_random_seed(0)
        learner = AVB(pair(), critic=critic("x", "z"), critic_steps=steps)
        rates = {"decoder": 0.1, "encoder": 0.0, "critic": 0.1}
        learner.compile({name: keras.optimizers.SGD(rate) for name, rate in rates.items()})
        learner.train_on_batch({"x": data()})
        found = {
            optimizer.learning_rate.numpy(): optimizer for optimizer in learner.optimizer.optimizers
        }
        weights[steps] = [weight.numpy() for weight in learner.critic.weights]
        counts = [int(optimizer.iterations.numpy()) for optimizer in learner.optimizer.optimizers]
        assert counts == [1, 1, steps] and len(found) == 2
        assert int(learner.steps.numpy()) == 1
    assert all(np.any(a != b) for a, b in zip(weights[1], weights[3], strict=True))


def test_one_optimizer_for_all_becomes_one_for_each():
    learner = AVB(pair(), critic=critic("x", "z"))
    learner.compile(keras.optimizers.Adam(0.25))
    optimizers = learner.optimizer.optimizers
    assert len(optimizers) == 3
    assert {float(each.learning_rate.numpy()) for each in optimizers} == {0.25}


@pytest.mark.usefixtures("eagerly")
def test_a_fault_of_the_critic_touches_no_weight():
    learner = AVB(pair(), critic=critic("x", "z"), critic_steps=2, patience=3)
    learner.compile("sgd")
    learner.critic.weights[0].assign(np.full(learner.critic.weights[0].shape, np.inf))
    before = [weight.numpy() for weight in learner.pair.weights + learner.critic.weights]
    with pytest.raises(NonFiniteError, match="critic"):
        learner.fit(data(), batch_size=BATCH, epochs=5, verbose=0)
    after = [weight.numpy() for weight in learner.pair.weights + learner.critic.weights]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(learner.guard.skipped.numpy()) == 3


@pytest.mark.usefixtures("eagerly")
def test_critics_are_no_part_of_the_loss():
    learner = AVB(pair(), critic=critic("x", "z"))
    learner.compile("adam")
    logs = learner.evaluate(data(), verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["decoder"] + logs["encoder"], rel=1e-6)
    assert logs["critic"] == pytest.approx(logs["critic/kl"])


@pytest.mark.parametrize("steps", [0, 1.5])
def test_refused_critic_steps(steps):
    with pytest.raises(ValueError, match="critic_steps is a positive integer"):
        AVB(pair(), critic_steps=steps)


def test_every_critic_needs_an_optimizer():
    with pytest.raises(
        ValueError, match=r"No optimizer for 'critic'.*'critic', 'decoder', 'encoder'"
    ):
        AVB(pair()).compile({"decoder": "adam", "encoder": "adam"})


@pytest.mark.usefixtures("eagerly")
def test_a_game_without_critics_has_no_rehearsals():
    learner = WAE(pair(), penalty="mmd", critic_steps=3)
    learner.compile("adam")
    learner.train_on_batch({"x": data()})
    assert [int(each.iterations.numpy()) for each in learner.optimizer.optimizers] == [1, 1]


@pytest.mark.usefixtures("eagerly")
def test_data_that_hold_codes_are_refused():
    learner = AVB(pair(), critic=critic("x", "z"))
    learner.compile("adam")
    values = {"x": data(), "z": np.zeros([BATCH, CODES], "float32")}
    with pytest.raises(ValueError, match=r"AVB compares codes .* hold \['z'\]"):
        learner.fit(values, verbose=0)
    with pytest.raises(ValueError, match=r"AVB compares codes .* hold \['z'\]"):
        learner.fit(tf.data.Dataset.from_tensors(values), verbose=0)


def test_codes_of_the_prior_are_those_of_the_context():
    known = {
        "x": families.Normal(1),
        "y": families.Categorical((), num_classes=3),
        "z": families.Normal(1, scale=1e-3),
    }
    kernel = np.array([[-1.0], [0.0], [2.0]], "float32")
    decoder = [
        Factor("z", given="y", network=keras.layers.Dense(1)),
        Factor("x", given="z", network=keras.layers.Dense(2)),
    ]
    encoder = [Factor("z", given="x", network=keras.layers.Dense(1))]
    of_labels = Pair(
        Player(decoder, families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
    )
    decoder[0].network.set_weights([kernel, np.zeros(1)])
    values = {"x": tf.zeros([4, 1]), "y": tf.constant([2, 0, 1, 2])}
    codes = drawn_prior(of_labels, values, seed=seeds.make(0))
    assert codes.keys() == {"z"}
    expected = known["y"].features(values["y"]) @ kernel
    np.testing.assert_allclose(codes["z"], expected, atol=0.01)


@keras.saving.register_keras_serializable(package="tests")
class Sum(keras.layers.Layer):
    """A critic that has nothing to learn."""

    def call(self, inputs):
        return keras.ops.sum(inputs, axis=-1, keepdims=True)


@pytest.mark.usefixtures("eagerly")
def test_a_critic_without_weights_plays_all_its_steps():
    learner = AVB(pair(), critic=Critic("z", network=Sum()), critic_steps=2)
    learner.compile("adam")
    learner.train_on_batch({"x": data()})
    assert [int(each.iterations.numpy()) for each in learner.optimizer.optimizers] == [1, 1]
