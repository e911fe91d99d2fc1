"""Symmetric equilibrium learning: each player ascends its own log-density."""

import keras
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.learners.base import Learner


@keras.saving.register_keras_serializable(package="keras_symvae")
class SymmetricEquilibrium(Learner):
    """The symmetric game of Flach, Schlesinger, Shekhovtsov (AISTATS 2024).

        decoder maximises  L_p = E_{data(x) q(z|x)} log p(x, z)
        encoder maximises  L_q = E_{p(x, z)}        log q(z | x)

    Samples are constants, so that latents need no reparametrisation and the prior no density.
    Costs: "decoder/v" is -log p(v | ...) on data that the encoder completed, "encoder/v" is
    -log q(v | ...) on dreams.

    Args: see `Learner`.
    """

    def __init__(self, pair, **kwargs):
        for player in (pair.decoder, pair.encoder):
            player.require_density("SymmetricEquilibrium")
        super().__init__(pair, **kwargs)

    @property
    def cost_names(self):
        decoder, encoder = self.pair.decoder, self.pair.encoder
        return [f"{p.name}/{name}" for p in (decoder, encoder) for name in p.names]

    def moves(self):
        return [(("decoder",), self.decoder_utility), (("encoder",), self.encoder_utility)]

    def decoder_utility(self, values, seed, training=True):
        """L_p: how well the decoder explains data that the encoder completed."""
        completed = self.pair.encoder.complete(values, seed=seeds.fold(seed, 0))
        return _scored(self.pair.decoder, completed)

    def encoder_utility(self, values, seed, training=True):
        """L_q: how well the encoder recovers the latents of the decoder's dreams."""
        context = {name: values[name] for name in self.pair.context}
        size = tf.shape(next(iter(values.values())))[0]
        dreams = self.pair.dream(size, seed=seeds.fold(seed, 1), context=context)
        return _scored(self.pair.encoder, dreams)


def _scored(player, values):
    """Returns (utility [B], costs {"player/variable": [B]}) of `values`, nats."""
    log_probs = player.log_prob(values)
    costs = {f"{player.name}/{name}": -log_prob for name, log_prob in log_probs.items()}
    return sum(log_probs.values()), costs
