"""The adversarial symmetric VAE: both joints meet, seen by two critics."""

import keras
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.critics import Critic
from keras_symvae.learners import joints
from keras_symvae.learners.adversarial import AdversarialLearner, contrasted, drawn_prior
from keras_symvae.learners.terms import Outcome, total


@keras.saving.register_keras_serializable(package="keras_symvae")
class ASVAE(AdversarialLearner):
    """The symmetric divergence of q(x, z) = data(x) q(z|x) and p(x, z) = p(z) p(x|z).

        p, q maximise   E_{q(x,z)} [ log p(x|z) - f1(x, z) ] + E_{p(x,z)} [ log q(z|x) - f2(x, z) ]
        f1 maximises    E_{q(x,z)} log s(f1) + E_{data(x) p(z)} log s(-f1)
        f2 maximises    E_{p(x,z)} log s(f2) + E_{data(x) p(z)} log s(-f2)

    with s(t) = 1 / (1 + exp(-t)), and the critics fixed while p and q move. The best critics are
    f1* = log q(z|x) - log p(z) and f2* = log p(x|z) - log data(x); with them the first line is
    -KL(q || p) - KL(p || q) up to constants, the sum of two lower bounds: of log p(x) on data and
    of log q(z) on codes.

    Costs: "decoder/v" and "encoder/v" are reconstruction costs of data and codes, "encoder/kl" is
    f1 on data, an estimate of KL(q(z|x) || p(z)), "decoder/kl" is f2 on dreams, one of
    KL(p(x|z) || data), "critic/codes" and "critic/data" are the logistic losses of f1 and f2.

    Args:
        pair: the `Pair`; all draws need gradients, both players densities, unless reconstruction
            is 0.
        critic_codes, critic_data: the `Critic`s f1 and f2 of all variables. None: two hidden
            layers.
        reconstruction: weight of log p(x|z) and log q(z|x). More than 1 leans to reconstruction,
            less to generation.
        others: see `AdversarialLearner`.

    Reference: Pu, Wang, Henao, Chen, Gan, Li, Carin, Adversarial Symmetric Variational
    Autoencoder, NIPS 2017; the weight is our own, after the two variants of the paper.
    """

    def __init__(self, pair, *, critic_codes=None, critic_data=None, reconstruction=1.0, **kwargs):
        joints.require(pair, "ASVAE", reconstruction=reconstruction)
        names = (*pair.observed, *pair.latent)
        critics = {
            "critic_codes": critic_codes or Critic(names),
            "critic_data": critic_data or Critic(names),
        }
        self.reconstruction = reconstruction
        super().__init__(pair, critics=critics, **kwargs)

    @property
    def cost_names(self):
        rebuilt = joints.reconstruction_names(self.pair) if self.reconstruction else []
        return [*rebuilt, "encoder/kl", "decoder/kl", "critic_codes/loss", "critic_data/loss"]

    def moves(self):
        return [(("decoder", "encoder"), self.utility), *self.critic_moves()]

    def critic_moves(self):
        return [(tuple(self.critics), self.critic_utility)]

    def utility(self, values, seed, training=True):
        """Both lower bounds; gradients flow through codes and images."""
        del training
        q, p = joints.drawn(self.pair, values, seed=seed)
        f1, f2 = (self.critics[name] for name in ("critic_codes", "critic_data"))
        costs = {"encoder/kl": f1.score(q), "decoder/kl": f2.score(p)}
        gain = -total(costs.values())
        if self.reconstruction:
            rebuilt = joints.reconstruction_costs(self.pair, q, p)
            gain -= self.reconstruction * total(rebuilt.values())
            costs |= rebuilt
        return Outcome(gain, costs)

    def critic_utility(self, values, seed, training=True):
        """Both logistic regressions, against data and codes drawn apart."""
        del training
        size = tf.shape(next(iter(values.values())))[0]
        q, p = joints.drawn(self.pair, values, seed=seeds.fold(seed, 1))
        apart = {**values, **drawn_prior(self.pair, size, seed=seeds.fold(seed, 2))}
        true = {"critic_codes": q, "critic_data": p}
        costs = {
            f"{name}/loss": contrasted(critic.score(true[name]), critic.score(apart))
            for name, critic in self.critics.items()
        }
        return Outcome(-total(costs.values()), costs)

    def get_config(self):
        return {**super().get_config(), "reconstruction": self.reconstruction}
