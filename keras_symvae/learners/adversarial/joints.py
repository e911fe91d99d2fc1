"""Joints: samples of data(x) q(z | x) and of p(z) p(x | z), through which gradients flow."""

from keras_symvae import seeds
from keras_symvae.learners.adversarial.base import (
    drawn_prior,
    require_fixed_prior,
    require_gradients,
    require_no_context,
)


def weights(pair, reconstruction, asker):
    """Returns {"decoder/x": weight, "encoder/z": weight} of reconstructions, those above 0.

    Refuses a pair with context, without gradients through all draws, or without the densities that
    reconstructions need.

    Args:
        pair: the `Pair`.
        reconstruction: a number for all variables, or {variable: number}, 0 where none is given.
        asker: who reconstructs.
    """
    require_no_context(pair, asker)
    require_fixed_prior(pair, asker)
    require_gradients(pair, pair.families, asker)
    given = reconstruction
    if not isinstance(given, dict):
        given = dict.fromkeys((*pair.observed, *pair.encoder.names), given)
    stray = sorted(given.keys() - {*pair.observed, *pair.encoder.names})
    valid = [isinstance(w, (int, float)) and 0 <= w < float("inf") for w in given.values()]
    if stray or not all(valid):
        raise ValueError(
            "reconstruction is a number of at least 0, or one for each of "
            f"{[*pair.observed, *pair.encoder.names]}; received {reconstruction!r}."
        )
    found = {}
    for player, names in ((pair.decoder, pair.observed), (pair.encoder, pair.encoder.names)):
        rebuilt = {f"{player.name}/{n}": given[n] for n in names if given.get(n)}
        if rebuilt:
            player.require_density(f"{asker} with reconstruction={reconstruction}")
        found |= rebuilt
    return found


def drawn(pair, values, *, seed):
    """Returns (values of q, values of p), {name: [B, ...]} each.

    Those of q are the data `values` and their codes, those of p codes of the prior and what the
    decoder makes of them; what comes first is constant, what a network drew has its gradient.
    """
    q, _ = pair.encoder.rcomplete(values, seed=seeds.fold(seed, 0))
    prior = drawn_prior(pair, values, seed=seeds.fold(seed, 1))
    p, _ = pair.decoder.rcomplete(prior, seed=seeds.fold(seed, 2))
    return q, p


def reconstruction_costs(pair, q, p, *, names):
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
