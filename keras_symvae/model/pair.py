"""A pair: a decoder and an encoder over the same named variables."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments, former, seeds
from keras_symvae.data import intake, sources
from keras_symvae.data.batch import Batch
from keras_symvae.data.variables import Variables
from keras_symvae.families import Family
from keras_symvae.model.chain import Chain
from keras_symvae.model.model import Model
from keras_symvae.model.player import Player
from keras_symvae.model.questions import Endpoint


@keras.saving.register_keras_serializable(package="keras_symvae")
class Pair(Model):
    """A decoder p and an encoder q: the players of every game of this library.

        p(x, z | context)    and    q(z | x, context)

    Variables that both players draw are latent (z), those of the decoder alone are observed (x),
    those of neither are context. Every method that draws takes an integer seed and returns the
    same NumPy arrays for the same seed; work is done in batches of bounded size. `chain` has the
    same questions as graph functions of tensors.

    Args:
        decoder: the `Player` p.
        encoder: the `Player` q.
        prior: of variables that the decoder reads and does not draw, known only by samples: a
            `Source`, or what `sources.get` makes one of: an array, a `tf.data.Dataset`, a function,
            another trained pair.

    Raises:
        ValueError: the players do not form a pair; says why.

    Reference: Flach, Schlesinger, Shekhovtsov, Symmetric Equilibrium Learning of VAEs, 2024.
    """

    def __init__(
        self,
        decoder: Player,
        encoder: Player,
        *,
        prior: Any = None,
        name: str = "pair",
        **kwargs: Any,
    ) -> None:
        # Under mixed precision networks compute in halves, values and probabilities do not.
        super().__init__(name=name, dtype="float32", **kwargs)
        arguments.instance("decoder", decoder, Player)
        arguments.instance("encoder", encoder, Player)
        roots = [variable for variable in decoder.needed if variable in encoder.names]
        self.decoder, self.encoder = decoder, encoder
        self.prior = sources.get(prior, names=roots)
        self.families = encoder.families | decoder.families
        supplied = self.prior.names if self.prior is not None else ()
        drawn = (*decoder.names, *supplied)
        self.latent = tuple(name for name in drawn if name in encoder.names)
        self.observed = tuple(name for name in drawn if name not in encoder.names)
        self.context = tuple(name for name in self.families if name not in (*drawn, *encoder.names))
        self._check_prior(roots)
        self._check_players(drawn)
        self.chain = Chain(decoder, encoder, prior=self.prior, variables=self.schema)
        encoder.bind(decoder)
        self.built = True

    @property
    def schema(self) -> Variables:
        """The variables of both players."""
        return Variables(
            families=self.families,
            observed=self.observed,
            latent=self.latent,
            context=self.context,
            read=self.encoder.needed,
            # A method of architectures that know data of a form of their own.
            translated=getattr(self, "translated", None),
        )

    def _check_players(self, drawn: Sequence[str]) -> None:
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

    def _check_prior(self, roots: Sequence[str]) -> None:
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
    def players(self) -> dict[str, Player]:
        """{"decoder": Player, "encoder": Player}."""
        return {player.name: player for player in (self.decoder, self.encoder)}

    @property
    def parts(self) -> list[tuple[str, keras.Layer]]:
        """[("decoder/x", factor or trunk)] of both players: the owners of all weights."""
        return [
            (f"{player.name}/{part.name}", part)
            for player in (self.decoder, self.encoder)
            for part in (*player.factors, player.trunk)
            if part is not None
        ]

    @property
    def likelihoods(self) -> dict[str, Family]:
        """{"decoder/x": Family} of the observed variables."""
        return {f"{self.decoder.name}/{name}": self.families[name] for name in self.observed}

    def single(self, question: str) -> Self:
        """Returns itself: a pair answers every question."""
        return self

    def named(self, data: Any) -> dict[str, Any]:
        """Returns data as {name: value}, see `Variables.named`."""
        return self.schema.named(data)

    def schemas(self, named: dict[str, Any]) -> list[tuple[Variables, dict[str, Any]]]:
        """Returns the variables and the named data."""
        return [(self.schema, named)]

    def batch(self, data: Any, *, lacking: Collection[str] = ()) -> Batch:
        """Returns data as the `Batch` of a step, see `Model.batch`."""
        return Batch.of(self.schema, self.schema.typed(data), lacking=lacking)

    def check_training(
        self, data: Any, *, may_lack: Collection[str], full: bool, learner: str
    ) -> intake.Arrays:
        """Returns data as {name: np.ndarray}, or refuses them, see `intake.trainable`."""
        options = {"may_lack": may_lack, "full": full, "learner": learner}
        return intake.trainable(self.schema, data, **options)

    def lacking(self, arrays: Mapping[str, Any]) -> frozenset[str]:
        """Returns the names of the variables that some example lacks."""
        return intake.lacking(self.families, arrays)

    def generate(
        self, n: int | None = None, *, seed: int = 0, output: str = "sample", **given: Any
    ) -> intake.Arrays:
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

    def encode(self, data: Any, *, seed: int = 0) -> intake.Arrays:
        """Draws latents of data [n, ...] from the encoder; returns {name: [n, ...]}.

        Latents that the data hold, such as labels, are kept.
        """
        values = self.ask("encode", data, seed=seed)
        return {name: values[name] for name in self.latent}

    def decode(self, latents: Any, *, seed: int = 0, output: str = "sample") -> intake.Arrays:
        """Draws observed variables of latents {name: [n, ...]}; returns {name: [n, ...]}."""
        values = self.ask("decode", latents, seed=seed, output=output)
        return {name: values[name] for name in self.observed}

    def reconstruct(self, data: Any, *, seed: int = 0, output: str = "mean") -> intake.Arrays:
        """Encodes and decodes data [n, ...]; returns {name: [n, ...]} of observed variables.

        Latents that the data hold, such as labels, are kept.
        """
        values = self.ask("reconstruct", data, seed=seed, output=output)
        return {name: values[name] for name in self.observed}

    def limiting(
        self,
        n: int | None = None,
        *,
        steps: int,
        seed: int = 0,
        start: Any = None,
        output: str = "sample",
        **context: Any,
    ) -> intake.Arrays:
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
        steps = arguments.integer("steps", steps, least=1, says="limiting needs steps >= 1")
        if start is not None:
            context |= self.schema.named(start)
        return self.ask("limiting", context, n=n, steps=steps, seed=seed, output=output)

    def call(self, data: Any) -> dict[str, tf.Tensor]:
        """Reconstructs tensors by the decoder's means, with the draws of seed 0."""
        return self.endpoints["reconstruct"](self.schema.typed(data), seed=0, output="mean")

    def _predicted(self, data: Any) -> intake.Arrays:
        return self.ask("reconstruct", data, seed=0, output="mean")

    def common_endpoints(self) -> dict[str, Endpoint]:
        """The five questions that every pair answers."""
        chain, observed = self.chain, set(self.observed)

        def generate(values, *, n, seed, output):
            return chain.dream(n, seed=seeds.make(seed), given=values, output=output)

        def encode(values, *, seed):
            return chain.encode(values, seed=seeds.make(seed))

        def decode(values, *, seed, output):
            return chain.decode(values, seed=seeds.make(seed), output=output)

        def reconstruct(values, *, seed, output):
            encoded = chain.encode(values, seed=seeds.fold(seeds.make(seed), 0))
            return chain.decode(encoded, seed=seeds.fold(seeds.make(seed), 1), output=output)

        def limiting(values, *, n, steps, seed, output):
            root = seeds.make(seed)
            if not observed <= values.keys():
                values = chain.dream(n, seed=seeds.fold(root, 0), given=values)
            # The last alternation stands apart, because only its x is shown as `output` says.
            values = chain.alternate(values, steps=steps - 1, seed=seeds.fold(root, 1))
            encoded = chain.encode(values, seed=seeds.fold(root, 2))
            return chain.decode(encoded, seed=seeds.fold(root, 3), output=output)

        data, latents = (*self.observed, *self.context), (*self.latent, *self.context)
        chains = ("n", "steps", "seed")
        return {
            "generate": Endpoint(generate, variables=self.context, integers=("n", "seed")),
            "encode": Endpoint(encode, variables=data),
            "decode": Endpoint(decode, variables=latents),
            "reconstruct": Endpoint(reconstruct, variables=data),
            "limiting": Endpoint(limiting, variables=self.context, integers=chains),
        }

    dream = former.method("dream", now="chain.dream")
    encoded = former.method("encoded", now="chain.encode")
    decoded = former.method("decoded", now="chain.decode")
    alternated = former.method("alternated", now="chain.alternate")
