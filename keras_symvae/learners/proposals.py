"""Proposals: draws of what examples lack, and their weights."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.batch import Batch, any_of, none_of, repeated
from keras_symvae.data.sources import Source
from keras_symvae.learners.levels import Level
from keras_symvae.learners.memory import Recalled
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
    recalled: Recalled | None = None,
    source: Source | None = None,
    shared: Mapping[str, tf.Tensor] | None = None,
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
        recalled: codes that stand for the last of the draws, where an example remembers them.
        source: draws in the encoder's place, and its density is no part of the weights.
        shared: {name: [B, ...]}, values that all draws have in common.
        seed: stateless seed [2].
    """
    names = pair.decoder.names if scored is None else scored
    options = {"level": level, "names": names, "recalled": recalled, "source": source}
    options["shared"] = shared or {}
    if draws * max(family.size for family in pair.families.values()) <= ELEMENTS:
        return _scored(pair, start, reading, count=draws, last=draws - 1, seed=seed, **options)

    def single(index: tf.Tensor) -> Proposals:
        fork, last = seeds.fold(seed, index), draws - 1 - index
        found = _scored(pair, start, reading, count=1, last=last, seed=fork, **options)
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
    last: int | tf.Tensor,
    level: Level | None,
    names: Collection[str],
    recalled: Recalled | None,
    source: Source | None,
    shared: Mapping[str, tf.Tensor],
    seed: tf.Tensor,
) -> Proposals:
    """Returns `count` draws made and scored in one pass; recalled codes stand at place `last`."""
    encoder, decoder = pair.encoder, pair.decoder
    tiled, read = start.tiled(count), reading.tiled(count)
    masks = {name: none_of([tiled.known(name)]) for name in encoder.names}
    lacking = {name: mask for name, mask in masks.items() if mask is not False}
    weighed = lacking if source is None else ()
    if shared:
        tiled = pair.encoder.completed(start, shared).tiled(count)
    if recalled is not None:
        tiled = _filled(tiled, recalled, pair=pair, count=count, last=last)
    if source is not None:
        tiled = pair.chain.supplied(tiled, tiled.size, seed=seeds.fold(seed, 0))
    drawn, naturals = encoder.walk(tiled, draw=sampled, seed=seed, reading=read)
    known = Reading(read.reads, naturals)
    q = elements(encoder, drawn, names=weighed, among=lacking, reading=known)
    p = elements(decoder, drawn, names=names)

    def apart(part: tf.Tensor) -> tf.Tensor:
        return tf.reshape(part, [count, -1, *part.shape[1:]])

    values = {name: apart(drawn[name]) for name in lacking}
    log_weights = apart(total(map(_sum, p.values())) - total(map(_sum, q.values())))
    scores = {} if level is None else {level.name: apart(level.scores(p, q))}
    return Proposals(values, log_weights, scores)


def _filled(
    tiled: Batch, recalled: Recalled, *, pair: Pair, count: int, last: int | tf.Tensor
) -> Batch:
    """Returns copies of a batch, in one of which examples know the codes that they remember."""
    size = tf.shape(recalled.mask)[0]
    here = tf.repeat(tf.range(count) == last, size) & repeated(recalled.mask, count)
    values = dict(tiled)
    known = {name: tiled.known(name) for name in tiled}
    for name, codes in recalled.values.items():
        mask, codes = tiled.known(name), repeated(codes, count)
        if mask is True:
            continue
        if mask is not False:
            codes = pair.families[name].merged(mask, values[name], codes)
        values[name], known[name] = codes, any_of([mask, here])
    return Batch(values, known=known)


def _sum(log_probs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(log_probs, axis=list(range(1, log_probs.shape.rank)))
