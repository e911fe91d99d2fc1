"""Exact symmetric games over finite x and z, in float64: gradient fields and Jacobians."""

import abc
import itertools

import numpy as np
import scipy.integrate
import tensorflow as tf

# Nodes of log t. The integrand is analytic where |Im log t| < pi / 2, so the trapezoidal rule errs
# by exp(-pi^2 / STEP), 1e-17; weights may differ by a factor of exp(80).
STEP = 0.25
NODES = np.exp(np.arange(-40.0, 85.0, STEP))[:, None, None]


def law(log_joint, log_q, draws):
    """The law q_K of the code that is taken among K draws: [X, Z], differentiable.

    With w(z) = p(x, z) / q(z | x) and 1 / S = int_0^inf exp(-t S) dt for the sum S of K weights,

        q_K(z | x) = K q(z | x) w(z) int_0^inf exp(-t w(z)) M(t)^(K-1) dt,
        M(t) = sum_z q(z | x) exp(-t w(z)).

    Args:
        log_joint, log_q: log p(x, z) up to a constant for every x, and log q(z | x), both [X, Z].
        draws: K, from 1 to any number, `np.inf` included: p(z | x).
    """
    if draws == 1:
        return tf.exp(log_q)
    if np.isinf(draws):
        return tf.nn.softmax(log_joint, axis=1)
    log_w = log_joint - log_q
    log_w -= tf.stop_gradient(tf.reduce_max(log_w, axis=1, keepdims=True))
    exponents = -NODES * tf.exp(log_w)
    log_m = tf.reduce_logsumexp(log_q + exponents, axis=2, keepdims=True)
    integrand = tf.exp(np.log(NODES) + log_q + log_w + exponents + (draws - 1) * log_m)
    return draws * STEP * tf.reduce_sum(integrand, axis=0)


class Field(abc.ABC):
    """Both players' gradients as one vector field, its Jacobian, and where it leads.

    A subclass gives `size`, the length D of a point, and `_gradients(point)` [D] in TensorFlow.
    """

    def __init__(self, size):
        self.size = size
        self._field = tf.function(self._gradients)
        self._slope = tf.function(self._differentiate)

    @abc.abstractmethod
    def _gradients(self, point): ...

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

    def differences(self, point, *, step=1e-4):
        """Returns the Jacobian [D, D] by central differences of fourth order."""

        def slope(width, axis):
            delta = width * axis
            return (self.field(point + delta) - self.field(point - delta)) / (2 * width)

        axes = np.eye(self.size)
        return np.transpose([(4 * slope(step, e) - slope(2 * step, e)) / 3 for e in axes])

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


class Game(Field):
    """Two exponential families that play the symmetric game without any sampling.

        log p(x | z) = <A(x, z), theta> - const(z),      log q(z | x) = <B(x, z), phi> - const(x)

    A point is (theta, phi), or (theta, prior, phi) with the prior's free logits.

    Args:
        a, b: sufficient statistics A [X, Z, dim theta] and B [X, Z, dim phi].
        data: pi(x) [X].
        prior: pi(z) [Z] that is given; None: p(z) is learned by the decoder, any distribution.
        draws: K, the codes of which one is taken for an x of the data.
        wake: the share of the encoder's utility that comes from the taken codes.
    """

    def __init__(self, a, b, data, prior=None, *, draws=1, wake=0.0):
        self.a, self.b = tf.constant(a, tf.float64), tf.constant(b, tf.float64)
        self.data, self.prior = tf.constant(data, tf.float64), prior
        self.draws, self.wake = draws, wake
        free = 0 if prior is not None else a.shape[1] - 1
        self.sizes = [a.shape[2], free, b.shape[2]]
        super().__init__(sum(self.sizes))

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
        dream = tf.exp(log_p + log_prior)
        wake = self.data[:, None] * law(log_p + log_prior, log_q, self.draws)
        learned = (1.0 - self.wake) * dream + self.wake * wake
        for_theta = wake - tf.exp(log_p) * tf.reduce_sum(wake, 0)
        for_phi = learned - tf.exp(log_q) * tf.reduce_sum(learned, 1)[:, None]
        for_prior = (tf.reduce_sum(wake, 0) - tf.exp(log_prior))[: self.sizes[1]]
        return tf.concat(
            [
                tf.einsum("xz,xzd->d", for_theta, self.a),
                for_prior,
                tf.einsum("xz,xzd->d", for_phi, self.b),
            ],
            axis=0,
        )

    def scores(self, point):
        """Returns s_p and s_q [X, Z, D]: the gradients of log p(x, z) and of log q(z | x)."""
        log_p, log_q, log_prior = (part.numpy() for part in self.logs(point))
        of_p, of_q = np.zeros((2, *log_p.shape, self.size))
        first, second = self.sizes[0], sum(self.sizes[:2])
        of_p[..., :first] = self.a - np.einsum("xz,xzd->zd", np.exp(log_p), self.a)
        of_p[..., first:second] = (np.eye(len(log_prior)) - np.exp(log_prior))[:, : self.sizes[1]]
        of_q[..., second:] = self.b - np.einsum("xz,xzd->xd", np.exp(log_q), self.b)[:, None]
        return of_p, of_q


class LadderGame(Field):
    """Bits p(z0) p(z1 | z0) p(x | z1) and q(z0 | x) q(z1 | z0, x), whose z1 adds p's logits of z1.

    Bits are -1 and +1, log p(bit) = bit * logit - log 2 cosh(logit), and p(z0) is uniform. A point
    is (c, F, b, W, r, R, g, V), with logits c + F z0 of z1, b + W z1 of x, r + R x of q's z0 and
    c + F z0 + g + V x of q's z1. The encoder's gradient takes p's logits as constants.

    Args:
        widths: how many bits x, z1 and z0 have.
        data, draws, wake: as for `Game`.
    """

    def __init__(self, widths, data, *, draws=1, wake=0.0):
        n, m, top = widths
        self.data = tf.constant(data, tf.float64)
        self.draws, self.wake = draws, wake
        self.x, states = signs(n), signs(top + m)
        self.z0, self.z1 = states[:, :top], states[:, top:]
        self.shapes = [(m,), (m, top), (n,), (n, m), (top,), (top, n), (m,), (m, n)]
        super().__init__(sum(int(np.prod(shape)) for shape in self.shapes))

    def logs(self, point, base=None):
        """Returns log p(x, z) and log q(z | x) [X, Z]; `base` is the point of q's share of p."""
        c, f, b, w, r, to_top, g, v = self.parts(point)
        log_p = _log_bits(self.z1, c + self.z0 @ tf.transpose(f)) - self.z0.shape[1] * np.log(2.0)
        log_p += _log_bits(self.x[:, None], b + self.z1 @ tf.transpose(w))
        c, f = self.parts(point if base is None else base)[:2]
        logits = c + self.z0 @ tf.transpose(f) + (g + self.x @ tf.transpose(v))[:, None]
        log_q = _log_bits(self.z1, logits)
        return log_p, log_q + _log_bits(self.z0, (r + self.x @ tf.transpose(to_top))[:, None])

    def parts(self, point):
        """Returns (c, F, b, W, r, R, g, V)."""
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        parts = tf.split(tf.convert_to_tensor(point, tf.float64), sizes)
        return [tf.reshape(part, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def _gradients(self, point):
        log_p, log_q = self.logs(point)
        taken = self.data[:, None] * law(log_p, log_q, self.draws)
        learned = (1.0 - self.wake) * tf.exp(log_p) + self.wake * taken
        own = tf.identity(point)
        with tf.GradientTape() as tape:
            tape.watch(own)
            log_p, log_q = self.logs(own, point)
            utilities = tf.reduce_sum(taken * log_p + learned * log_q)
        return tape.gradient(utilities, own)

    def scores(self, point):
        """Returns s_p, s_q and q's whole derivative, that in p's weights included: [X, Z, D]."""
        own, base = (tf.constant(point, tf.float64) for _ in range(2))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([own, base])
            log_p, log_q = self.logs(own, base)
        s_p, s_q, rest = (
            tape.jacobian(*each).numpy() for each in ((log_p, own), (log_q, own), (log_q, base))
        )
        return s_p, s_q, s_q + rest


def _log_bits(values, logits):
    return tf.reduce_sum(tf.math.log_sigmoid(2.0 * values * logits), axis=-1)


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
