"""A chain: decoder and encoder redraw what they draw in turn, as graph functions of tensors."""

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.batch import Batch, of_values
from keras_symvae.data.sources import Source
from keras_symvae.data.variables import Variables
from keras_symvae.families import Family
from keras_symvae.model.player import Draw, Eta, Player, Values, sampled
from keras_symvae.shapes import shaped


class Chain:
    """What the two players of a pair do in turn.

    All methods take a stateless seed [2] and return a `Batch`, {name: [B, ...]}.

    Args:
        decoder, encoder: the players.
        prior: the `Source` of what the decoder reads and does not draw, or None.
        variables: of both.
    """

    def __init__(
        self, decoder: Player, encoder: Player, *, prior: Source | None, variables: Variables
    ) -> None:
        self.decoder, self.encoder, self.prior = decoder, encoder, prior
        self.variables = variables

    @shaped(size="[]", seed="[2]", given="{name: [B, ...]}", returns="{name: [B, ...]}")
    def dream(
        self,
        size: int | tf.Tensor,
        *,
        seed: tf.Tensor,
        given: Values | None = None,
        output: str = "sample",
    ) -> Batch:
        """Returns what the decoder completes from what is given: context, some latents.

        Args:
            size: B.
            seed: stateless seed [2].
            given: {name: [B, ...]}, or a `Batch` that some examples do not know all of.
            output: an observed variable is drawn ("sample"), or shown by its "mean" or "mode".
        """
        start = self.supplied(of_values(given, size=size), size, seed=seeds.fold(seed, 0))
        return self._decode(start, seed=seeds.fold(seed, 1), output=output)

    @shaped(size="[]", seed="[2]", given="{name: [B, ...]}", returns="{latent: [B, ...]}")
    def codes(self, size: int | tf.Tensor, *, seed: tf.Tensor, given: Values) -> Batch:
        """Returns latents of the prior, {latent: [B, ...]}, constants, under the context given."""
        start = self.supplied(of_values(given, size=size), size, seed=seeds.fold(seed, 0))
        latent = self.variables.latent
        codes = self.decoder.complete(start, seed=seeds.fold(seed, 1), names=latent)
        return codes.where({name: codes.known(name) for name in latent})

    @shaped(values="{name: [B, ...]}", seed="[2]", returns="{name: [B, ...]}")
    def encode(self, values: Values, *, seed: tf.Tensor) -> Batch:
        """Returns `values` with the latents that they lack drawn by the encoder."""
        return self.encoder.complete(values, seed=seed)

    @shaped(values="{name: [B, ...]}", seed="[2]", returns="{name: [B, ...]}")
    def decode(self, values: Values, *, seed: tf.Tensor, output: str = "sample") -> Batch:
        """Returns `values` without what is observed, completed by the decoder."""
        batch = of_values(values)
        kept = {n: batch.known(n) for n in batch if n not in self.variables.observed}
        return self._decode(batch.where(kept), seed=seed, output=output)

    @shaped(values="{name: [B, ...]}", steps="[]", seed="[2]", returns="{name: [B, ...]}")
    def alternate(self, values: Values, *, steps: int | tf.Tensor, seed: tf.Tensor) -> Batch:
        """Returns `values` after `steps` alternations z ~ q(z | x), x ~ p(x | z)."""
        names = (*self.variables.observed, *self.variables.context)
        start = {name: values[name] for name in names if name in values}

        def turn(step, values):
            encoded = self.encode(values, seed=seeds.fold(seed, step, 0))
            decoded = self.decode(encoded, seed=seeds.fold(seed, step, 1))
            return step + 1, {name: decoded[name] for name in values}

        _, values = tf.while_loop(lambda step, _: step < steps, turn, (0, start))
        return Batch(values)

    @shaped(given="{name: [B, ...]}", size="[]", seed="[2]", returns="{name: [B, ...]}")
    def supplied(self, given: Batch, size: int | tf.Tensor, *, seed: tf.Tensor) -> Batch:
        """Returns what is given, with what a prior of samples supplies where it is not.

        Args:
            given: {name: [B, ...]}.
            size: B.
            seed: stateless seed [2].
        """
        if self.prior is None:
            return given
        found: dict[str, tf.Tensor] = dict(given)
        known = {name: given.known(name) for name in given}
        for name, value in self.prior.sample(size, seed=seed).items():
            mask = given.known(name)
            if mask is False:
                found[name] = value
            elif mask is not True:
                found[name] = self.variables.families[name].merged(mask, found[name], value)
            known[name] = True
        return Batch(found, known=known, size=size)

    def _decode(self, values: Batch, *, seed: tf.Tensor, output: str) -> Batch:
        draw = self._shown(output)
        return self.decoder.walk(values, draw=draw, seed=seed)[0]

    def _shown(self, output: str) -> Draw:
        def draw(name: str, family: Family, eta: Eta, seed: tf.Tensor) -> tf.Tensor:
            if output == "sample" or name not in self.variables.observed:
                return sampled(name, family, eta, seed)
            return getattr(family, output)(eta)

        return draw
