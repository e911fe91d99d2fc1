"""Importance weights: those of K draws of the encoder for each example, and what they say."""

import functools
import math
import typing
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_symvae.data.batch import Batch, Mask, none_of, of_values
from keras_symvae.families import Family
from keras_symvae.learners.step.cost import total, where
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Eta, Values
from keras_symvae.shapes import shaped


class Weighed(typing.NamedTuple):
    """K completions of each example by the encoder, and the parts of their importance weights.

        log w_k = log p(x, z_k) - log q(z_k | x),     z_k ~ q(z | x),     k = 1 ... K

    Latents that an example holds are not drawn: their log p is a part of its log-weights, and they
    have no log q.

    Args:
        costs: {"player/variable": [K, B]}, which sum to -log w_k: "decoder/v" is -log p(v | ...),
            "encoder/v" of a latent is log q(v | ...) - log p(v | ...).
        score: log q of all that was drawn without a gradient, [K, B] or 0.0; it has one itself.
    """

    costs: dict[str, tf.Tensor]
    score: tf.Tensor | float

    def log_weights(self, *, kl_weight: float | tf.Tensor = 1.0) -> tf.Tensor:
        """Returns log w_k [K, B], in which log q - log p of the latents has this weight."""
        parts = [
            -cost if name.startswith("decoder/") else -kl_weight * cost
            for name, cost in self.costs.items()
        ]
        return total(parts)


def weighed(
    pair: Pair, batch: Values, *, draws: int, seed: tf.Tensor, estimator: str | None = None
) -> Weighed:
    """Returns what K draws of the encoder are, `Weighed`.

    Args:
        pair: the `Pair`; all of its factors have densities.
        batch: {name: [B, ...]} with all that the encoder reads.
        draws: K.
        seed: stateless seed [2].
        estimator: of the gradient through discrete draws; None: they have none, see `with_score`.
    """
    batch = of_values(batch)
    reading, known = pair.encoder.read(batch).tiled(draws), batch.tiled(draws)
    draw = functools.partial(_drawn, estimator=estimator)
    completed, q = pair.encoder.walk(known, draw=draw, seed=seed, reading=reading)
    blind = [name for name in pair.latent if _without_gradient(pair.families[name], estimator)]
    return of_completions(pair, completed, q, drawn=drawn_of(pair, known), blind=blind, draws=draws)


def of_completions(
    pair: Pair,
    completed: Batch,
    q: Mapping[str, Eta],
    *,
    drawn: Mapping[str, Mask],
    blind: typing.Collection[str],
    draws: int,
) -> Weighed:
    """Returns completions [K * B] as they are `Weighed`.

    Args:
        pair: the `Pair`.
        completed: the completions, the draws of one example B apart.
        q: {latent: natural parameters [K * B]} of the encoder.
        drawn: {latent: Mask [K * B]}, where it was drawn and not held by the example.
        blind: names of the latents whose draws pass no gradient on.
        draws: K.
    """
    _, p = pair.decoder.walk(completed)

    def log_prob(natural: Mapping[str, Eta], name: str, mask: Mask = True) -> tf.Tensor:
        score = pair.families[name].log_prob(natural[name], completed[name])
        return tf.reshape(where(mask, score), [draws, -1])

    costs = {f"decoder/{name}": -log_prob(p, name) for name in pair.observed}
    scores = []
    for name in pair.latent:
        cost = -log_prob(p, name)
        if drawn[name] is not False:
            log_q = log_prob(q, name, drawn[name])
            cost += log_q
            scores += [log_q] if name in blind else []
        costs[f"encoder/{name}"] = cost
    return Weighed(costs, total(scores) if scores else 0.0)


def drawn_of(pair: Pair, batch: Batch) -> dict[str, Mask]:
    """Returns {latent: Mask}: the examples that do not hold it."""
    return {name: none_of([batch.known(name)]) for name in pair.latent}


@shaped(log_weights="[K, B]", returns="[B]")
def bound(log_weights: tf.Tensor) -> tf.Tensor:
    """Returns log 1/K sum_k w_k, nats: at most log p(x) on average, and at least the ELBO."""
    return tf.reduce_logsumexp(log_weights, axis=0) - math.log(_count(log_weights))


@shaped(log_weights="[K, B]", returns="[K, B]")
def leave_one_out(log_weights: tf.Tensor) -> tf.Tensor:
    """Returns the bounds of all draws but the k-th, whose place the geometric mean of them takes.

        log 1/K ( sum_{j != k} w_j + exp( 1/(K-1) sum_{j != k} log w_j ) )

    Reference: Mnih and Rezende 2016, Variational Inference for Monte Carlo Objectives.
    """
    count = _count(log_weights)
    own = tf.eye(count, dtype=tf.bool)[:, :, None]
    # [k, j, B]: the log-weights of draw j, first without and then as draw k's baseline reads them.
    others = tf.where(own, 0.0, log_weights[None])
    means = tf.reduce_sum(others, axis=1, keepdims=True) / (count - 1)
    table = tf.where(own, means, log_weights[None])
    return tf.reduce_logsumexp(table, axis=1) - math.log(count)


def with_score(log_weights: tf.Tensor, score: tf.Tensor | float) -> tf.Tensor:
    """Returns the bound [B], nats, whose gradient is unbiased although some draws pass none on.

        d/d phi E bound = E [ d bound / d phi + sum_k (bound - b_k) d/d phi log q(d_k | ...) ]

    Let d be the latents that are drawn without a gradient, and c those that are a function c(e, d)
    of noise e, whose law has no parameters. Given e, d has the law q(d | e), the product of its
    factors along the walk, and E bound = E_e sum_d q(d | e) bound(e, d). The derivative of the
    second factor is the first term, in which gradients flow through c; that of q(d | e) is the
    second with b = 0, in which they flow through c, too, where a factor of d reads it. A baseline
    b_k of the other draws changes no mean, since sum_{d_k} q(d_k | e_k) d log q(d_k | e_k) = 0.

    Args:
        log_weights: log w_k [K, B], K at least 2.
        score: sum of log q(d_k | ...) [K, B].

    Reference: Mnih and Rezende 2016; for both kinds of draws Schulman et al. 2015, Gradient
    Estimation Using Stochastic Computation Graphs.
    """
    value = bound(log_weights)
    if isinstance(score, float):
        return value
    signal = tf.stop_gradient(value - leave_one_out(log_weights))
    return value + tf.reduce_sum(signal * (score - tf.stop_gradient(score)), axis=0)


def shared_out(weighing: Weighed) -> dict[str, tf.Tensor]:
    """Returns costs {"player/variable": [B]} whose sum is the negative bound.

        -log 1/K sum_k w_k = sum_k v_k (-log w_k) + sum_k v_k log(K v_k),     v_k = w_k / sum_j w_j

    The first sum is shared out as log w_k is; the second, "encoder/choice", is the divergence of
    the choice of one of the K draws by its weight from an even one, between 0 and log K.
    """
    log_weights = weighing.log_weights()
    log_share = tf.nn.log_softmax(log_weights, axis=0)
    share, count = tf.exp(log_share), _count(log_weights)

    def mean(part: tf.Tensor) -> tf.Tensor:
        # A draw that cannot have made x has an infinite cost, and no share.
        return tf.reduce_sum(tf.math.multiply_no_nan(part, share), axis=0)

    costs = {name: mean(cost) for name, cost in weighing.costs.items()}
    return costs | {"encoder/choice": mean(log_share + math.log(count))}


def _count(log_weights: Any) -> int:
    return log_weights.shape[0]  # K is known before a graph is made


def _without_gradient(family: Family, estimator: str | None) -> bool:
    return estimator is None and (family.discrete or not family.reparametrised)


def _drawn(
    name: str, family: Family, eta: Eta, seed: tf.Tensor, *, estimator: str | None
) -> tf.Tensor:
    del name
    if _without_gradient(family, estimator):
        return family.sample(eta, seed)
    return family.rsample(eta, seed, estimator=estimator)
