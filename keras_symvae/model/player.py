"""A player: an ordered product of factors over named variables."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.config import Configured
from keras_symvae.data.batch import Batch, Mask, all_of, any_of, of_values
from keras_symvae.families import Family
from keras_symvae.model.factors import Conditional, Factor
from keras_symvae.model.reading import Reading
from keras_symvae.model.trunks import Trunk
from keras_symvae.shapes import shaped

Values = Mapping[str, tf.Tensor]
Eta = Any  # natural parameters: a tensor or a tuple of tensors [B, ...]
Draw = Callable[[str, Family, Eta, tf.Tensor], tf.Tensor]


@keras.saving.register_keras_serializable(package="keras_symvae")
class Player(Configured, keras.Layer):
    """An ordered product of conditionals over named variables.

        p(values) = prod_t p(value_t | given_t)

    Values are dicts {name: [B, ...]}, or a `Batch` where some examples lack some of them. A name
    that no factor draws is context: it has to be given.

    Args:
        factors: list of `Factor` and `ImplicitFactor`, every one after those it is given.
        families: {name: Family} of all variables that are drawn or read.
        trunk: optional `Trunk`, whose activations the factors may read.
        name: "decoder" or "encoder" in a pair; it prefixes the names of weights and metrics.

    Raises:
        ValueError: the factors do not form such a product; says which one and why.
    """

    def __init__(
        self,
        factors: Sequence[Conditional],
        *,
        families: Mapping[str, Family],
        trunk: Trunk | None = None,
        name: str = "player",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not isinstance(factors, (tuple, list)):
            raise ValueError(f"factors is a list of factors; received {arguments.told(factors)}.")
        self.families = arguments.table("families", families)
        for variable, family in self.families.items():
            arguments.instance(f"families['{variable}']", family, Family)
        self.factors = [arguments.instance("Each of factors", f, Conditional) for f in factors]
        if trunk is not None:
            arguments.instance("trunk", trunk, Trunk)
        self.trunk = trunk
        self.names = tuple(factor.name for factor in self.factors)
        self._base: Callable[[], Any] = lambda: (
            None
        )  # behind a function, so that Keras does not track it here too
        self._check_order()
        shapes = {name: family.feature_shape for name, family in self.families.items()}
        with keras.name_scope(self.name):
            if trunk is not None:
                self._check_known(trunk, shapes)
                with keras.name_scope(trunk.name):
                    shapes |= trunk.bind(shapes)
            for factor in self.factors:
                self._check_known(factor, shapes)
                with keras.name_scope(factor.name):
                    factor.bind(self.families[factor.name], shapes)
        self.built = True

    def _check_known(self, part: Conditional | Trunk, shapes: Mapping[str, Any]) -> None:
        unknown = [name for name in part.given if name not in shapes]
        if unknown:
            raise ValueError(
                f"{self.name} '{part.name}' reads {unknown}, which are neither variables nor "
                f"activations; known are {sorted(shapes)}."
            )

    def _check_order(self) -> None:
        if not self.factors:
            raise ValueError(f"{self.name} has no factors.")
        for index, name in enumerate(self.names):
            if name not in self.families:
                raise ValueError(f"{self.name} factor '{name}' has no family in `families`.")
            later = set(self.names[index:]) & set(self.factors[index].given)
            if later:
                raise ValueError(
                    f"{self.name} factor '{name}' reads {sorted(later)}, drawn only after it; "
                    "put it behind them."
                )
            if name in self.names[:index]:
                raise ValueError(f"{self.name} has two factors that draw '{name}'.")
        drawn = set(self.names) & set(self.trunk.given if self.trunk else ())
        if drawn:
            raise ValueError(f"The trunk of {self.name} reads {sorted(drawn)}, which it draws.")

    def bind(self, base: "Player") -> None:
        """Names the player whose natural parameters tilted factors add; its owner keeps it."""
        self._base = lambda: base

    def factor(self, name: str) -> Conditional:
        """Returns the factor that draws `name`."""
        return self.factors[self.names.index(name)]

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the variables that this player reads and does not draw."""
        parts = [*self.factors] if self.trunk is None else [self.trunk, *self.factors]
        names = dict.fromkeys(name for part in parts for name in part.given)
        return tuple(n for n in names if n in self.families and n not in self.names)

    def parents(self, name: str) -> tuple[str, ...]:
        """Returns the variables that the factor of `name` reads, through trunk and tilt as well."""
        factor = self.factor(name)
        names: dict[str, None] = {}
        for given in factor.given:
            if given in self.families:
                names[given] = None
            elif self.trunk is not None:
                names |= dict.fromkeys(self.trunk.given)
        if factor.tilt:
            names |= dict.fromkeys(self._base().parents(name))
        return tuple(names)

    def walk(
        self,
        values: Values,
        *,
        draw: Draw | None = None,
        seed: Any = None,
        size: int | tf.Tensor | None = None,
        names: Collection[str] | None = None,
        reading: Reading | None = None,
    ) -> tuple[Batch, dict[str, Eta]]:
        """Goes through the factors in order and returns (batch, {name: eta}).

        What some example lacks is drawn. A value that was drawn is known in the examples that know
        everything it was drawn from; in the others it is without meaning.

        Args:
            values: what is observed, {name: [B, ...]} or a `Batch`; it is kept.
            draw: `draw(name, family, eta, seed)` -> value. None: nothing is drawn, and factors of
                variables that are not observed are left out.
            seed: stateless seed [2]; every factor draws from its own fold of it.
            size: B, where `values` is empty.
            names: variables to draw; None: all.
            reading: what `read` said of some of the values, which is then not read again.

        Raises:
            ValueError: a factor reads something that is neither observed nor drawn before it.
        """
        batch = of_values(values, size=size)
        found, known, size = dict(batch), {name: batch.known(name) for name in batch}, batch.size
        reads, naturals = self._reads(found, reading), {}
        common = {} if reading is None else reading.naturals
        for index, factor in enumerate(self.factors):
            name = factor.name
            mask = known.get(name, False)
            drawing = draw is not None and mask is not True and (names is None or name in names)
            if not drawing and (mask is False or names is not None):
                continue
            self._check_reads(factor, reads)
            if isinstance(factor, Factor):
                naturals[name] = (
                    common[name] if name in common else self._natural(factor, reads, size)
                )
            if draw is not None and drawing:
                fork = seeds.fold(seed, index)
                if isinstance(factor, Factor):
                    drawn = draw(name, factor.family, naturals[name], fork)
                else:
                    drawn = factor.rsample(reads, size, fork)
                if mask is not False:
                    drawn = factor.family.merged(mask, found[name], drawn)
                from_known = all_of(known[parent] for parent in self.parents(name))
                found[name], known[name] = drawn, any_of([mask, from_known])
                reads[name] = factor.family.features(drawn)
        return Batch(found, known=known, size=size), naturals

    def read(self, values: Values) -> Reading:
        """Returns what the networks make of the values before anything is drawn.

        Of a variable that this player draws only values count that every example knows.
        """
        batch = of_values(values)
        settled = [n for n in batch if n not in self.names or batch.known(n) is True]
        reads = self._reads({name: batch[name] for name in settled})
        naturals = {
            factor.name: self._natural(factor, reads, batch.size)
            for factor in self.factors
            if isinstance(factor, Factor) and self._reads_of(factor) <= reads.keys()
        }
        return Reading(reads, naturals)

    def _reads_of(self, factor: Factor) -> set[str]:
        """Returns the names of all that the natural parameters of a factor depend on."""
        base = self._base().factor(factor.name).given if factor.tilt else ()
        return {*factor.given, *base}

    def _reads(self, values: Values, reading: Reading | None = None) -> dict[str, tf.Tensor]:
        """Returns what factors read: features of the values, and the trunk's activations."""
        reads = {} if reading is None else dict(reading.reads)
        for name, value in values.items():
            if name not in reads:
                reads[name] = self.families[name].features(value)
        if self.trunk is not None and reading is None:
            self._check_reads(self.trunk, reads)
            reads |= self.trunk.activations(reads)
        return reads

    def _check_reads(self, part: Conditional | Trunk, reads: Mapping[str, Any]) -> None:
        absent = [name for name in part.given if name not in reads]
        if absent:
            raise ValueError(
                f"{self.name} '{part.name}' reads {absent}, which the values lack; they hold "
                f"{sorted(reads)}."
            )

    def _natural(self, factor: Factor, reads: Values, size: int | tf.Tensor) -> Eta:
        """Returns eta of one factor, tilt included."""
        eta = factor.natural(reads, size)
        if factor.tilt:
            base = self._base()
            added = base._natural(base.factor(factor.name), reads, size)
            eta = tf.nest.map_structure(tf.add, eta, added)
        return eta

    @shaped(values="{name: [B, ...]}", returns="[B, ...]")
    def eta(self, name: str, values: Values, *, size: int | tf.Tensor | None = None) -> Eta:
        """Returns the natural parameters of the factor of `name`, given what it reads.

        Args:
            name: a variable that this player draws from a density.
            values: {name: [B, ...]} with all that the factor reads.
            size: B, where `values` is empty.
        """
        batch, factor = of_values(values, size=size), self.factor(name)
        reads = self._reads(batch)
        self._check_reads(factor, reads)
        return self._natural(factor, reads, batch.size)

    @shaped(values="{name: [B, ...]}", seed="[2]", returns="([B, ...], [B, ...])")
    def moments(
        self, name: str, values: Values, *, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor] | None:
        """Returns the mean and variance of `name` given what its factor reads, [B, ...] each.

        None, where the factor is implicit and its network does not tell them.

        Args:
            name: a variable that this player draws.
            values: {name: [B, ...]} with all that the factor reads.
            seed: as in `complete`, whose noise an implicit factor takes.
        """
        factor = self.factor(name)
        if isinstance(factor, Factor):
            density = factor.family.distribution(self.eta(name, values))
            return density.mean(), density.variance()
        batch = of_values(values)
        fork = seeds.fold(seed, self.names.index(name))
        return factor.moments(self._reads(batch), batch.size, fork)

    @shaped(values="{name: [B, ...]}", seed="[2]", size="[]", returns="{name: [B, ...]}")
    def complete(
        self,
        values: Values,
        *,
        seed: tf.Tensor,
        size: int | tf.Tensor | None = None,
        names: Collection[str] | None = None,
    ) -> Batch:
        """Returns `values` with everything missing drawn; draws are constants to any tape.

        Args:
            values, size, names: as in `walk`.
            seed: stateless seed [2].
        """
        batch, _ = self.walk(values, draw=sampled, seed=seed, size=size, names=names)
        return batch.stopped()

    @shaped(
        values="{name: [B, ...]}",
        seed="[2]",
        size="[]",
        returns="({name: [B, ...]}, {name: [B, ...]})",
    )
    def rcomplete(
        self,
        values: Values,
        *,
        seed: tf.Tensor,
        size: int | tf.Tensor | None = None,
        estimator: str | None = None,
    ) -> tuple[Batch, dict[str, Eta]]:
        """Returns (values, {name: eta}) with differentiable draws.

        Discrete variables are drawn with the gradient estimator of this name.
        """

        def draw(name: str, family: Family, eta: Eta, fork: tf.Tensor) -> tf.Tensor:
            return family.rsample(eta, fork, estimator=estimator)

        return self.walk(values, draw=draw, seed=seed, size=size)

    @shaped(values="{name: [B, ...]}", returns="{name: [B]}")
    def log_prob(self, values: Values, *, reading: Reading | None = None) -> dict[str, tf.Tensor]:
        """Returns {name: log p(name | given) [B]} in nats for every factor whose value is given.

        Args:
            values: {name: [B, ...]}.
            reading: as in `walk`.
        """
        _, naturals = self.walk(values, reading=reading)
        return {
            name: self.families[name].log_prob(eta, values[name]) for name, eta in naturals.items()
        }

    def knowable(self, batch: Batch) -> dict[str, Mask]:
        """Returns {name: Mask}: the examples that know a value once all that lacks was drawn."""
        known = {name: batch.known(name) for name in batch}
        for name in self.names:
            drawn = all_of(known.get(parent, False) for parent in self.parents(name))
            known[name] = any_of([known.get(name, False), drawn])
        return {name: known[name] for name in self.names}

    def completed(self, batch: Batch, values: Values) -> Batch:
        """Returns a batch with values {name: [B, ...]} that this player drew for what it lacks."""
        known = {name: batch.known(name) for name in batch}
        knowable = self.knowable(batch)
        return Batch({**batch, **values}, known=known | {name: knowable[name] for name in values})

    def scored(self, batch: Batch) -> dict[str, Mask]:
        """Returns {name: Mask}: the examples that know a factor's value and all that it reads."""
        return {
            name: all_of(batch.known(known) for known in (name, *self.parents(name)))
            for name in self.names
        }

    def scorable(self, batch: Batch) -> Batch:
        """Returns the batch without drawn variables whose factors read something it lacks."""
        drawn = self.scored(batch)
        kept = {name: batch.known(name) for name in batch if name not in self.names}
        return batch.where(
            kept | {name: batch.known(name) for name in drawn if drawn[name] is not False}
        )


def sampled(name: str, family: Family, eta: Eta, seed: tf.Tensor) -> tf.Tensor:
    """Draws a value as a constant: the `draw` of a walk that asks for samples."""
    del name
    return family.sample(eta, seed)
