"""A pair: a decoder and an encoder over the same named variables."""

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data import sources
from keras_symvae.data.intake import checked, named, trainable, typed
from keras_symvae.model import questions as endpoints


@keras.saving.register_keras_serializable(package="keras_symvae")
class Pair(keras.Model, endpoints.Questions):
    """A decoder p and an encoder q: the players of every game of this library.

        p(x, z | context)    and    q(z | x, context)

    Variables that both players draw are latent (z), those of the decoder alone are observed (x),
    those of neither are context. Every method that draws takes an integer seed and returns the
    same NumPy arrays for the same seed; work is done in batches of bounded size.

    Args:
        decoder: the `Player` p.
        encoder: the `Player` q.
        prior: of variables that the decoder reads and does not draw, known only by samples: a
            `Source`, or what `sources.get` makes one of: an array, a `tf.data.Dataset`, a function,
            another trained pair.

    Reference: Flach, Schlesinger, Shekhovtsov, Symmetric Equilibrium Learning of VAEs, 2024.
    """

    def __init__(self, decoder, encoder, *, prior=None, name="pair", **kwargs):
        # Under mixed precision networks compute in halves, values and probabilities do not.
        super().__init__(name=name, dtype="float32", **kwargs)
        roots = [variable for variable in decoder.needed if variable in encoder.names]
        prior = sources.get(prior, names=roots)
        self.decoder, self.encoder, self.prior = decoder, encoder, prior
        self.families = encoder.families | decoder.families
        supplied = prior.names if prior is not None else ()
        drawn = (*decoder.names, *supplied)
        self.latent = tuple(name for name in drawn if name in encoder.names)
        self.observed = tuple(name for name in drawn if name not in encoder.names)
        self.context = tuple(name for name in self.families if name not in (*drawn, *encoder.names))
        self._check_prior(roots)
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

    def _check_prior(self, roots):
        if self.prior is None:
            return
        if set(self.prior.names) != set(roots):
            raise ValueError(
                f"The prior supplies {sorted(self.prior.names)}; it has to supply {sorted(roots)}, "
                "which the decoder reads and does not draw."
            )
        for name, value in self.prior.sample(2, seed=seeds.make(0)).items():
            self.families[name].check(name, np.asarray(value))

    @property
    def players(self):
        """{name: Player}."""
        return {player.name: player for player in (self.decoder, self.encoder)}

    @property
    def parts(self):
        """[("decoder/x", factor or trunk)] of both players: the owners of all weights."""
        return [
            (f"{player.name}/{part.name}", part)
            for player in (self.decoder, self.encoder)
            for part in (*player.factors, player.trunk)
            if part is not None
        ]

    @property
    def likelihoods(self):
        """{"decoder/x": Family} of the observed variables."""
        return {f"{self.decoder.name}/{name}": self.families[name] for name in self.observed}

    def values(self, data):
        """Returns data as {name: tensor}, see `values.typed`."""
        return typed(self, data)

    def check(self, data):
        """Returns data as {name: np.ndarray}, or refuses them, see `values.checked`."""
        return checked(self, data)

    def check_training(self, data, **options):
        """Returns data as {name: np.ndarray}, or refuses them, see `values.trainable`."""
        return trainable(self, data, **options)

    # Graph functions of tensors; `seed` is a stateless seed [2].

    def dream(self, size, *, seed, given=None, known=None, output="sample"):
        """Returns values that the decoder completed from what is given: context, some latents.

        `known` {name: bool [B]} are the examples in which it is given; None: in all.
        """
        values, known = dict(given or {}), known or {}
        if self.prior is not None:
            for name, value in self.prior.sample(size, seed=seeds.fold(seed, 0)).items():
                if name in values and name in known:
                    values[name] = self.families[name].merged(known[name], values[name], value)
                values.setdefault(name, value)
        options = {"seed": seeds.fold(seed, 1), "output": output, "size": size}
        return self._decode(values, known=known, **options)

    def dreamt(self, known):
        """Returns {name: bool [B]}: the examples that have a value in a dream.

        Args:
            known: {name: bool [B]} of all variables: those in which it is given.
        """
        supplied = self.prior.names if self.prior is not None else ()
        known = known | {name: tf.ones_like(known[name]) for name in supplied}
        return self.decoder.reached(known)

    def encoded(self, values, *, seed):
        """Returns `values` with the latents that they lack drawn by the encoder."""
        return self.encoder.complete(values, seed=seed)

    def decoded(self, values, *, seed, output="sample"):
        """Returns `values` without what is observed, completed by the decoder."""
        kept = {name: value for name, value in values.items() if name not in self.observed}
        return self._decode(kept, seed=seed, output=output)

    def _decode(self, values, *, seed, output, size=None, known=None):
        """`output`: an observed variable is drawn ("sample"), or shown by its mean or mode."""

        def draw(name, family, eta, fork):
            if output == "sample" or name not in self.observed:
                return family.sample(eta, fork)
            return getattr(family, output)(eta)

        return self.decoder.walk(values, draw=draw, seed=seed, size=size, known=known)[0]

    def alternated(self, values, *, steps, seed):
        """Returns `values` after `steps` alternations z ~ q(z | x), x ~ p(x | z)."""
        values = {name: values[name] for name in (*self.observed, *self.context) if name in values}

        def turn(step, values):
            encoded = self.encoded(values, seed=seeds.fold(seed, step, 0))
            decoded = self.decoded(encoded, seed=seeds.fold(seed, step, 1))
            return step + 1, {name: decoded[name] for name in values}

        return tf.while_loop(lambda step, _: step < steps, turn, (0, values))[1]

    # The same questions for users: arrays in, arrays out, in batches.

    def generate(self, n=None, *, seed=0, output="sample", **given):
        """Draws n examples from the decoder, in one shot.

        Args:
            n: number of examples; not needed where something is given.
            seed: integer.
            output: "sample", "mean" or "mode" of the observed variables.
            given: arrays [n, ...] of the context, if the pair has any, and of latents to keep.

        Returns:
            {name: np.ndarray [n, ...]} of all variables.
        """
        return self.ask("generate", given, n=n, seed=seed, output=output)

    def encode(self, data, *, seed=0):
        """Draws latents of data [n, ...] from the encoder; returns {name: [n, ...]}.

        Latents that the data hold, such as labels, are kept.
        """
        values = self.ask("encode", data, seed=seed)
        return {name: values[name] for name in self.latent}

    def decode(self, latents, *, seed=0, output="sample"):
        """Draws observed variables of latents {name: [n, ...]}; returns {name: [n, ...]}."""
        values = self.ask("decode", latents, seed=seed, output=output)
        return {name: values[name] for name in self.observed}

    def reconstruct(self, data, *, seed=0, output="mean"):
        """Encodes and decodes data [n, ...]; returns {name: [n, ...]} of observed variables.

        Latents that the data hold, such as labels, are kept.
        """
        values = self.ask("reconstruct", data, seed=seed, output=output)
        return {name: values[name] for name in self.observed}

    def limiting(self, n=None, *, steps, seed=0, start=None, output="sample", **context):
        """Draws from the chain that alternates z ~ q(z | x) and x ~ p(x | z).

        Args:
            n: number of chains; not needed where `start` or context is given.
            steps: number of alternations; the last x is drawn, or shown as `output` says.
            seed: integer.
            start: data {name: [n, ...]} or x [n, ...] to start from instead of dreams.
            output: "sample", "mean" or "mode" of the observed variables.
            context: arrays [n, ...] of the context, if the pair has any.

        Returns:
            {name: np.ndarray [n, ...]} of all variables.
        """
        if steps < 1:
            raise ValueError(f"limiting needs steps >= 1; received {steps!r}.")
        if start is not None:
            context |= named(self, start)
        return self.ask("limiting", context, n=n, steps=steps, seed=seed, output=output)

    def call(self, data):
        """Reconstructs data by the decoder's means; what `predict` returns."""
        return self.endpoints["reconstruct"](self.values(data), seed=0, output="mean")

    def common_endpoints(self):
        return endpoints.of(self)

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
