"""Resampling: data are completed by one of K draws of the encoder, taken by its weight."""

from collections.abc import Collection, Mapping, Sequence

import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch, Mask, all_of, any_of, none_of, of_values
from keras_symvae.data.sources import Source
from keras_symvae.learners import importance
from keras_symvae.learners.completion import Completion, choice, effective, finite, picked
from keras_symvae.learners.levels import Level, NotLocal, Window, local_levels
from keras_symvae.learners.memory import Memory, Recalled
from keras_symvae.learners.proposals import Proposals, proposed
from keras_symvae.learners.step.cost import where
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Values, sampled
from keras_symvae.model.reading import Reading

WHOLE, LOCAL = "whole", "local"


class Resampling:
    """Takes one of K draws of the encoder for what an example lacks.

        z_1 .. z_K ~ q(z | x),    w_k = p(x, z_k) / q(z_k | x),    z* = z_k with P = w_k / sum_j w_j

    The law of z* goes from q (K = 1) to p(z | x). Only factors of what is present enter the weight.
    An example none of whose weights is finite takes its first draw.

    Where codes are a grid, the weights of whole draws differ by tens of nats and say little to each
    cell. Local resampling chooses cell by cell, from what is seen in the window of a cell c:

        l_c(z_k) = sum_{i in window of c} log p(x_i | z_k) + log p(z_kc | above_k) - log q(z_kc | x)
        z*_c = z_kc with P = exp l_c(z_k) / sum_j exp l_c(z_j),    independently for every cell

    then the level above, given z*, from K draws of its own, which need no pixels; and so on. What
    the encoder draws before z is the same in all K draws of it.

    With a memory the last of the K draws is, with probability `remember`, what the example took at
    its last visit, weighed as the others: the step of a Markov chain that leaves p(z | x) invariant
    for any K, so that codes get better from visit to visit (conditional importance sampling).

    Where a prior is known by samples alone, log p(z0) is missing. There z0 is one draw of q, and
    the levels below it are resampled given z0: their weights need no p(z0). Where there is no level
    below it, the K draws are those of the prior itself, z_k ~ p(z0) and w_k = p(x | z_k), which
    serves codes of few dimensions.

    Args:
        pair: the `Pair`.
        draws: K; with 1 there is nothing to choose.
        resampling: "whole" or "local"; None: local where a latent that reaches the observed
            variables is a grid whose windows are smaller than the picture, else whole. Other
            latents that reach them, such as a label, are then taken as a whole, given that grid.
        window: (rows, columns) of cells around a cell, odd, that are its window, for all latents or
            {latent: window}; None: as far as a cell changes most, see `footprint.window`.
        remember: probability, from 0 to 1; of one draw there is nothing to remember.

    Raises:
        ValueError: an argument is none of these; there is nothing to choose, or not locally.
    """

    def __init__(
        self,
        pair: Pair,
        *,
        draws: int,
        resampling: str | None = None,
        window: Window = None,
        remember: float = 0.0,
    ) -> None:
        draws = arguments.integer("draws", draws, least=1)
        if window is not None:
            arguments.instance("window", window, tuple, list, Mapping)
        if resampling is not None:
            arguments.one_of("resampling", resampling, (WHOLE, LOCAL))
        self.remember = arguments.number("remember", remember, least=0, most=1)
        self.pair, self.draws = pair, draws
        codes = {name: pair.families[name] for name in pair.encoder.names}
        self.memory = Memory(codes, name="memory") if remember and draws > 1 else None
        self.settled = () if pair.prior is None else tuple(pair.prior.names)
        self.source: Source | None = None
        self.levels: list[Level] = []
        if draws == 1:
            return
        if set(pair.encoder.names) <= set(self.settled):
            self.settled, self.source = (), pair.prior
        if resampling == WHOLE:
            return
        if isinstance(window, Mapping):  # of a team, which may have latents of other members
            window = {n: each for n, each in window.items() if n in pair.encoder.names} or None
        try:
            if self.source is not None:
                raise NotLocal("needs the density of a prior")
            self.levels = local_levels(pair, window=window)
        except NotLocal as reason:
            if resampling == LOCAL or window is not None:
                raise ValueError(f"Local resampling {reason}; use resampling={WHOLE!r}.") from None

    @property
    def windows(self) -> dict[str, tuple[int, int]]:
        """{latent: (rows, columns)} of the latents that are grids.

        One whose window shows most of what is observed is taken as a whole nevertheless.
        """
        return {level.name: level.window for level in self.levels if level.window is not None}

    def read(self, batch: Values) -> Reading | None:
        """Returns what the encoder's networks make of a batch; None where one draw is all."""
        return None if self.draws == 1 else self.pair.encoder.read(batch)

    def complete(self, batch: Values, reading: Reading | None, *, seed: tf.Tensor) -> Completion:
        """Returns the `Completion` of a batch.

        Args:
            batch: {name: [B, ...]}, or a `Batch` that some examples do not know all of.
            reading: what `read` said of it.
            seed: stateless seed [2].
        """
        batch = of_values(batch)
        if reading is None:
            return Completion(batch, self.pair.chain.encode(batch, seed=seed))
        constant, recalled = reading.stopped(), None
        start = self._settle(batch, constant, seed=seeds.fold(seed, 0))
        memory, rows = self.memory, batch.rows
        if memory is not None and rows is not None:
            recalled = memory.recall(rows, share=self.remember, seed=seeds.fold(seed, 2))
        levels = [level for level in self.levels if start.known(level.name) is not True]
        options = {"recalled": recalled, "seed": seeds.fold(seed, 1)}
        if levels:
            taken, proposals = self._cell_by_cell(start, constant, levels=levels, **options)
            scores = proposals.scores[levels[0].name]
        else:
            taken, proposals = self._as_a_whole(start, constant, **options)
            scores = proposals.log_weights[..., None]
        chosen = any_of(
            all_of([none_of([batch.known(name)]), taken.known(name)])
            for name in self.pair.encoder.names
        )
        measures, present = self._measured(proposals, scores, chosen)
        if memory is not None and rows is not None:
            sound = all_of([chosen, measures["degenerate"] == 0.0])
            memory.keep(rows, taken, where=sound)
        return Completion(batch, taken, reading, measures, present)

    def _measured(
        self, proposals: Proposals, scores: tf.Tensor, chosen: Mask
    ) -> tuple[dict[str, tf.Tensor], dict[str, Mask]]:
        """Returns what the weights say of the draws, {name: [B]} and {name: Mask}.

        Args:
            proposals: the draws.
            scores: [K, B, choices], the log-weights by which they were taken.
            chosen: the examples in which something was drawn.
        """
        bound = importance.bound(finite(proposals.log_weights))
        lost = tf.reduce_all(~tf.math.is_finite(scores), axis=0)
        measures = {
            "ess": tf.reduce_mean(effective(scores), axis=-1),
            "iw_bound": bound,
            "degenerate": tf.cast(tf.reduce_any(lost, axis=-1), tf.float32),
        }
        masks = dict.fromkeys(measures, chosen)
        masks["iw_bound"] = all_of([chosen, tf.math.is_finite(bound)])
        measures = {name: where(masks[name], value) for name, value in measures.items()}
        return measures, {name: mask for name, mask in masks.items() if mask is not True}

    def of(self, batch: Values | Completion, *, seed: tf.Tensor) -> Completion:
        """Returns a completion as it is, and the `Completion` of anything else."""
        if isinstance(batch, Completion):
            return batch
        return self.complete(batch, self.read(batch), seed=seed)

    def _as_a_whole(
        self, start: Batch, reading: Reading, *, recalled: Recalled | None, seed: tf.Tensor
    ) -> tuple[Batch, Proposals]:
        """Returns the batch with one of K draws of all that it lacks."""
        options = {"draws": self.draws, "recalled": recalled, "source": self.source}
        fork = seeds.fold(seed, 0)
        proposals = proposed(self.pair, start, reading, seed=fork, **options)
        chosen = choice(proposals.log_weights, seed=seeds.fold(seed, 1))
        values = {name: picked(value, chosen) for name, value in proposals.values.items()}
        return self.pair.encoder.completed(start, values), proposals

    def _cell_by_cell(
        self,
        start: Batch,
        reading: Reading,
        *,
        levels: Sequence[Level],
        recalled: Recalled | None,
        seed: tf.Tensor,
    ) -> tuple[Batch, Proposals]:
        """Returns the batch with the cells of K draws, level by level from the lowest up."""
        lowest, found = levels[0], []
        for index, level in enumerate(levels):
            fork = seeds.fold(seed, index)
            # What the encoder draws before a level is one for all K: a cell would prefer draws
            # whose levels above explain its pixels, which q(z | above, x) has counted already.
            earlier = self.pair.encoder.names[: self.pair.encoder.names.index(level.name)]
            above = [name for name in earlier if start.known(name) is not True]
            shared = self._once(start, reading, names=above, seed=seeds.fold(fork, 2))
            proposals = proposed(
                self.pair,
                start,
                reading,
                draws=self.draws,
                level=level,
                shared=shared,
                # Of the draws of a higher level nobody asks the weight as a whole.
                scored=None if level is lowest else level.seen,
                recalled=recalled,
                seed=seeds.fold(fork, 0),
            )
            chosen = choice(proposals.scores[level.name], seed=seeds.fold(fork, 1))
            value = picked(proposals.values[level.name], tf.reshape(chosen, [-1, *level.grid]))
            start = self.pair.encoder.completed(start, {level.name: value})
            found.append(proposals)
        return start, found[0]

    def _settle(self, batch: Batch, reading: Reading, *, seed: tf.Tensor) -> Batch:
        """Returns the batch with one draw of the latents that have no density of a prior."""
        if not self.settled:
            return batch
        values = self._once(batch, reading, names=self.settled, seed=seed)
        return self.pair.encoder.completed(batch, values)

    def _once(
        self, batch: Batch, reading: Reading, *, names: Collection[str], seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns one draw {name: [B, ...]} of latents."""
        drawn, _ = self.pair.encoder.walk(batch, draw=sampled, seed=seed, reading=reading)
        return {name: drawn[name] for name in names}


def checked_wake(wake: float | None, *, draws: int) -> float:
    """Returns the share of taken codes in what an encoder learns.

    Raises:
        ValueError: it is no number from 0 to 1.
    """
    if wake is None:
        return 0.5 if draws > 1 else 0.0
    return arguments.number("wake", wake, least=0, most=1)
