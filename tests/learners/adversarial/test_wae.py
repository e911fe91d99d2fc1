"""Tests of Wasserstein autoencoders: costs, penalties against closed forms, and pretraining."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import WAE, Critic, Factor, ImplicitFactor, Pair, Player, families, seeds
from keras_symvae.learners.adversarial.wae import COSTS
from keras_symvae.testing import assert_same_state
from tests import cases

SEED = seeds.make(5)
SHIFT, SPREAD = 0.5, 0.9  # of the codes N(SHIFT, SPREAD^2) of a pair at rest


def deterministic(units=2):
    return ImplicitFactor("z", given="x", network=keras.layers.Dense(units), noise_shape=None)


def noisy():
    return ImplicitFactor("z", given="x", network=cases.joint([(3,), (2,)], 2), noise_shape=2)


def gaussian():
    return Factor("z", given="x", network=keras.layers.Dense(4))


def pair(encoder=None, decoder=None, *, x=None, z=None, prior=None):
    """Returns a pair of three numbers and two codes; linear and without noise, if none is given."""
    known = {"x": x or families.Normal(3, scale=1.0), "z": z or families.Normal(2)}
    decoder = decoder or Factor("x", given="z", network=keras.layers.Dense(3))
    return Pair(
        Player([prior or Factor("z"), decoder], families=known, name="decoder"),
        Player([encoder or deterministic()], families=known, name="encoder"),
    )


def at_rest():
    """Returns a pair that does not learn, whose codes are N(SHIFT, SPREAD^2) for all data."""
    network = keras.layers.Dense(1)
    sampler = ImplicitFactor("z", network=network, noise_shape=1)
    decoder = Factor("x", given="z", network=keras.layers.Dense(1))
    still = pair(sampler, decoder, x=families.Normal(1, scale=1.0), z=families.Normal(1))
    network.set_weights([np.array([[SPREAD]]), np.array([SHIFT])])
    still.trainable = False
    return still


def quadratic():
    """Returns a critic of one number that is any polynomial of degree two."""
    code = keras.Input((1,))
    powers = keras.layers.Concatenate()([code, code * code])
    output = keras.layers.Dense(1, kernel_initializer="zeros")(powers)
    return Critic("z", network=keras.Model(code, output))


def examples(size=64):
    """Returns x [size, 3] near a plane; means and variances differ."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(size, 2)) @ [[2.0, 1.0, 0.0], [0.0, 0.5, -1.0]] + [1.0, 0.0, -1.0]
    return (x + 0.3 * rng.normal(size=x.shape)).astype("float32")


def numbers(x):
    return {"x": tf.constant(x)}


@pytest.mark.parametrize("kind", ["mean", "bits", "sampler"])
@pytest.mark.parametrize("cost", sorted(COSTS))
def test_the_cost_is_that_of_reconstructions(cost, kind):
    """c(x, G(z)), G the decoder's mean: of bits their probabilities, of a sampler its value."""
    network, x = keras.layers.Dense(3), examples()
    decoder = Factor("x", given="z", network=network)
    family = None
    if kind == "bits":
        family, x = families.Bernoulli(3), (x > 0.0).astype("float32")
    elif kind == "sampler":
        decoder = ImplicitFactor("x", given="z", network=network, noise_shape=None)
    own = pair(decoder=decoder, x=family)
    found = WAE(own, cost=cost).utility(numbers(x), SEED).costs["decoder/x"]
    kernel, bias = own.encoder.get_weights()
    features = 2.0 * x - 1.0 if kind == "bits" else x
    images = (features @ kernel + bias) @ network.get_weights()[0] + network.get_weights()[1]
    difference = x - (1.0 / (1.0 + np.exp(-images)) if kind == "bits" else images)
    expected = {
        "l1": np.abs(difference).sum(1),
        "l2": np.linalg.norm(difference, axis=1),
        "squared_l2": (difference**2).sum(1),
    }
    np.testing.assert_allclose(found, expected[cost], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("penalty", ["mmd", "gan", "kl"])
@pytest.mark.parametrize("encoder", [deterministic, noisy, gaussian])
def test_gradients_reach_both_players(encoder, penalty):
    """Through codes with and without a density, and through samplers of data that draw noise."""
    sampler = ImplicitFactor("x", given="z", network=cases.joint([(2,), (1,)], 3), noise_shape=1)
    own = pair(encoder(), sampler)
    with tf.GradientTape() as tape:
        gain = tf.reduce_mean(WAE(own, penalty=penalty).utility(numbers(examples()), SEED).gain)
    for gradient in tape.gradient(gain, [v.value for v in own.trainable_variables]):
        assert np.isfinite(gradient).all() and np.any(gradient != 0.0)


def penalties(learner, *, size, repeats):
    """Returns the penalty of `repeats` batches of that size, drawn anew."""
    x = numbers(np.zeros((size, 1), "float32"))

    @tf.function
    def penalty(seed):
        return learner.utility(x, seed).costs["encoder/penalty"]

    return np.array([penalty(seeds.fold(SEED, tf.constant(i))) for i in range(repeats)])


def smoothed(difference, variance, width):
    """E exp(-r^2 / width) of r ~ N(difference, variance)."""
    wide = width + 2.0 * variance
    return np.sqrt(width / wide) * np.exp(-(difference**2) / wide)


def test_the_kernel_penalty_is_the_distance_of_two_gaussians():
    options = {"kernel": "rbf", "scales": (0.5,)}
    width = 0.5 * 2.0  # scale * 2 D
    expected = smoothed(0.0, 2.0 * SPREAD**2, width) + smoothed(0.0, 2.0, width)
    expected -= 2.0 * smoothed(SHIFT, 1.0 + SPREAD**2, width)
    found = penalties(WAE(at_rest(), **options), size=200, repeats=200)
    assert expected > 0.02
    assert found.mean() == pytest.approx(expected, abs=4.0 * found.std() / np.sqrt(200))


def test_the_kernel_penalty_has_mean_zero_where_codes_are_those_of_the_prior():
    own = at_rest()
    own.encoder.set_weights([np.ones((1, 1)), np.zeros(1)])
    found = penalties(WAE(own), size=100, repeats=300)
    assert found.min() < 0.0 < found.std()
    assert found.mean() == pytest.approx(0.0, abs=4.0 * found.std() / np.sqrt(300))


def taught(penalty):
    """Returns a WAE whose critic has learned all it can of a pair at rest."""
    learner = WAE(at_rest(), penalty=penalty, critic=quadratic())
    steps = 150
    rate = keras.optimizers.schedules.CosineDecay(0.1, steps)
    learner.compile({"critic": keras.optimizers.Adam(rate, beta_1=0.5)}, steps_per_execution=50)
    x = np.zeros((2000, 1), "float32")
    learner.fit(x, batch_size=2000, steps_per_epoch=steps, verbose=0)
    return learner


def log_ratio(z):
    """log q(z) - log p(z) of the codes at rest."""
    return -0.5 * ((z - SHIFT) / SPREAD) ** 2 - np.log(SPREAD) + 0.5 * z**2


def test_the_critic_of_the_game_is_the_log_ratio_of_codes_and_prior():
    learner = taught("gan")
    z = np.linspace(-1.0, 2.5, 30, dtype="float32")
    found = learner.critics["critic"].score({"z": tf.constant(z[:, None])})
    np.testing.assert_allclose(found, log_ratio(z), atol=0.15)


OVERLAP = np.sqrt(2.0 * SPREAD / (1.0 + SPREAD**2)) * np.exp(-0.25 * SHIFT**2 / (1.0 + SPREAD**2))
CLOSED = {  # of q = N(SHIFT, SPREAD^2) and p = N(0, 1)
    "kl": 0.5 * (SPREAD**2 + SHIFT**2 - 1.0) - np.log(SPREAD),
    "reverse_kl": 0.5 * ((1.0 + SHIFT**2) / SPREAD**2 - 1.0) + np.log(SPREAD),
    "squared_hellinger": 2.0 - 2.0 * OVERLAP,
}


@pytest.mark.parametrize("name", CLOSED)
def test_the_penalty_with_the_best_critic_is_the_divergence_of_codes_and_prior(name):
    found = penalties(taught(name), size=50_000, repeats=2).mean()
    assert found == pytest.approx(CLOSED[name], rel=0.08)


@pytest.mark.slow  # a training that has to reach a number
def test_pretraining_brings_the_codes_to_the_prior_and_leaves_the_decoder():
    own, x = pair(), examples(500)
    before = own.decoder.get_weights()
    learner = WAE(own, pretraining_steps=300)
    learner.compile(keras.optimizers.Adam(0.02), steps_per_execution=50)
    learner.fit(x, batch_size=500, steps_per_epoch=300, verbose=0)
    for weight, old in zip(own.decoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    codes = own.encode(x)["z"]
    np.testing.assert_allclose(codes.mean(0), 0.0, atol=0.15)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(2), atol=0.2)
    learner.fit(x, batch_size=500, steps_per_epoch=50, verbose=0)
    assert np.any(own.decoder.get_weights()[0] != before[0])


@pytest.mark.slow  # traced three times
@pytest.mark.usefixtures("eagerly")
def test_pretraining_is_resumed_where_it_stopped(tmp_path):
    x = examples()
    stopped, whole = (WAE(pair(noisy()), pretraining_steps=6) for _ in range(2))
    start = stopped.get_weights()
    for learner in (stopped, whole):
        learner.set_weights(start)
        learner.compile()
    options = {"batch_size": 32, "verbose": 0}  # two steps in an epoch
    stopped.fit(x, epochs=2, **options)
    stopped.save(tmp_path / "stopped.keras")
    resumed = keras.saving.load_model(tmp_path / "stopped.keras")
    resumed.fit(x, initial_epoch=2, epochs=4, **options)
    whole.fit(x, epochs=4, **options)
    assert_same_state(resumed, whole)
    assert np.any(whole.pair.decoder.get_weights()[0] != stopped.pair.decoder.get_weights()[0])


@pytest.mark.slow  # a training that has to reach a number
def test_linear_players_find_the_principal_plane():
    """No two linear codes leave less than the smallest variance, and some are as the prior."""
    x = examples(400)
    learner = WAE(pair(), penalty_weight=0.5)
    steps = 600
    rate = keras.optimizers.schedules.CosineDecay(0.03, steps)
    learner.compile(keras.optimizers.Adam(rate), steps_per_execution=50)
    before = learner.evaluate(x, batch_size=400, verbose=0, return_dict=True)
    learner.fit(x, batch_size=400, steps_per_epoch=steps, verbose=0)
    after = learner.evaluate(x, batch_size=400, verbose=0, return_dict=True)
    least = np.linalg.eigvalsh(np.cov(x.T, bias=True))[0]
    assert least - 1e-4 < after["decoder/x"] < 1.1 * least < 0.1 * before["decoder/x"]
    assert abs(after["encoder/penalty"]) < 0.05 < before["encoder/penalty"]


BITS = families.Bernoulli(2)
REFUSED = {
    "an unknown penalty": (pair, {"penalty": "wasserstein"}, "received 'wasserstein'"),
    "an unknown cost": (pair, {"cost": "l3"}, "cost is one of .*; received 'l3'"),
    "a negative weight": (pair, {"penalty_weight": -1.0}, "received -1.0"),
    "less than no steps": (pair, {"pretraining_steps": -1}, "pretraining_steps is .*; received -1"),
    "an unknown kernel": (pair, {"kernel": "linear"}, "Unknown kernel 'linear'"),
    "a critic without work": (pair, {"critic": Critic("z")}, "'mmd' has no critic"),
    "a critic of data": (pair, {"penalty": "gan", "critic": Critic("x")}, r"reads \['x'\]"),
    "codes without a gradient": (
        lambda: pair(Factor("z", given="x", network=keras.layers.Dense(2)), z=BITS),
        {},
        "gradient through draws of 'z'",
    ),
    "labels, which have no mean": (
        lambda: pair(x=families.Categorical((), num_classes=3), encoder=deterministic()),
        {},
        "'x', and Categorical",
    ),
    "a prior that would not learn": (
        lambda: pair(prior=Factor("z", learned=True)),
        {},
        r"p\(z \| ...\) has weights",
    ),
    "context": (cases.conditional, {}, r"\('y',\) is context"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_played_is_refused(name):
    make, options, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        WAE(make(), **options)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("penalty", ["mmd", "gan", "kl"])
def test_batches_of_any_size_are_judged(penalty):
    learner = WAE(pair(gaussian()), penalty=penalty)
    learner.compile("adam")
    found = learner.evaluate(examples(10), batch_size=4, verbose=0, return_dict=True)
    assert np.isfinite(list(found.values())).all()


def test_the_critic_pays_for_what_is_steeper_than_its_steepness():
    """With one latent and a linear critic T(z) = s z the penalty is (|w s| / steepness - 1)^2."""
    own = pair(deterministic(1), z=families.Normal(1))
    x, costs = numbers(examples()), {}
    for weight in (0.0, 10.0):
        critic = Critic("z", network=keras.layers.Dense(1, use_bias=False))
        options = {"penalty": "pearson", "penalty_weight": 2.0, "steepness": 4.0}
        learner = WAE(own, critic=critic, gradient_penalty=weight, **options)
        critic.network.set_weights(
            [np.array([[3.0]])]
        )  # Pearson's activation is the identity: w s = 6
        costs[weight] = learner.critic_utility(x, SEED).costs["critic/loss"]
    np.testing.assert_allclose(
        costs[10.0], 2.0 * costs[0.0] + 10.0 * (6.0 / 4.0 - 1.0) ** 2, rtol=1e-4
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty": "kl", "gradient_penalty": -1.0}, "gradient_penalty is a number of at least 0"),
        ({"penalty": "kl", "steepness": 0.0}, "steepness is a positive number"),
        ({"gradient_penalty": 1.0}, "'mmd' has no critic that gradient_penalty could hold"),
    ],
)
def test_penalties_without_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        WAE(pair(), **options)
