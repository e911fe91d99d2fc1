"""Proposals: draws of what examples lack, and their weights."""

from collections.abc import Collection
from typing import Any, NamedTuple

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.batch import Batch, none_of
from keras_symvae.learners.levels import Level
from keras_symvae.learners.step.cost import elements, total
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import sampled
from keras_symvae.model.reading import Reading

ELEMENTS = 2**16  # more elements than this of all draws of one example are decoded draw by draw


class Proposals(NamedTuple):
    """K draws of what examples lack.

    Args:
        values: {name: [K, B, ...]}.
        log_weights: nats [K, B], of the draws as a whole, log p(x, z_k) - log q(z_k | x).
        scores: {level: [K, B, cells]}, nats, of the cells that are chosen each by itself.
    """

    values: dict[str, Any]
    log_weights: Any
    scores: dict[str, Any]


def proposed(
    pair: Pair,
    start: Batch,
    reading: Reading,
    *,
    draws: int,
    level: Level | None = None,
    scored: Collection[str] | None = None,
    seed: tf.Tensor,
) -> Proposals:
    """Returns draws of all that a batch lacks, without a tape.

    Args:
        pair: the `Pair`, whose encoder draws.
        start: the `Batch`.
        reading: what the encoder's networks make of it, as constants.
        draws: K.
        level: whose cells are scored; None: draws are weighed as a whole alone.
        scored: names of the decoder's factors that enter the weights; None: all.
        seed: stateless seed [2].
    """
    names = pair.decoder.names if scored is None else scored
    if draws * max(family.size for family in pair.families.values()) <= ELEMENTS:
        return _scored(pair, start, reading, count=draws, level=level, names=names, seed=seed)

    def single(index: tf.Tensor) -> Proposals:
        options = {"level": level, "names": names, "seed": seeds.fold(seed, index)}
        found = _scored(pair, start, reading, count=1, **options)
        return tf.nest.map_structure(lambda part: part[0], found)

    lacking = [name for name in pair.encoder.names if start.known(name) is not True]
    kinds = {name: pair.families[name].dtype for name in lacking}
    scores = {} if level is None else {level.name: tf.float32}
    return tf.map_fn(
        single,
        tf.range(draws),
        fn_output_signature=Proposals(kinds, tf.float32, scores),
        parallel_iterations=1,
    )


def _scored(
    pair: Pair,
    start: Batch,
    reading: Reading,
    *,
    count: int,
    level: Level | None,
    names: Collection[str],
    seed: tf.Tensor,
) -> Proposals:
    """Returns `count` draws made and scored in one pass."""
    encoder, decoder = pair.encoder, pair.decoder
    tiled, read = start.tiled(count), reading.tiled(count)
    masks = {name: none_of([tiled.known(name)]) for name in encoder.names}
    lacking = {name: mask for name, mask in masks.items() if mask is not False}
    drawn, naturals = encoder.walk(tiled, draw=sampled, seed=seed, reading=read)
    known = Reading(read.reads, naturals)
    q = elements(encoder, drawn, names=lacking, among=lacking, reading=known)
    p = elements(decoder, drawn, names=names)

    def apart(part: tf.Tensor) -> tf.Tensor:
        return tf.reshape(part, [count, -1, *part.shape[1:]])

    values = {name: apart(drawn[name]) for name in lacking}
    log_weights = apart(total(map(_sum, p.values())) - total(map(_sum, q.values())))
    scores = {} if level is None else {level.name: apart(level.scores(p, q))}
    return Proposals(values, log_weights, scores)


def _sum(log_probs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(log_probs, axis=list(range(1, log_probs.shape.rank)))
