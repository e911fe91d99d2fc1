"""Utilities of the symmetric game: what its players maximise, on data and on dreams."""

from collections.abc import Mapping

import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch, all_of, any_of, kinds, of_values, share
from keras_symvae.families import Finite
from keras_symvae.learners.completion import Completion
from keras_symvae.learners.step.cost import NOTHING, Outcome, judged, total
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Values

Weights = dict[str, float]
TERMS: Weights = {
    "decoder/paired": 1.0,
    "decoder/observed": 1.0,
    "decoder/latent": 1.0,
    "encoder/paired": 1.0,
    "encoder/dreams": 1.0,
}


def wake(pair: Pair, completion: Completion, *, weights: Mapping[str, float]) -> Outcome:
    """Returns the `Outcome` L_p of the decoder on a batch with the codes that were taken for it."""
    found = kinds(pair.schema, completion.batch)
    shares = [
        weights[f"decoder/{kind}"] * share(mask)
        for kind, mask in found.items()
        if mask is not False
    ]
    weight = sum(shares[1:], shares[0])
    outcome = judged(pair.decoder, completion.taken, weight=weight)
    present = {**outcome.present, **completion.present}
    return outcome._replace(present=present, measures=completion.measures)


def posterior(pair: Pair, completion: Completion, *, weight: float) -> Outcome:
    """Returns the `Outcome` of the encoder on the codes that were taken, log q(z* | x).

    Only what was drawn counts; the mean is that over the examples in which all of x is known.
    """
    if not weight:
        return NOTHING
    found = kinds(pair.schema, completion.batch)
    return judged(
        pair.encoder,
        completion.taken,
        weight=weight * share(any_of([found["paired"], found["observed"]])),
        kind="wake",
        among={name: completion.drawn.get(name, False) for name in pair.encoder.names},
        reading=completion.reading,
    )


def sleep(
    pair: Pair,
    batch: Values,
    *,
    seed: tf.Tensor,
    weights: Mapping[str, float],
    taken: Batch | None = None,
    near: float = 0.0,
) -> Outcome:
    """Returns the `Outcome` L_q of the encoder on dreams, as many as the batch has examples.

    Args:
        pair: the `Pair`.
        batch: {name: [B, ...]}, or a `Batch`.
        seed: stateless seed [2].
        weights: of the terms.
        taken: the batch with the codes that were taken for it.
        near: share of the dreams that start from these codes, the others start from the prior.
    """
    given = batch = of_values(batch)
    # The dreams of examples that hold latents alone start from these.
    alone = kinds(pair.schema, batch)["latent"]
    start = {name: all_of([batch.known(name), alone]) for name in pair.latent}
    if near and taken is not None:
        given, awake = taken, tf.random.stateless_uniform(tf.reshape(batch.size, [1]), seed) < near
        for name in pair.latent:
            start[name] = any_of([start[name], all_of([awake, taken.known(name)])])
    start |= {name: batch.known(name) for name in pair.context}
    dreams = pair.chain.dream(batch.size, seed=seed, given=given.where(start))
    dreams = _veiled(pair, dreams, batch, seed=seeds.fold(seed, 2))
    dreaming = any_of(pair.encoder.scored(dreams).values())
    return judged(pair.encoder, dreams, weight=weights["encoder/dreams"] * share(dreaming))


def labels(pair: Pair, batch: Values, *, weights: Mapping[str, float]) -> Outcome:
    """Returns the `Outcome` L_q of the encoder on the latents that the batch holds."""
    batch = of_values(batch)
    paired = kinds(pair.schema, batch)["paired"]
    if paired is False:
        return NOTHING
    weight = weights["encoder/paired"] * share(paired)
    return judged(pair.encoder, batch, weight=weight, kind="paired")


def information(pair: Pair, batch: Values, *, weights: Mapping[str, float]) -> Outcome:
    """Returns the `Outcome` of the information that latents hold about the observed values.

        I = H(mean_n q_n) - mean_n H(q_n),    q_n = q(v | x_n),    the sum over the elements of v

    Args:
        pair: the `Pair`.
        batch: the `Batch`.
        weights: {v: weight}.

    Reference: Bridle, Heading, MacKay 1991; Krause, Perona, Gomes 2010.
    """
    if not weights:
        return NOTHING
    batch = of_values(batch)
    found = kinds(pair.schema, batch)
    readable = any_of([found["paired"], found["observed"]])
    rows = tf.ones([batch.size]) if readable is True else tf.cast(readable, tf.float32)
    gain = [
        weight * _information(pair.encoder.eta(name, batch), rows, family)
        for name, weight in weights.items()
        if isinstance(family := pair.families[name], Finite)
    ]
    return Outcome(total(gain), {})


def checked_terms(weights: Mapping[str, float] | None) -> Weights:
    """Returns all weights of terms; those that are not given are 1.

    Raises:
        ValueError: there is no such term, or a weight is not a number of at least 0.
    """
    weights = arguments.table("weights", weights)
    unknown = sorted(weights.keys() - TERMS.keys())
    if unknown:
        raise ValueError(f"weights: there are no terms {unknown}; known are {sorted(TERMS)}.")
    return TERMS | _weights(weights)


def checked_information(pair: Pair, weights: Mapping[str, float] | None) -> Weights:
    """Returns {latent: weight}, or refuses what has no such information.

    Raises:
        ValueError: a variable is not a latent of bits or classes, its factor reads other latents,
            or a weight is not a number of at least 0.
    """
    weights = arguments.table("information", weights)
    for name in weights:
        counted = name in pair.latent and isinstance(pair.families[name], Finite)
        if not counted or not set(pair.encoder.parents(name)).isdisjoint(pair.latent):
            raise ValueError(
                f"The information of '{name}' is not among the utilities: it is that of Bernoulli "
                f"and Categorical latents whose encoder factor reads no other latent."
            )
    return _weights(weights)


def _veiled(pair: Pair, dreams: Batch, batch: Batch, *, seed: tf.Tensor) -> Batch:
    """Returns dreams, half of which lack the elements that their examples lack.

    An encoder that is told which elements are unknown has to meet such values in dreams as well;
    and whole ones, which the limiting chain hands to it.
    """
    veiled = {}
    for name in pair.observed:
        family = pair.families[name]
        if family.partial and batch.known(name) is not False:
            coins = tf.random.stateless_uniform(tf.reshape(batch.size, [1]), seed) < 0.5
            coins = tf.reshape(coins, [-1] + [1] * len(family.shape))
            hidden = tf.logical_and(coins, family.unknown(batch[name]))
            veiled[name] = tf.where(hidden, family.marker, dreams[name])
    return pair.decoder.completed(dreams, veiled) if veiled else dreams


def _weights(weights: Weights) -> Weights:
    return {
        name: arguments.number(f"The weight of '{name}'", weight, least=0)
        for name, weight in weights.items()
    }


def _information(eta: tf.Tensor, rows: tf.Tensor, family: Finite) -> tf.Tensor:
    """Returns a scalar, nats, of logits [B, ...] in the `rows` [B]."""
    part = tf.math.divide_no_nan(rows, tf.reduce_sum(rows))
    of_mean = family.entropy_of(tf.tensordot(part, family.probabilities(eta), 1))
    mean_of = tf.tensordot(part, family.entropy(eta), 1)
    return tf.reduce_sum(of_mean) - tf.reduce_sum(mean_of)
