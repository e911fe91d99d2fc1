"""Finite spaces: both sides of the link between f-GAN and WAE, exactly, by linear programs."""

import dataclasses

import numpy as np
import scipy.sparse as sparse
import tensorflow as tf
from scipy.optimize import linprog

from keras_symvae.learners.adversarial import divergences

GAP = 1e-7  # between the value found and its bound, in units of lambda or of the diameter
ROUNDS = 60
GRID = np.geomspace(1e-4, 1.0, 24)[:, None]  # the first tangents, in units of the largest ratio
SMALLEST = 1e-8  # ratio at which a tangent is taken: f' may be infinite at 0


@dataclasses.dataclass(frozen=True)
class FiniteSpace:
    """Data, and codes with a decoder G, on finitely many points with a metric c.

        GAN(f, lambda) = sup_d E_data d - lambda E_model f*(d / lambda),  |d(x) - d(y)| <= c(x, y)
        WAE(f, lambda) = inf_E E c(x, G(z)) + lambda D_f(E#data, prior),  x ~ data, z ~ E(z | x)

    where the model is G#prior and d / lambda stays in the domain of f*, everywhere. For every G,
    GAN <= min(WAE, lambda D_f(data, model)), and WAE <= W_c(data, model), the transport, where
    f(1) = 0. GAN = WAE if G is invertible, and for every G if f'(inf) is infinite. A non-linear f
    is the largest of its tangents: a linear program is solved, and again with those where it ended.

    Args:
        cost: c [N, N].
        data: probabilities [N] of the points.
        prior: probabilities [M] of the codes; D_f charges f'(inf) for mass where there is none.
        decoder: G [M], the index of the point that a code is decoded to.

    Reference: Husain, Nock, Williamson 2019, A Primal-Dual Link between GANs and Autoencoders.
    """

    cost: np.ndarray
    data: np.ndarray
    prior: np.ndarray
    decoder: np.ndarray

    @property
    def model(self) -> np.ndarray:
        """The probabilities [N] of decoded codes."""
        return np.bincount(self.decoder, self.prior, minlength=len(self.data))

    def gan(self, f: str, *, weight: float) -> float:
        """Returns GAN(f, weight), of the best critic found; `weight` is lambda > 0."""
        kind, size = divergences.get(f), len(self.data)
        (used,) = np.nonzero(self.model)
        model, eye = self.model[used], sparse.eye_array(size, format="csr")
        # No ratio exceeds 1 / model, so no best critic exceeds the slope there.
        high = np.full(size, kind.slope_at_infinity)
        high[used] = _values(kind.derivative, 1.0 / model)
        low = np.full(size, _values(kind.derivative, 0.0))
        one, other = np.nonzero(1 - np.eye(size))
        # Unknowns: the critic d [N], and a bound of f*(d / lambda) at every point of the model.
        steepness = sparse.hstack([eye[one] - eye[other], sparse.csr_array((len(one), len(used)))])
        cuts, limits = [steepness], [self.cost[one, other]]
        box = [*weight * np.stack([low, high], axis=1), *[(None, None)] * len(used)]
        ratios = GRID / model
        for turn in range(ROUNDS):
            cuts.append(_tangents(ratios / weight, eye[used]))  # f*(t) >= ratio t - f(ratio)
            limits.append(_values(kind.f, ratios).ravel())
            found = _solved([*-self.data, *weight * model], bounds=box, cuts=cuts, limits=limits)
            d = np.clip(found.x[:size], weight * low, weight * high)
            with tf.GradientTape() as tape:
                t = tf.constant(d[used] / weight)
                tape.watch(t)
                conjugate = kind.conjugate(t)
            value = self.data @ d - weight * model @ conjugate.numpy()
            if -found.fun - value <= self._gap(weight):
                return float(value)
            ratios = _around(tf.convert_to_tensor(tape.gradient(conjugate, t)), turn)
        raise RuntimeError(f"GAN({f}, {weight}) did not settle in {ROUNDS} rounds")

    def wae(self, f: str, *, weight: float) -> float:
        """Returns WAE(f, weight), of the best encoder found; `weight` is lambda > 0."""
        kind = divergences.get(f)
        used = self.prior > 0.0
        prior, (rows, columns) = self.prior[used], self._marginals()
        nothing = sparse.csr_array((len(self.data), len(prior)))
        costs = self.cost[:, self.decoder] + np.where(used, 0.0, weight * kind.slope_at_infinity)
        reached = np.broadcast_to(np.isfinite(costs), costs.shape).ravel()
        # Unknowns: the joint [N M] of data and codes, and a bound of f(ratio) of every code.
        box = [(0.0, None if each else 0.0) for each in reached] + [(None, None)] * len(prior)
        objective = [*np.where(reached, costs.ravel(), 0.0), *weight * prior]
        same = {"A_eq": sparse.hstack([rows, nothing]), "b_eq": self.data}
        cuts, limits, ratios = [], [], GRID / prior
        for turn in range(ROUNDS):
            slopes = _values(kind.derivative, ratios)  # f(u) >= f(ratio) + f'(ratio) (u - ratio)
            cuts.append(_tangents(slopes / prior, columns[used]))
            limits.append((slopes * ratios - _values(kind.f, ratios)).ravel())
            found = _solved(objective, bounds=box, cuts=cuts, limits=limits, **same)
            value, ratio = self._value(found.x[: -len(prior)], kind, weight=weight)
            if value - found.fun <= self._gap(weight):
                return value
            ratios = _around(ratio, turn)
        raise RuntimeError(f"WAE({f}, {weight}) did not settle in {ROUNDS} rounds")

    def entropic_wae(self, *, weight: float, blur: float) -> float:
        """Returns the value of a blurred encoder: at least WAE("kl", weight), and nearer with less.

        Sinkhorn's iteration, with the divergence of the codes in place of their marginal; it needs
        the package POT, and grows as N M where the linear programs grow faster.

        Args:
            weight: lambda > 0.
            blur: weight of the joint's divergence from independence, in units of cost; POT warns of
                underflow if it is below about a 700th of the diameter.
        """
        try:
            import ot
        except ImportError as error:
            raise ImportError("blurred transport needs the package POT: pip install POT") from error
        joint = ot.unbalanced.sinkhorn_unbalanced(
            self.data,
            self.prior,
            self.cost[:, self.decoder],
            blur,
            (float("inf"), weight),
            numItermax=20_000,
            stopThr=1e-9,
        )
        return self._value(joint, divergences.get("kl"), weight=weight)[0]

    def transport(self) -> float:
        """Returns W_c(data, model), in units of cost."""
        rows, columns = self._marginals()
        same = {"A_eq": sparse.vstack([rows, columns]), "b_eq": [*self.data, *self.prior]}
        return float(_solved(self.cost[:, self.decoder].ravel(), bounds=(0.0, None), **same).fun)

    def divergence(self, f: str) -> float:
        """Returns D_f(data, model), in nats."""
        return float(_divergence(divergences.get(f), self.data, self.model))

    def _marginals(self):
        """Returns what sums a joint [N M] to its rows [N] and to its columns [M]."""
        n, m = len(self.data), len(self.prior)
        return (
            sparse.kron(sparse.eye_array(n), np.ones((1, m)), format="csr"),
            sparse.kron(np.ones((1, n)), sparse.eye_array(m), format="csr"),
        )

    def _value(self, joint, f, *, weight):
        """Returns the value of an encoder, made feasible, and its ratios to the prior."""
        joint = np.maximum(joint.reshape(len(self.data), -1), 0.0)
        encoder = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        encoder = (1.0 - 1e-9) * encoder + 1e-9 * self.prior  # where f(0) is infinite
        codes, used = self.data @ encoder, self.prior > 0.0
        moved = self.data @ np.sum(encoder * self.cost[:, self.decoder], axis=1)
        value = moved + weight * _divergence(f, codes, self.prior)
        return float(value), codes[used] / self.prior[used]

    def _gap(self, weight):
        return GAP * min(weight, self.cost.max())


def _tangents(slopes, unknowns):
    """Returns rows [K M] that say: slopes [K, M] times sums [M, *] of unknowns <= bounds [M]."""
    many = np.ones((len(slopes), 1))
    sums = sparse.diags_array(slopes.ravel()) @ sparse.kron(many, unknowns, format="csr")
    return sparse.hstack([sums, -sparse.kron(many, sparse.eye_array(slopes.shape[1]))])


def _around(ratio, turn):
    """Returns ratios [3, M] of new tangents; one on either side halves the number of turns."""
    spread = 0.2 / 4.0**turn * np.array([[-1.0], [0.0], [1.0]])
    return np.maximum(ratio * (1.0 + spread), SMALLEST)


def _divergence(f, p, q):
    used = q > 0.0
    outside = p[~used].sum()
    singular = f.slope_at_infinity * outside if outside > 0.0 else 0.0
    return q[used] @ _values(f.f, p[used] / q[used]) + singular


def _values(function, numbers):
    return function(tf.constant(numbers, tf.float64)).numpy()


def _solved(objective, *, cuts=(), limits=(), **constraints):
    if cuts:
        constraints |= {"A_ub": sparse.vstack(cuts), "b_ub": np.concatenate(limits)}
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(objective, method="highs", options=tight, **constraints)
    if found.status != 0:
        raise RuntimeError(f"the linear program was not solved: {found.message}")
    return found
