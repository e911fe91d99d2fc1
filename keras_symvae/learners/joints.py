"""Joints: samples of q(x) q(z | x) and of p(z) p(x | z), through which gradients flow."""

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.learners.adversarial import drawn_prior, require_gradients


def require(pair, asker, *, reconstruction):
    """Refuses a pair without gradients through all draws, or without the densities it needs.

    Args:
        pair: the `Pair`.
        asker: who needs them.
        reconstruction: weight of the reconstructions, which need both densities.
    """
    if not isinstance(reconstruction, (int, float)) or not 0 <= reconstruction < float("inf"):
        raise ValueError(f"reconstruction is a number of at least 0; received {reconstruction!r}.")
    for player in pair.players.values():
        if reconstruction:
            player.require_density(f"{asker} with reconstruction={reconstruction}")
        for factor in player.factors:
            inner = player is pair.decoder and factor.name in pair.latent
            if inner and factor.trainable_variables:
                raise ValueError(
                    f"{asker} draws codes of the prior as they are, but p({factor.name} | ...) has "
                    "weights; take a prior without weights."
                )
    require_gradients(pair, pair.families, asker)


def drawn(pair, values, *, seed):
    """Returns (values of q, values of p), {name: [B, ...]} each.

    Those of q are the data `values` and their codes, those of p codes of the prior and what the
    decoder makes of them; what comes first is constant, what a network drew has its gradient.
    """
    size = tf.shape(next(iter(values.values())))[0]
    q, _ = pair.encoder.rcomplete(values, seed=seeds.fold(seed, 0))
    prior = drawn_prior(pair, size, seed=seeds.fold(seed, 1))
    p, _ = pair.decoder.rcomplete(prior, seed=seeds.fold(seed, 2))
    return q, p


def reconstruction_costs(pair, q, p):
    """Returns {"decoder/x": -log p(x | z'), "encoder/z": -log q(z | x')}, [B] each, nats.

    z' are codes of data, x' the images of codes: data and codes reconstructed.
    """
    data, codes = pair.decoder.log_prob(q), pair.encoder.log_prob(p)
    costs = {f"decoder/{name}": -data[name] for name in pair.observed}
    return costs | {f"encoder/{name}": -codes[name] for name in pair.encoder.names}


def reconstruction_names(pair):
    """Names of these costs."""
    return [f"decoder/{n}" for n in pair.observed] + [f"encoder/{n}" for n in pair.encoder.names]
