"""The exact symmetric game over finite x and z, in float64: its gradient field and Jacobian."""

import itertools

import numpy as np
import scipy.integrate
import tensorflow as tf


class Game:
    """Two exponential families that play the symmetric game without any sampling.

        log p(x | z) = <A(x, z), theta> - const(z),      log q(z | x) = <B(x, z), phi> - const(x)

    A point is (theta, phi), or (theta, prior, phi) with the prior's free logits.

    Args:
        a, b: sufficient statistics A [X, Z, dim theta] and B [X, Z, dim phi].
        data: pi(x) [X].
        prior: pi(z) [Z] that is given; None: p(z) is learned by the decoder, any distribution.
    """

    def __init__(self, a, b, data, prior=None):
        self.a, self.b = tf.constant(a, tf.float64), tf.constant(b, tf.float64)
        self.data, self.prior = tf.constant(data, tf.float64), prior
        free = 0 if prior is not None else a.shape[1] - 1
        self.sizes = [a.shape[2], free, b.shape[2]]
        self.size = sum(self.sizes)
        self._field = tf.function(self._gradients)
        self._slope = tf.function(self._differentiate)

    def logs(self, point):
        """Returns log p(x | z), log q(z | x), both [X, Z], and log p(z) [Z]."""
        theta, free, phi = tf.split(tf.convert_to_tensor(point, tf.float64), self.sizes)
        log_p = tf.nn.log_softmax(tf.linalg.matvec(self.a, theta), axis=0)
        log_q = tf.nn.log_softmax(tf.linalg.matvec(self.b, phi), axis=1)
        if self.prior is not None:
            return log_p, log_q, tf.math.log(tf.constant(self.prior, tf.float64))
        return log_p, log_q, tf.nn.log_softmax(tf.concat([free, [0.0]], 0))

    def joints(self, point):
        """Returns p(z) p(x | z) and pi(x) q(z | x), both [X, Z]."""
        log_p, log_q, log_prior = self.logs(point)
        return tf.exp(log_p + log_prior).numpy(), (self.data[:, None] * tf.exp(log_q)).numpy()

    def _gradients(self, point):
        log_p, log_q, log_prior = self.logs(point)
        dream, wake = tf.exp(log_p + log_prior), self.data[:, None] * tf.exp(log_q)
        for_theta = wake - tf.exp(log_p) * tf.reduce_sum(wake, 0)
        for_phi = dream - tf.exp(log_q) * tf.reduce_sum(dream, 1)[:, None]
        for_prior = (tf.reduce_sum(wake, 0) - tf.exp(log_prior))[: self.sizes[1]]
        return tf.concat(
            [
                tf.einsum("xz,xzd->d", for_theta, self.a),
                for_prior,
                tf.einsum("xz,xzd->d", for_phi, self.b),
            ],
            axis=0,
        )

    def _differentiate(self, point):
        with tf.GradientTape() as tape:
            tape.watch(point)
            gradients = self._gradients(point)
        return tape.jacobian(gradients, point)

    def field(self, point):
        """Returns the simultaneous gradient [D]: each player's own utility in its own weights."""
        return self._field(tf.constant(point, tf.float64)).numpy()

    def jacobian(self, point):
        """Returns d field / d point [D, D]."""
        return self._slope(tf.constant(point, tf.float64)).numpy()

    def scores(self, point):
        """Returns s_p and s_q [X, Z, D]: the gradients of log p(x, z) and of log q(z | x)."""
        log_p, log_q, log_prior = (part.numpy() for part in self.logs(point))
        of_p, of_q = np.zeros((2, *log_p.shape, self.size))
        first, second = self.sizes[0], sum(self.sizes[:2])
        of_p[..., :first] = self.a - np.einsum("xz,xzd->zd", np.exp(log_p), self.a)
        of_p[..., first:second] = (np.eye(len(log_prior)) - np.exp(log_prior))[:, : self.sizes[1]]
        of_q[..., second:] = self.b - np.einsum("xz,xzd->xd", np.exp(log_q), self.b)[:, None]
        return of_p, of_q

    def flow(self, point, *, until=1e4):
        """Follows the gradients of both players until they vanish; returns the last point."""

        def vanished(_, state):
            return np.abs(self.field(state)).max() - 1e-12

        vanished.terminal = True  # past here the integrator would resolve rounding errors
        path = scipy.integrate.solve_ivp(
            lambda _, state: self.field(state),
            (0.0, until),
            point,
            method="BDF",
            jac=lambda _, state: self.jacobian(state),
            events=vanished,
            rtol=1e-9,
            atol=1e-11,
        )
        assert path.success, path.message
        return path.y[:, -1]


def signs(count):
    """All values [2^count, count] of that many bits, read as -1 and +1."""
    return np.array(list(itertools.product([-1.0, 1.0], repeat=count)))


def products(x, z):
    """Statistics [X, Z, dim x * dim z] of all products x_i z_j."""
    return np.einsum("xi,zj->xzij", x, z).reshape(len(x), len(z), -1)


def harmonium(x, z, *, weights, x_bias, z_bias):
    """Returns p(x, z) [X, Z], proportional to exp(<x, W z> + <b, x> + <c, z>)."""
    energy = x @ weights @ z.T + (x @ x_bias)[:, None] + z @ z_bias
    joint = np.exp(energy - energy.max())
    return joint / joint.sum()


def harmonium_statistics(x, z):
    """Returns A = (x z, x) and B = (x z, z)."""
    both = products(x, z)
    only_x = np.broadcast_to(x[:, None], (len(x), len(z), x.shape[1]))
    only_z = np.broadcast_to(z, (len(x), *z.shape))
    return np.concatenate([both, only_x], -1), np.concatenate([both, only_z], -1)
