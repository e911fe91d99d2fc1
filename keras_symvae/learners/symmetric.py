"""Symmetric equilibrium learning: each player ascends its own log-density."""

import functools

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.learners import information as utilities
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, Terms, share, total

WEIGHTS = {
    "decoder/paired": 1.0,
    "decoder/observed": 1.0,
    "decoder/latent": 1.0,
    "encoder/paired": 1.0,
    "encoder/dreams": 1.0,
}


@register("symmetric")
class SymmetricEquilibrium(Learner):
    """The symmetric game of Flach, Schlesinger, Shekhovtsov (AISTATS 2024).

        decoder maximises  L_p = E_{data(x) q(z|x)} log p(x, z)
        encoder maximises  L_q = E_{p(x, z)}        log q(z | x)

    Samples are constants, so that latents need no reparametrisation and the prior no density.
    Costs: "decoder/v" is -log p(v | ...) on data that the encoder completed, "encoder/v" is
    -log q(v | ...) on dreams.

    Data may hold latents too, in some examples or all (a label -1, a real value NaN is missing);
    with y for those that an example holds and z for the others, this is semi-supervised learning:

        L_p = w E_{data(x,y) q(z|x,y)} log p(x, y, z) + w' E_{data(x) q(z|x)} log p(x, z)
              + w'' E_{data(y)} log p(y)
        L_q = v E_{data(x,y)} log q(y | x) + v' E_{p(x, z)} log q(z | x)

    Each expectation is the mean over the examples of a batch that have it. An example whose x is
    missing starts its dream from the latents it holds, all others dream freely. "encoder/v/paired"
    is -log q(v | ...) on data; a factor is scored there if all it reads is observed.

    Args:
        weights: {term: weight} of "decoder/paired" (w), "decoder/observed" (w'), "decoder/latent"
            (w''), "encoder/paired" (v) and "encoder/dreams" (v'); 1 where none is given.
        information: {latent: weight}: the encoder also maximises what this latent says about
            observed data, see `learners.information`. With few labels it keeps the classes of
            the others apart and of like shares.
        others: see `Learner`.
    """

    def __init__(self, pair, *, weights=None, information=None, **kwargs):
        for player in (pair.decoder, pair.encoder):
            player.require_density("SymmetricEquilibrium")
        self.weights_of_terms = checked(weights)
        self.information = utilities.checked(pair, information)
        super().__init__(pair, **kwargs)

    @property
    def cost_names(self):
        return [f"{name}/{v}" for name, player in self.pair.players.items() for v in player.names]

    @property
    def optional_cost_names(self):
        return [f"encoder/{name}/paired" for name in self.pair.encoder.names]

    @property
    def may_lack(self):
        return self.pair.families

    def moves(self):
        return [(("decoder",), self.decoder_utility), (("encoder",), self.encoder_utility)]

    def decoder_utility(self, values, seed, training=True):
        """L_p: how well the decoder explains data that the encoder completed."""
        return explained(self.pair, values, seed=seeds.fold(seed, 0), weights=self.weights_of_terms)

    def encoder_utility(self, values, seed, training=True):
        """L_q: how well the encoder recovers the latents of the decoder's dreams."""
        weights = self.weights_of_terms
        dreamt = recovered(self.pair, values, seed=seeds.fold(seed, 1), weights=weights)
        known = recognised(self.pair, values, weights=weights)
        told = utilities.informed(self.pair, values, weights=self.information)
        return dreamt.plus(known).plus(told)

    def get_config(self):
        terms = {"weights": self.weights_of_terms, "information": self.information}
        return {**super().get_config(), **terms}


def checked(weights):
    """Returns all weights of terms; those that are not given are 1.

    Raises:
        ValueError: an unknown term, or no weight.
    """
    weights = dict(weights or {})
    unknown = sorted(weights.keys() - WEIGHTS.keys())
    if unknown:
        raise ValueError(f"There are no terms {unknown}; known are {sorted(WEIGHTS)}.")
    for name, weight in weights.items():
        if not isinstance(weight, (int, float)) or not 0 <= weight < float("inf"):
            raise ValueError(f"The weight of '{name}' is a number of at least 0; got {weight!r}.")
    return WEIGHTS | weights


def explained(pair, values, *, seed, weights):
    """Returns the `Outcome` L_p of the decoder on `values`, completed by the encoder."""
    if len(values) == 1:  # nothing can be missing where only one variable is known
        return _whole(pair.decoder, pair.encoder.complete(values, seed=seed))
    terms = Terms(pair, values)
    completed = pair.encoder.complete(terms.values, seed=seed, known=terms.known)
    rows = pair.decoder.scored(pair.encoder.reached(terms.known))
    weight = sum(weights[f"decoder/{name}"] * share(kind) for name, kind in terms.rows.items())
    return _partial("decoder/{}", pair.decoder.log_prob(completed), rows, weight)


def recovered(pair, values, *, seed, weights):
    """Returns the `Outcome` L_q of the encoder on dreams, as many as there are `values`."""
    if len(values) == 1:
        size = tf.shape(next(iter(values.values())))[0]
        return _whole(pair.encoder, pair.dream(size, seed=seed))
    terms = Terms(pair, values)
    # The dreams of examples that hold latents alone start from these.
    alone = {name: terms.known[name] & terms.rows["latent"] for name in pair.latent}
    start = alone | {name: terms.known[name] for name in pair.context}
    given = {name: value for name, value in terms.values.items() if name in start}
    dreams = pair.dream(terms.size, seed=seed, given=given, known=alone)
    rows = pair.encoder.scored(pair.dreamt(terms.nothing | start))
    dreaming = functools.reduce(tf.logical_or, rows.values())
    weight = weights["encoder/dreams"] * share(dreaming)
    return _partial("encoder/{}", pair.encoder.log_prob(dreams), rows, weight)


def recognised(pair, values, *, weights):
    """Returns the `Outcome` L_q of the encoder on the latents that `values` hold."""
    if len(values) == 1:
        return Outcome(tf.zeros([]), {})
    terms = Terms(pair, values)
    log_probs = pair.encoder.log_prob(pair.encoder.scorable(terms.values))
    weight = weights["encoder/paired"] * share(terms.rows["paired"])
    return _partial("encoder/{}/paired", log_probs, pair.encoder.scored(terms.known), weight)


def _whole(player, values):
    log_probs = player.log_prob(values)
    costs = {f"{player.name}/{name}": -log_prob for name, log_prob in log_probs.items()}
    return Outcome(total(log_probs.values()), costs)


def _partial(pattern, scores, rows, weight):
    """Scores {name: [B]} count in their `rows` {name: bool [B]}, examples with their weight [B]."""
    scores = {name: tf.where(rows[name], score, 0.0) for name, score in scores.items()}
    costs = {pattern.format(name): -score for name, score in scores.items()}
    present = {pattern.format(name): rows[name] for name in scores}
    return Outcome(weight * total(scores.values()), costs, present)
