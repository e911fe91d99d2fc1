"""A pair: a decoder and an encoder over the same named variables."""

import functools

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import endpoints, seeds


@keras.saving.register_keras_serializable(package="keras_symvae")
class Pair(keras.Model):
    """A decoder p and an encoder q: the players of every game of this library.

        p(x, z | context)    and    q(z | x, context)

    Variables that both players draw are latent (z), those of the decoder alone are observed (x),
    those of neither are context. Every method that draws takes an integer seed and returns the
    same NumPy arrays for the same seed; work is done in batches of bounded size.

    Args:
        decoder: the `Player` p.
        encoder: the `Player` q.
        prior: optional `Source` of variables that the decoder reads and does not draw: a prior
            known only by samples.

    Reference: Flach, Schlesinger, Shekhovtsov, Symmetric Equilibrium Learning of VAEs, 2024.
    """

    def __init__(self, decoder, encoder, *, prior=None, name="pair", **kwargs):
        # Under mixed precision networks compute in halves, values and probabilities do not.
        super().__init__(name=name, dtype="float32", **kwargs)
        self.decoder, self.encoder, self.prior = decoder, encoder, prior
        self.families = encoder.families | decoder.families
        supplied = prior.names if prior is not None else ()
        drawn = (*decoder.names, *supplied)
        self.latent = tuple(name for name in drawn if name in encoder.names)
        self.observed = tuple(name for name in drawn if name not in encoder.names)
        self.context = tuple(name for name in self.families if name not in (*drawn, *encoder.names))
        self._check_players(drawn)
        encoder.bind(decoder)
        self.built = True

    def _check_players(self, drawn):
        if (self.decoder.name, self.encoder.name) != ("decoder", "encoder"):
            raise ValueError(
                "The players of a pair are named 'decoder' and 'encoder'; received "
                f"'{self.decoder.name}' and '{self.encoder.name}'."
            )
        for name in self.decoder.families.keys() & self.encoder.families.keys():
            p, q = self.decoder.families[name], self.encoder.families[name]
            if p != q:
                raise ValueError(f"The players disagree on '{name}': decoder {p!r}, encoder {q!r}.")
        stray = [name for name in self.encoder.names if name not in drawn]
        if stray:
            raise ValueError(
                f"The encoder draws {stray}, which the decoder does not. Add decoder factors for "
                "them or give the pair a prior that supplies them."
            )
        for index, factor in enumerate(self.encoder.factors):
            if not factor.tilt:
                continue
            if factor.name not in self.decoder.names:
                raise ValueError(f"Encoder factor '{factor.name}' tilts no decoder factor.")
            unknown = set(self.decoder.factor(factor.name).given) & set(self.encoder.names[index:])
            if unknown:
                raise ValueError(
                    f"Encoder factor '{factor.name}' tilts a decoder factor that reads "
                    f"{sorted(unknown)}, which the encoder draws only later."
                )

    @property
    def parts(self):
        """[("decoder/x", factor or trunk)] of both players: the owners of all weights."""
        return [
            (f"{player.name}/{part.name}", part)
            for player in (self.decoder, self.encoder)
            for part in (*player.factors, player.trunk)
            if part is not None
        ]

    def named(self, data):
        """Returns data as {name: array}: from an array x, a tuple (x, y) or such a dict.

        A tuple names the observed variables, then the context, then "y" where that is a variable;
        a tuple of one thing, as Keras hands it over, stands for that thing.

        Raises:
            ValueError: the data hold more than this pair has variables for.
        """
        if isinstance(data, (tuple, list)) and all(part is None for part in data[1:]):
            data = data[0]
        if isinstance(data, dict):
            values = dict(data)
        elif isinstance(data, (tuple, list)):
            names = list(dict.fromkeys((*self.observed, *self.context, "y")))
            if any(part is not None for part in data[len(names) :]):
                raise ValueError(
                    f"The data have {len(data)} parts, but at most {len(names)} are known: {names}."
                )
            parts = zip(names, data, strict=False)
            values = {name: part for name, part in parts if part is not None}
        else:
            values = {self.observed[0]: data}
        unknown = sorted(values.keys() - self.families.keys())
        if unknown:
            raise ValueError(
                f"The data hold {unknown}, which are no variables of this pair; its variables are "
                f"{sorted(self.families)}. Drop them, or pass a dict with the right names."
            )
        return values

    def values(self, data):
        """Returns data as {name: tensor} in the types of the variables."""
        named = self.named(data)
        return {name: tf.cast(value, self.families[name].dtype) for name, value in named.items()}

    def check(self, data):
        """Returns data as {name: np.ndarray}, or refuses what a variable cannot hold.

        Raises:
            ValueError: names the variable, what was received and what to do.
        """
        values = {name: np.asarray(value) for name, value in self.named(data).items()}
        lengths = {name: len(value) if value.ndim else 0 for name, value in values.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError(f"Variables need one common length above 0; received {lengths}.")
        for name, value in values.items():
            self.families[name].check(name, value)
        return values

    # Graph functions of tensors; `seed` is a stateless seed [2].

    def dream(self, size, *, seed, context=None, output="sample"):
        """Returns values that the decoder completed from nothing but the context."""
        values = dict(context or {})
        if self.prior is not None:
            values |= self.prior.sample(size, seed=seeds.fold(seed, 0))
        return self._decode(values, seed=seeds.fold(seed, 1), output=output, size=size)

    def encoded(self, values, *, seed):
        """Returns `values` without their latents, completed by the encoder."""
        return self.encoder.complete(_without(values, self.latent), seed=seed)

    def decoded(self, values, *, seed, output="sample"):
        """Returns `values` without what is observed, completed by the decoder."""
        return self._decode(_without(values, self.observed), seed=seed, output=output)

    def _decode(self, values, *, seed, output, size=None):
        """`output`: an observed variable is drawn ("sample"), or shown by its mean or mode."""

        def draw(name, family, eta, fork):
            if output == "sample" or name not in self.observed:
                return family.sample(eta, fork)
            return getattr(family, output)(eta)

        return self.decoder.walk(values, draw=draw, seed=seed, size=size)[0]

    def alternated(self, values, *, steps, seed):
        """Returns `values` after `steps` alternations z ~ q(z | x), x ~ p(x | z)."""
        values = {name: values[name] for name in (*self.observed, *self.context) if name in values}

        def turn(step, values):
            encoded = self.encoded(values, seed=seeds.fold(seed, step, 0))
            decoded = self.decoded(encoded, seed=seeds.fold(seed, step, 1))
            return step + 1, {name: decoded[name] for name in values}

        return tf.while_loop(lambda step, _: step < steps, turn, (0, values))[1]

    # The same questions for users: arrays in, arrays out, in batches.

    def generate(self, n, *, seed=0, context=None, output="sample"):
        """Draws n examples from the decoder, in one shot.

        Args:
            n: number of examples.
            seed: integer.
            context: {name: [n, ...]} of the context variables, if the pair has any.
            output: "sample", "mean" or "mode" of the observed variables.

        Returns:
            {name: np.ndarray [n, ...]} of all variables.
        """
        return self._ask("generate", context, n=n, seed=seed, output=output)

    def encode(self, data, *, seed=0):
        """Draws latents of data [n, ...] from the encoder; returns {name: [n, ...]}."""
        values = self._ask("encode", data, seed=seed)
        return {name: values[name] for name in self.latent}

    def decode(self, latents, *, seed=0, output="sample"):
        """Draws observed variables of latents {name: [n, ...]}; returns {name: [n, ...]}."""
        values = self._ask("decode", latents, seed=seed, output=output)
        return {name: values[name] for name in self.observed}

    def reconstruct(self, data, *, seed=0, output="mean"):
        """Encodes and decodes data [n, ...]; returns {name: [n, ...]} of observed variables."""
        values = self._ask("reconstruct", data, seed=seed, output=output)
        return {name: values[name] for name in self.observed}

    def limiting(self, n=None, *, steps, seed=0, start=None, context=None, output="sample"):
        """Draws from the chain that alternates z ~ q(z | x) and x ~ p(x | z).

        Args:
            n: number of chains; not needed where `start` or `context` is given.
            steps: number of alternations; the last x is drawn, or shown as `output` says.
            seed: integer.
            start: data {name: [n, ...]} or x [n, ...] to start from instead of dreams.
            context: as in `generate`.
            output: "sample", "mean" or "mode" of the observed variables.

        Returns:
            {name: np.ndarray [n, ...]} of all variables.
        """
        if start is not None:
            context = (context or {}) | self.named(start)
        return self._ask("limiting", context, n=n, steps=steps, seed=seed, output=output)

    def call(self, data):
        """Reconstructs data by the decoder's means; what `predict` returns."""
        return self.endpoints["reconstruct"](self.values(data), seed=0, output="mean")

    @functools.cached_property
    def endpoints(self):
        """{name: tf.function} of tensors and an integer seed, the ones that `export` saves."""
        return endpoints.functions(self)

    def _ask(self, question, data, **options):
        values = self.check(data) if data is not None and len(data) else {}
        return endpoints.ask(self, question, values, **options)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "decoder": serialize(self.decoder),
            "encoder": serialize(self.encoder),
            "prior": serialize(self.prior),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))


def _without(values, names):
    return {name: value for name, value in values.items() if name not in names}
