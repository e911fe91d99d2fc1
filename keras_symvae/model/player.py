"""A player: an ordered product of factors over named variables."""

import functools

import keras
import tensorflow as tf

from keras_symvae import seeds


@keras.saving.register_keras_serializable(package="keras_symvae")
class Player(keras.Layer):
    """An ordered product of conditionals over named variables.

        p(values) = prod_t p(value_t | given_t)

    Values are dicts {name: [B, ...]}. A name that no factor draws is context: it has to be given.

    Args:
        factors: list of `Factor` and `ImplicitFactor`, every one after those it is given.
        families: {name: Family} of all variables that are drawn or read.
        trunk: optional `Trunk`, whose activations the factors may read.
        name: "decoder" or "encoder" in a pair; it prefixes the names of weights and metrics.
    """

    def __init__(self, factors, *, families, trunk=None, name="player", **kwargs):
        super().__init__(name=name, **kwargs)
        self.families = dict(families)
        self.factors = list(factors)
        self.trunk = trunk
        self.names = tuple(factor.name for factor in self.factors)
        self._base = lambda: None  # behind a function, so that Keras does not track it here too
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

    def _check_known(self, part, shapes):
        unknown = [name for name in part.given if name not in shapes]
        if unknown:
            raise ValueError(
                f"{self.name} '{part.name}' reads {unknown}, which are neither variables nor "
                f"activations; known are {sorted(shapes)}."
            )

    def _check_order(self):
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

    def bind(self, base):
        """Names the player whose natural parameters tilted factors add; its owner keeps it."""
        self._base = lambda: base

    def factor(self, name):
        """Returns the factor that draws `name`."""
        return self.factors[self.names.index(name)]

    @property
    def needed(self):
        """Names of the variables that this player reads and does not draw."""
        parts = [*self.factors] if self.trunk is None else [self.trunk, *self.factors]
        names = dict.fromkeys(name for part in parts for name in part.given)
        return tuple(n for n in names if n in self.families and n not in self.names)

    def require_density(self, asker):
        """Refuses, in the name of who asks, a player with a factor that has no log-density."""
        for factor in self.factors:
            if not factor.has_density:
                other = "WAE or FGAN" if self.name == "decoder" else "AVB or WAE"
                raise ValueError(
                    f"{asker} needs a log-density of every factor, but {self.name} factor "
                    f"'{factor.name}' is implicit; use {other}, or give it a family (Factor)."
                )

    def natural(self, name, reads, size):
        """Returns eta of one factor, tilt included, from `reads`, features and activations."""
        factor = self.factor(name)
        eta = factor.natural(reads, size)
        if factor.tilt:
            base = self._base().natural(name, reads, size)
            eta = tf.nest.map_structure(tf.add, eta, base)
        return eta

    def parents(self, name):
        """Returns the set of variables that the factor of `name` reads, through trunk and tilt."""
        factor = self.factor(name)
        names = set()
        for given in factor.given:
            names |= {given} if given in self.families else set(self.trunk.given)
        return names | (self._base().parents(name) if factor.tilt else set())

    def reached(self, known):
        """Returns {name: bool [B]}: the examples that have a value once they are completed.

        Args:
            known: {name: bool [B]} of all variables: the examples that have it before.
        """
        known = dict(known)
        for name in self.names:
            drawn = [known[parent] for parent in self.parents(name)]
            known[name] |= functools.reduce(tf.logical_and, drawn, tf.ones_like(known[name]))
        return known

    def scored(self, known):
        """Returns {name: bool [B]}: the examples where a factor's value and all it reads is known.

        Args:
            known: as in `reached`.
        """
        return {
            name: functools.reduce(
                tf.logical_and, [known[parent] for parent in self.parents(name)], known[name]
            )
            for name in self.names
        }

    def scorable(self, values):
        """Returns `values` without the drawn variables whose factors read a name that is absent."""
        kept = {name: value for name, value in values.items() if name not in self.names}
        for name in self.names:
            if name in values and self.parents(name) <= kept.keys():
                kept[name] = values[name]
        return kept

    def walk(self, values, *, size=None, draw=None, seed=None, known=None, only=None):
        """Goes through the factors in order and returns (values, {name: eta}).

        Args:
            values: what is observed, {name: [B, ...]}; it is kept.
            size: B, where `values` is empty.
            draw: `draw(name, family, eta, seed)` -> value for what is not observed. None: factors
                of unobserved variables are left out.
            seed: stateless seed [2]; every factor draws from its own fold of it.
            known: {name: bool [B]}, if `values` hold neutral values in some examples: these are
                drawn as well. Examples that lack a parent come out as nonsense, see `reached`.
            only: names of the factors to go through; None: all.
        """
        known = known or {}
        values, naturals = dict(values), {}
        if values:
            size = tf.shape(next(iter(values.values())))[0]
        reads = {name: self.families[name].features(value) for name, value in values.items()}
        if self.trunk is not None:
            self._check_reads(self.trunk, reads)
            reads |= self.trunk.activations(reads)
        for index, factor in enumerate(self.factors):
            name = factor.name
            if (name not in values and draw is None) or (only is not None and name not in only):
                continue
            self._check_reads(factor, reads)
            if factor.has_density:
                naturals[name] = self.natural(name, reads, size)
            if draw is not None and (name not in values or name in known):
                fork = seeds.fold(seed, index)
                if factor.has_density:
                    drawn = draw(name, factor.family, naturals[name], fork)
                else:
                    drawn = factor.rsample(reads, size, fork)
                if name in values:
                    drawn = factor.family.merged(known[name], values[name], drawn)
                values[name] = drawn
                reads[name] = factor.family.features(drawn)
        return values, naturals

    def _check_reads(self, part, reads):
        absent = [name for name in part.given if name not in reads]
        if absent:
            raise ValueError(
                f"{self.name} '{part.name}' reads {absent}, which the values lack; they hold "
                f"{sorted(reads)}."
            )

    def complete(self, values, *, seed, size=None, known=None, only=None):
        """Returns `values` with everything missing drawn; draws are constants to any tape."""

        def draw(name, family, eta, fork):
            return family.sample(eta, fork)

        options = {"size": size, "seed": seed, "known": known, "only": only}
        values, _ = self.walk(values, draw=draw, **options)
        return {name: tf.stop_gradient(value) for name, value in values.items()}

    def rcomplete(self, values, *, seed, size=None, estimator=None, known=None):
        """Returns (values, {name: eta}) with differentiable draws.

        Discrete variables are drawn with the gradient estimator of this name.
        """

        def draw(name, family, eta, fork):
            return family.rsample(eta, fork, estimator=estimator)

        return self.walk(values, size=size, draw=draw, seed=seed, known=known)

    def log_prob(self, values):
        """Returns {name: log p(name | given) [B]} in nats for every factor whose value is given."""
        _, naturals = self.walk(values)
        return {
            name: self.families[name].log_prob(eta, values[name]) for name, eta in naturals.items()
        }

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "factors": [serialize(factor) for factor in self.factors],
            "families": {name: serialize(family) for name, family in self.families.items()},
            "trunk": serialize(self.trunk),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))
