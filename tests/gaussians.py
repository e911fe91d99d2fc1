"""A jointly Gaussian pair, and what the adversarial games say of it in closed form."""

import math

import keras
import numpy as np
import scipy.stats
import tensorflow as tf

from keras_symvae import Critic, Factor, Pair, Player, families, seeds
from keras_symvae.data.sources import FunctionSource
from zoo.presets.recipes import Recipe

A = [[0.8, -0.5]]  # p(x | z) = N(z A, S^2)
S = 0.7
B = [[0.3], [-0.4]]  # q(z | x) = N(x B, T^2)
T = 0.9
DATA = [[1.2, 0.3], [0.3, 0.8]]  # data(x) = N(0, DATA)


def tensors(*arrays):
    """Returns float64 tensors."""
    return [tf.constant(array, tf.float64) for array in arrays]


def covariances(a, b, variance, data):
    """Returns the covariances of (x, z) under q, p and data(x) p(z), three tensors [3, 3]."""
    one, nothing = tf.eye(1, dtype=tf.float64), tf.zeros([2, 1], tf.float64)

    def joined(xx, xz, zz):
        rows = [tf.concat([xx, xz], 1), tf.concat([tf.transpose(xz), zz], 1)]
        return tf.concat(rows, 0)

    across = tf.matmul(data, b)
    noise = S**2 * tf.eye(2, dtype=tf.float64)
    q = joined(data, across, tf.matmul(b, across, transpose_a=True) + variance)
    p = joined(tf.matmul(a, a, transpose_a=True) + noise, tf.transpose(a), one)
    return q, p, joined(data, nothing, one)


def kl(first, second):
    """Returns KL(N(0, first) || N(0, second)) in nats, a scalar."""
    ratio = tf.linalg.solve(second, first)
    return 0.5 * (tf.linalg.trace(ratio) - len(ratio) - tf.math.log(tf.linalg.det(ratio)))


@keras.saving.register_keras_serializable(package="tests")
class Quadratic(keras.layers.Layer):
    """A quadratic form, and a number, of inputs side by side [B, D] -> [B, 1]."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.form = keras.layers.Dense(1)

    def call(self, inputs):
        v = keras.ops.concatenate(inputs, axis=1)
        products = v[:, :, None] * v[:, None, :]
        return self.form(keras.ops.reshape(products, (-1, v.shape[1] ** 2)))

    def be(self, first, second):
        """Becomes log N(v; 0, first) - log N(v; 0, second)."""
        form = tf.linalg.inv(second) - tf.linalg.inv(first)
        number = 0.5 * tf.math.log(tf.linalg.det(second) / tf.linalg.det(first))
        self.form.set_weights([tf.reshape(0.5 * form, [-1, 1]).numpy(), number.numpy()[None]])


def log_normal(x, covariance):
    """Returns log N(x; 0, covariance) [B], nats, of x [B, D]."""
    x = np.asarray(x, np.float64)
    return scipy.stats.multivariate_normal(np.zeros(x.shape[1]), covariance).logpdf(x)


def train_critics(learner, source, *, steps=400, batch_size=1024):
    """Trains critics alone: the rates of the pair are zero."""
    rates = dict.fromkeys(learner.critics, 0.05)
    optimizers = Recipe(rates).optimizer(steps=steps)
    optimizers |= {name: keras.optimizers.SGD(0.0) for name in ("decoder", "encoder")}
    learner.compile(optimizers, steps_per_execution=20)
    learner.fit(source, batch_size=batch_size, steps_per_epoch=steps, verbose=0)


def critic():
    """Returns a `Critic` of x and z that is a quadratic form."""
    return Critic(("x", "z"), network=Quadratic())


class GaussianPair:
    """p(z) = N(0, 1), p(x | z) = N(z A, S^2), data(x) = N(0, data), q(z | x) = N(x B, variance).

    Args:
        equal: data and q(z | x) are those of the decoder, so that both joints are one.
    """

    def __init__(self, *, equal=False):
        self.a, self.b, self.variance, self.data = tensors(A, B, T**2, DATA)
        (self.noise,) = tensors(S**2)
        if equal:
            self.data = tf.matmul(self.a, self.a, transpose_a=True)
            self.data += S**2 * tf.eye(2, dtype=tf.float64)
            self.b = tf.linalg.solve(self.data, tf.transpose(self.a))
            self.variance = 1.0 - tf.matmul(self.a, self.b)[0, 0]
        self.q, self.p, self.apart = covariances(self.a, self.b, self.variance, self.data)
        known = {"x": families.Normal(2, scale=S), "z": families.Normal(1)}
        decoder = Factor("x", given="z", network=keras.layers.Dense(2, use_bias=False))
        encoder = Factor("z", given="x", network=keras.layers.Dense(2))
        self.pair = Pair(
            Player([Factor("z"), decoder], families=known, name="decoder"),
            Player([encoder], families=known, name="encoder"),
        )
        decoder.network.set_weights([self.a.numpy()])
        # The second raw output is a precision of softplus(raw + log(e - 1)).
        raw = tf.math.log(tf.math.expm1(1.0 / self.variance)) - math.log(math.e - 1.0)
        kernel = np.concatenate([self.b, np.zeros([2, 1])], axis=1)
        encoder.network.set_weights([kernel, np.array([0.0, raw.numpy()])])

    def sample(self, size, *, seed=0):
        """Returns data {"x": [size, 2]}."""
        return self.source.sample(size, seed=seeds.make(seed))

    @property
    def source(self):
        """The `Source` of data."""
        root = tf.cast(tf.linalg.cholesky(self.data), tf.float32)

        def function(size, seed):
            noise = tf.random.stateless_normal([size, 2], seed)
            return {"x": tf.matmul(noise, root, transpose_b=True)}

        return FunctionSource(function, names=("x",))

    def of(self, joint, size, *, seed=0):
        """Returns draws {"x": [size, 2], "z": [size, 1]} of "q", "p" or "apart"."""
        root = np.linalg.cholesky(getattr(self, joint))
        v = np.random.default_rng(seed).normal(size=(size, 3)) @ root.T
        return {"x": tf.constant(v[:, :2], tf.float32), "z": tf.constant(v[:, 2:], tf.float32)}

    def reconstruction(self, q, p):
        """Returns E_q [-log p(x | z)] and E_p [-log q(z | x)] in nats, of covariances q and p."""
        one, two = (tf.eye(size, dtype=tf.float64) for size in (1, 2))
        of_x = tf.concat([two, -tf.transpose(self.a)], 1)  # x - z A
        of_z = tf.concat([-tf.transpose(self.b), one], 1)
        found = []
        for residual, joint, variance in ((of_x, q, self.noise), (of_z, p, self.variance)):
            spread = tf.matmul(tf.matmul(residual, joint), residual, transpose_b=True)
            normaliser = len(residual) * tf.math.log(2.0 * math.pi * variance)
            found.append(0.5 * (tf.linalg.trace(spread) / variance + normaliser))
        return tuple(found)

    def slopes(self, value_of):
        """Returns the gradients of value_of(q, p), a scalar of covariances.

        Returns:
            {"decoder": [1, 2], "encoder": [2, 1]} with respect to A and B.
        """
        with tf.GradientTape() as tape:
            tape.watch([self.a, self.b])
            q, p, _ = covariances(self.a, self.b, self.variance, self.data)
            value = value_of(q, p)
        return dict(
            zip(("decoder", "encoder"), tape.gradient(value, [self.a, self.b]), strict=True)
        )


def learned_slopes(learner, values, seed):
    """Returns the gradients of the pair's own move with respect to A and B, as `slopes` does."""
    kernels = [learner.pair.decoder.factor("x"), learner.pair.encoder.factor("z")]
    kernels = [factor.network.kernel.value for factor in kernels]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(kernels)
        gain = tf.reduce_mean(learner.utility(values, seed).gain)
    of_a, of_b = tape.gradient(gain, kernels)
    return {"decoder": of_a, "encoder": of_b[:, :1]}
