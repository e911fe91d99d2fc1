"""Requirements: what a game asks of a pair, as data."""

import abc
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from keras_symvae.families import Categorical, Normal
from keras_symvae.model.factors import Factor
from keras_symvae.model.model import Model
from keras_symvae.model.pair import Pair
from keras_symvae.model.team import Team

LATENT, DECODED, ALL = "latent", "decoded", "all"


@dataclasses.dataclass(frozen=True)
class Requirement(abc.ABC):
    """One thing that a game, or a measurement, asks of a pair or a team."""

    @abc.abstractmethod
    def faults(self, model: Any) -> Iterator[str]:
        """Yields what is wrong, as a sentence that begins after the name of who asks."""


def refusal(model: Any, requirements: Iterable[Requirement], *, asker: str) -> str | None:
    """Returns why who asks refuses a model, in a sentence; None where all requirements are met."""
    for requirement in requirements:
        fault = next(requirement.faults(model), None)
        if fault is not None:
            return f"{asker} {fault}"
    return None


def check(model: Any, requirements: Iterable[Requirement], *, asker: str) -> None:
    """Refuses, in the name of who asks, a model that does not meet the requirements.

    Raises:
        ValueError: says what is wrong and what to do.
    """
    reason = refusal(model, requirements, asker=asker)
    if reason is not None:
        raise ValueError(reason)


@dataclasses.dataclass(frozen=True)
class IsPair(Requirement):
    """One pair and not several."""

    def faults(self, model: Any) -> Iterator[str]:
        if not isinstance(model, Pair):
            remedy = "use Cooperative, or one of its members" if isinstance(model, Team) else ""
            yield f"trains a Pair; received {type(model).__name__}{'; ' if remedy else ''}{remedy}."


@dataclasses.dataclass(frozen=True)
class IsTeam(Requirement):
    """Several pairs."""

    def faults(self, model: Any) -> Iterator[str]:
        if not isinstance(model, Team):
            yield f"trains a Team of pairs; received {type(model).__name__}."


@dataclasses.dataclass(frozen=True)
class Densities(Requirement):
    """A log-density of every factor of a player; None: of all players."""

    player: str | None = None
    why: str = ""

    def faults(self, model: Model) -> Iterator[str]:
        players = model.players.values() if self.player is None else [model.players[self.player]]
        for player in players:
            for factor in player.factors:
                if not factor.has_density:
                    other = "WAE or FGAN" if player.name == "decoder" else "AVB or WAE"
                    yield (
                        f"{self.why}needs a log-density of every factor, but {player.name} factor "
                        f"'{factor.name}' is implicit; use {other}, or give it a family (Factor)."
                    )


@dataclasses.dataclass(frozen=True)
class PriorDensity(Requirement):
    """A prior that is not known by samples alone."""

    remedy: str = "use SymmetricEquilibrium"

    def faults(self, model: Pair) -> Iterator[str]:
        if model.prior is not None:
            yield (
                "needs log p(z), but the prior of this pair is known only by samples; "
                f"{self.remedy}."
            )


@dataclasses.dataclass(frozen=True)
class Gradients(Requirement):
    """A gradient through draws of some variables, of discrete ones by an estimator or not at all.

    Args:
        of: "latent", "decoded" (what the decoder draws) or "all".
        estimated: whether an estimator's gradient is enough.
    """

    of: str = LATENT
    estimated: bool = False

    def faults(self, model: Pair) -> Iterator[str]:
        if self.estimated:
            drawn = {name: model.families[name] for name in self._names(model)}
            other = "use SymmetricEquilibrium"
        else:
            drawn = {
                factor.name: factor.family
                for player in model.players.values()
                for factor in player.factors
                if factor.name in self._names(model) and isinstance(factor, Factor)
            }
            other = "use SymmetricEquilibrium, or a Normal variable"
        for name, family in drawn.items():
            if not family.reparametrised or (family.discrete and not self.estimated):
                yield (
                    f"needs a gradient through draws of '{name}', which {family!r} does not give; "
                    f"{other}."
                )

    def _names(self, model: Pair) -> tuple[str, ...]:
        names = {LATENT: model.latent, DECODED: model.decoder.names, ALL: tuple(model.families)}
        return names[self.of]


@dataclasses.dataclass(frozen=True)
class FixedPrior(Requirement):
    """A prior without weights, which nothing would teach."""

    remedy: str = "take a prior without weights"

    def faults(self, model: Pair) -> Iterator[str]:
        for factor in model.decoder.factors:
            if factor.name in model.latent and factor.trainable_variables:
                yield (
                    "draws codes of the prior as they are and cannot teach it, but "
                    f"p({factor.name} | ...) has weights; {self.remedy}."
                )


@dataclasses.dataclass(frozen=True)
class NoContext(Requirement):
    """No variables that neither player draws."""

    def faults(self, model: Pair) -> Iterator[str]:
        if model.context:
            yield (
                f"compares what is drawn; {model.context} is context. Give the decoder factors "
                "for it, or leave it out."
            )


@dataclasses.dataclass(frozen=True)
class RealCodes(Requirement):
    """Latents that are real numbers with a density."""

    def faults(self, model: Pair) -> Iterator[str]:
        if model.prior is not None:
            yield (
                "with adaptive contrast needs log p(z) of real numbers, but the prior is known "
                "only by samples; leave out adaptive_contrast."
            )
        for name in model.latent:
            if not isinstance(model.families[name], Normal):
                yield (
                    "with adaptive contrast needs log p(z) of real numbers, but "
                    f"'{name}' is {model.families[name]!r}; leave out adaptive_contrast."
                )


@dataclasses.dataclass(frozen=True)
class Means(Requirement):
    """Observed variables that have a mean, or are what a network makes of their codes."""

    def faults(self, model: Pair) -> Iterator[str]:
        for name in model.observed:
            factor = model.decoder.factor(name)
            if factor.has_density and isinstance(factor.family, Categorical):
                yield (
                    f"moves the mean of '{name}', and {factor.family!r} has none; use "
                    "SymmetricEquilibrium."
                )
