"""Tests of adversarial variational Bayes: critic, bound and gradient, where they are known."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy.special import betaln, digamma

from keras_symvae import (
    AVB,
    ELBO,
    Critic,
    Factor,
    ImplicitFactor,
    Pair,
    Player,
    families,
    seeds,
)
from keras_symvae.learners.adversarial import avb
from tests import cases
from zoo import Implicit

SEED = seeds.make(0)
X = np.array([[-1.2], [-0.3], [0.4], [1.5]], np.float32)
U = tf.linspace(-6.0, 6.0, 4001)  # where integrals over codes are summed


@keras.saving.register_keras_serializable(package="tests")
class TwoPieces(keras.layers.Layer):
    """z = slope x + scale e + offset sign(e'): one of two Gaussians, with density and moments."""

    def build(self, shapes):
        for name, value in (("slope", 0.8), ("scale", 0.4), ("offset", 0.6)):
            start = keras.initializers.Constant(value)
            setattr(self, name, self.add_weight(name=name, shape=(), initializer=start))

    def call(self, inputs):
        x, e = inputs
        return self.slope * x + self.scale * e[:, :1] + self.offset * keras.ops.sign(e[:, 1:])

    def moments(self, inputs):
        mean = self.slope * inputs[0]
        return mean, (self.scale**2 + self.offset**2) * tf.ones_like(mean)

    def log_density(self, u):
        """Returns log q(slope x + u given x)."""
        pieces = [-0.5 * ((u - sign * self.offset) / self.scale) ** 2 for sign in (1, -1)]
        constant = tf.math.log(self.scale) + math.log(2.0 * math.sqrt(2.0 * math.pi))
        return tf.reduce_logsumexp(tf.stack(pieces), axis=0) - constant


@keras.saving.register_keras_serializable(package="tests")
class Cloud(keras.layers.Layer):
    """z = mean + deviation e, whatever x is: a Gaussian that tells neither density nor moments."""

    def __init__(self, mean, deviation):
        super().__init__()
        self.mean, self.deviation = mean, deviation

    def call(self, inputs):
        return self.mean + self.deviation * inputs[1]


def log_normal(u):
    return -0.5 * (u**2 + math.log(2.0 * math.pi))


class LogRatio(keras.layers.Layer):
    """The best critic of an encoder in two pieces, of codes as they are or normalised."""

    def __init__(self, encoder, *, normalised):
        super().__init__(trainable=False)
        self.encoder, self.normalised = encoder, normalised

    def call(self, inputs):
        x, z = inputs
        if not self.normalised:
            return self.encoder.log_density(z - self.encoder.slope * x) - log_normal(z)
        unit = tf.sqrt(self.encoder.scale**2 + self.encoder.offset**2 + avb.JITTER)
        return self.encoder.log_density(unit * z) + tf.math.log(unit) - log_normal(z)


def twin():
    """Returns a `TwoPieces` that no optimizer and no tape of a learner knows."""
    layer = TwoPieces()
    layer.build(None)
    return layer


def pair_of(factor):
    """Returns p(z) p(x | z), z ~ N(0, 1), x ~ N(a z + b, 1), and an encoder of one factor."""
    known = {"x": families.Normal(1, scale=1.0), "z": families.Normal(1)}
    start = keras.initializers.Constant(0.7)
    network = keras.layers.Dense(1, kernel_initializer=start, bias_initializer=start)
    decoder = [Factor("z"), Factor("x", given="z", network=network)]
    return Pair(
        Player(decoder, families=known, name="decoder"),
        Player([factor], families=known, name="encoder"),
    )


def implicit():
    return pair_of(ImplicitFactor("z", given="x", network=TwoPieces(), noise_shape=2))


def gaussian():
    """Returns a pair with q(z | x) = N(a x + b, c), a, b and c constant."""
    pair = pair_of(Factor("z", given="x", network=keras.layers.Dense(2)))
    pair.encoder.set_weights([np.array([[0.8, 0.0]]), np.array([0.2, 1.5])])
    return pair


def exact_bound(pair):
    """Returns the mean over X of the reconstruction's log-density and of KL(q || p), by sums."""
    q, network = pair.encoder.factor("z").network, pair.decoder.factor("x").network
    weight = tf.exp(q.log_density(U)) * (U[1] - U[0])
    z = q.slope * X + U
    log_x = log_normal(X - network.kernel[0, 0] * z - network.bias[0])
    kl = tf.reduce_sum(weight * (q.log_density(U) - log_normal(z)), axis=1)
    return tf.reduce_mean(tf.reduce_sum(weight * log_x, axis=1)), tf.reduce_mean(kl)


def repeated(number):
    return {"x": tf.repeat(tf.constant(X), number, axis=0)}


def gradients(learner, values, number):
    """Returns the gradient of an AVB or ELBO utility for one seed after another, [number, D]."""
    variables = [v.value for v in learner.pair.trainable_variables]

    @tf.function
    def one(seed):
        with tf.GradientTape() as tape:
            gain = tf.reduce_mean(learner.utility(values, seeds.make(seed))[0])
        found = tape.gradient(gain, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return tf.concat([tf.reshape(part, [-1]) for part in found], axis=0)

    return np.stack([one(tf.constant(seed)) for seed in range(number)])


def assert_mean(draws, expected, *, error):
    """The mean of independent rows meets an expectation, and its standard error is small."""
    errors = draws.std(0, ddof=1) / math.sqrt(len(draws))
    assert errors.max() < error
    np.testing.assert_array_less(np.abs(draws.mean(0) - expected), 5.0 * errors + 1e-4)


@pytest.mark.parametrize("adaptive_contrast", [False, True])
def test_with_the_best_critic_bound_and_gradient_are_those_of_the_elbo(adaptive_contrast):
    pair = implicit()
    critic = Critic(("x", "z"), network=LogRatio(twin(), normalised=adaptive_contrast))
    learner = AVB(pair, critic=critic, adaptive_contrast=adaptive_contrast)
    values = repeated(300)
    with tf.GradientTape() as tape:
        log_x, kl = exact_bound(pair)
        bound = log_x - kl
    expected = tape.gradient(bound, [v.value for v in pair.trainable_variables])
    expected = tf.concat([tf.reshape(part, [-1]) for part in expected], axis=0).numpy()
    assert np.abs(expected).min() > 0.05
    assert_mean(gradients(learner, values, 40), expected, error=0.02)
    _, costs, *_ = learner.utility(repeated(20_000), SEED)
    np.testing.assert_allclose(tf.reduce_mean(costs["encoder/kl"]), kl, atol=0.02)
    np.testing.assert_allclose(tf.reduce_mean(-costs["decoder/x"]), log_x, atol=0.02)


def test_of_an_encoder_with_a_density_it_is_the_elbo_itself():
    """The same draws, so that the decoder's gradients are equal and the encoder's on average."""
    pair, frozen = gaussian(), gaussian()

    class Exact(keras.layers.Layer):
        def call(self, inputs):
            values = dict(zip(("x", "z"), inputs, strict=True))
            log_p = frozen.decoder.log_prob(values)["z"]
            return frozen.encoder.log_prob(values)["z"] - log_p

    critic = Critic(("x", "z"), network=Exact(trainable=False))
    values = repeated(300)
    found = gradients(AVB(pair, critic=critic), values, 40)
    elbo = gradients(ELBO(pair), values, 40)
    of_decoder = sum(int(np.prod(v.shape)) for v in pair.decoder.trainable_variables)
    np.testing.assert_allclose(found[:, :of_decoder], elbo[:, :of_decoder], rtol=1e-4)
    assert_mean(found - elbo, 0.0, error=0.02)


class Squares(keras.layers.Layer):
    """A number that is linear in x, z and their products: log q - log p of linear Gaussians."""

    def build(self, shapes):
        self.head = keras.layers.Dense(1, kernel_initializer="zeros")
        self.head.build((None, 5))

    def call(self, inputs):
        x, z = inputs
        return self.head(keras.ops.concatenate([x, z, x * x, x * z, z * z], axis=1))


def train_critic(learner, *, steps, rate, size=500):
    """Trains a critic alone."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    still = {name: keras.optimizers.SGD(0.0) for name in ("decoder", "encoder")}
    learner.compile(still | {"critic": keras.optimizers.Adam(schedule)}, steps_per_execution=50)
    data = tf.data.Dataset.from_tensors(repeated(size)).repeat()
    learner.fit(data, steps_per_epoch=steps, verbose=0)


def test_the_critic_of_a_linear_gaussian_encoder_learns_the_log_ratio_and_its_kl():
    keras.utils.set_random_seed(0)
    pair = gaussian()
    learner = AVB(pair, critic=Critic(("x", "z"), network=Squares()))
    train_critic(learner, steps=600, rate=0.05)
    values = repeated(2000)
    completed = pair.encoder.complete(values, seed=SEED)
    exact = pair.encoder.log_prob(completed)["z"] - pair.decoder.log_prob(completed)["z"]
    found = learner.critic.score(completed)
    assert np.std(exact) > 0.3
    assert math.sqrt(np.mean((found - exact) ** 2)) < 0.1
    kl = np.mean(ELBO(pair).utility(values, SEED)[1]["encoder/z"])
    estimates = [np.mean(learner.utility(values, SEED)[1]["encoder/kl"])]
    # Normalised codes are standard normal, whatever x is: with nothing to learn, T = 0.
    contrasted = AVB(
        pair,
        critic=Critic(("x", "z"), network=Squares()),
        adaptive_contrast=True,
    )
    estimates.append(np.mean(contrasted.utility(values, SEED)[1]["encoder/kl"]))
    np.testing.assert_allclose(estimates, kl, atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("adaptive_contrast", [False, True])
def test_the_critic_of_an_implicit_encoder_learns_the_log_ratio_and_its_kl(adaptive_contrast):
    keras.utils.set_random_seed(0)
    critic = Critic(("x", "z"), widths=(32, 32), offset=() if adaptive_contrast else "z")
    learner = AVB(implicit(), critic=critic, adaptive_contrast=adaptive_contrast)
    train_critic(learner, steps=800, rate=0.02)
    exact = LogRatio(twin(), normalised=adaptive_contrast)
    values = repeated(5000)
    reads = learner._reads(
        learner.pair.encoder.complete(values, seed=SEED), learner._moments(values, SEED)
    )
    error = learner.critic(reads) - exact([reads["x"], reads["z"]])[:, 0]
    assert math.sqrt(np.mean(error**2)) < 0.15
    kl = learner.utility(values, SEED)[1]["encoder/kl"]
    np.testing.assert_allclose(np.mean(kl), exact_bound(learner.pair)[1], atol=0.05)


class StudentRatio(keras.layers.Layer):
    """The best critic of Gaussian codes, normalised by the moments of n draws of them."""

    draws = 8

    def call(self, inputs):
        scale = math.sqrt((self.draws + 1) / (self.draws - 1))
        student = tfp.distributions.StudentT(self.draws - 1.0, 0.0, scale)
        return student.log_prob(inputs[1]) - log_normal(inputs[1])


def test_the_moments_of_few_draws_hide_a_known_part_of_the_kl():
    """What is lost is the mutual information of the moments and the codes that they normalise."""
    n, mean, deviation, values = StudentRatio.draws, 0.2, 0.4, repeated(20_000)
    cloud = Cloud(mean, deviation)
    pair = pair_of(ImplicitFactor("z", given="x", network=cloud, noise_shape=1))
    critic = Critic(("x", "z"), network=StudentRatio(trainable=False))
    learner = AVB(pair, critic=critic, adaptive_contrast=True, moment_draws=n)
    kl = 0.5 * (mean**2 + deviation**2 - 1.0) - math.log(deviation)
    estimate = np.mean(learner.utility(values, SEED)[1]["encoder/kl"])
    # Entropy of Student's t with scale, and the mean of that of a Gaussian given the moments.
    half, above = (n - 1) / 2, n / 2
    blind = above * (digamma(above) - digamma(half)) + 0.5 * math.log(n - 1) + betaln(half, 0.5)
    blind += 0.5 * math.log((n + 1) / (n - 1))
    told = 0.5 * (math.log(2.0 * math.pi * math.e) - digamma(half) - math.log(2.0 / n))
    assert blind - told == pytest.approx(1 / n, rel=0.06)
    assert estimate == pytest.approx(kl - (blind - told), abs=0.015)


def test_moments_are_those_of_the_network_of_the_density_or_of_many_draws():
    pair, values = implicit(), repeated(1)
    mean, variance = avb.moments(pair.encoder, values, seed=SEED, draws=2)["z"]
    np.testing.assert_allclose(mean, 0.8 * X, rtol=1e-5)
    np.testing.assert_allclose(variance, np.full_like(X, 0.4**2 + 0.6**2), rtol=1e-5)
    explicit = gaussian().encoder
    mean, variance = avb.moments(explicit, values, seed=SEED, draws=2)["z"]
    precise = explicit.rcomplete(values, seed=SEED)[1]["z"]
    np.testing.assert_allclose(mean, precise[0] / precise[1], rtol=1e-5)
    np.testing.assert_allclose(variance, 1.0 / precise[1], rtol=1e-5)
    cloud = ImplicitFactor("z", given="x", network=Cloud(0.2, 0.4), noise_shape=1)
    mean, variance = avb.moments(pair_of(cloud).encoder, values, seed=SEED, draws=20_000)["z"]
    np.testing.assert_allclose(mean, np.full_like(X, 0.2), atol=0.02)
    np.testing.assert_allclose(variance, np.full_like(X, 0.16), rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("basis", [None, 2])
def test_implicit_encoders_learn(basis):
    keras.utils.set_random_seed(0)
    data = {"x": cases.images(256)}
    pair = Implicit((3, 3, 1), latent=2, noise=3, basis=basis, width=16)
    learner = AVB(pair, adaptive_contrast=basis is not None, nonfinite="raise")
    learner.compile(keras.optimizers.Adam(3e-3, beta_1=0.5), steps_per_execution=8)
    logs = learner.fit(data, batch_size=32, epochs=25, verbose=0).history
    for name in ("loss", "decoder/x"):
        assert logs[name][-1] < logs[name][0] - 1.0


def refused(name):
    known = {"x": families.Bernoulli(3), "z": families.Normal(2)}
    if name == "discrete":
        known["z"] = families.Bernoulli(2)
    elif name == "no numbers":
        known["z"] = families.Gamma(2)
    prior = [] if name == "sampled" else [Factor("z", learned=name == "learned")]
    likelihood = Factor("x", given="z", network=keras.layers.Dense(3))
    if name == "no density":
        network = keras.layers.Dense(3)
        likelihood = ImplicitFactor("x", given="z", network=network, noise_shape=None)
    size = int(np.prod(known["z"].raw_shape))
    encoder = [Factor("z", given="x", network=keras.layers.Dense(size))]
    return Pair(
        Player([*prior, likelihood], families=known, name="decoder"),
        Player(encoder, families=known, name="encoder"),
        prior=np.zeros((5, 2), np.float32) if name == "sampled" else None,
    )


REFUSED = [
    ("discrete", {}, "AVB needs a gradient through draws of 'z'.*SymmetricEquilibrium"),
    ("learned", {}, "cannot teach it.*take adaptive_contrast=True"),
    ("sampled", {"adaptive_contrast": True}, "known only by samples; leave out"),
    ("no numbers", {"adaptive_contrast": True}, "'z' is Gamma.*; leave out"),
    ("no density", {}, "AVB needs a log-density of every factor, but decoder factor 'x'"),
    ("plain", {"moment_draws": 1}, "moment_draws is an integer of at least 2; received 1"),
    ("plain", {"critic_steps": 0}, "critic_steps is a positive integer; received 0"),
]


@pytest.mark.parametrize(("name", "options", "match"), REFUSED)
def test_pairs_that_cannot_play_are_refused(name, options, match):
    with pytest.raises(ValueError, match=match):
        AVB(refused(name), **options)


@pytest.mark.parametrize(
    ("name", "options"), [("learned", {"adaptive_contrast": True}), ("sampled", {})]
)
def test_pairs_that_can_play_are_not(name, options):
    outcome = AVB(refused(name), **options).utility({"x": tf.zeros([4, 3])}, SEED)
    assert np.isfinite(outcome.gain).all()
