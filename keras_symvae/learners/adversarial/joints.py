"""Joints: samples of data(x) q(z | x) and of p(z) p(x | z), through which gradients flow."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence

import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch
from keras_symvae.learners.adversarial.base import drawn_prior
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Values
from keras_symvae.model.requirements import (
    ALL,
    Densities,
    FixedPrior,
    Gradients,
    IsPair,
    NoContext,
    Requirement,
)

Weights = float | Mapping[str, float]


def requirements(reconstruction: Weights) -> Sequence[Requirement]:
    """Returns what a game of both joints asks of a pair.

    Args:
        reconstruction: see `weights`.
    """
    shared = (IsPair(), NoContext(), FixedPrior(), Gradients(of=ALL))
    return (*shared, Reconstructed(reconstruction))


@dataclasses.dataclass(frozen=True)
class Reconstructed(Requirement):
    """Densities of the players whose variables are reconstructed."""

    reconstruction: Weights

    def faults(self, model: Pair) -> Iterator[str]:
        rebuilt = weights(model, self.reconstruction)
        for player in model.players:
            if any(name.startswith(f"{player}/") for name in rebuilt):
                why = f"with reconstruction={self.reconstruction} "
                yield from Densities(player, why=why).faults(model)


def weights(pair: Pair, reconstruction: Weights) -> dict[str, float]:
    """Returns {"decoder/x": weight, "encoder/z": weight} of what is reconstructed at all.

    Args:
        pair: the `Pair`.
        reconstruction: a number for all variables, or {variable: number}, 0 where none is given.

    Raises:
        ValueError: a weight is not a number of at least 0, or is that of no variable.
    """
    names = {"decoder": pair.observed, "encoder": pair.encoder.names}
    known = [name for drawn in names.values() for name in drawn]
    given = (
        reconstruction
        if isinstance(reconstruction, Mapping)
        else dict.fromkeys(known, reconstruction)
    )
    valid = (arguments.is_number(weight, least=0) for weight in given.values())
    if given.keys() - set(known) or not all(valid):
        raise ValueError(
            "reconstruction is a number of at least 0, or one for each of "
            f"{known}; received {arguments.told(reconstruction)}."
        )
    return {
        f"{player}/{name}": given[name]
        for player, drawn in names.items()
        for name in drawn
        if given.get(name)
    }


def drawn(pair: Pair, batch: Batch, *, seed: tf.Tensor) -> tuple[Batch, Batch]:
    """Returns (values of q, values of p), {name: [B, ...]} each.

    Those of q are the data of the batch and their codes, those of p codes of the prior and what the
    decoder makes of them; what comes first is constant, what a network drew has its gradient.
    """
    q, _ = pair.encoder.rcomplete(batch, seed=seeds.fold(seed, 0))
    prior = drawn_prior(pair, batch, seed=seeds.fold(seed, 1))
    p, _ = pair.decoder.rcomplete(prior, seed=seeds.fold(seed, 2))
    return q, p


def reconstruction_costs(
    pair: Pair, q: Values, p: Values, *, names: Collection[str]
) -> dict[str, tf.Tensor]:
    """Returns {"decoder/x": -log p(x | z'), "encoder/z": -log q(z | x')}, [B] each, nats.

    z' are codes of data, x' the images of codes: data and codes reconstructed.

    Args:
        pair: the `Pair`.
        q, p: values of both joints, see `drawn`.
        names: of the costs wanted.
    """
    costs = {}
    for player, values in ((pair.decoder, q), (pair.encoder, p)):
        wanted = [name for name in player.names if f"{player.name}/{name}" in names]
        if wanted:
            log_probs = player.log_prob(values)
            costs |= {f"{player.name}/{name}": -log_probs[name] for name in wanted}
    return costs
