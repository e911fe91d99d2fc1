"""The adversarial symmetric VAE: both joints meet, seen by two critics."""

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.batch import Batch
from keras_symvae.learners.adversarial import joints
from keras_symvae.learners.adversarial.base import AdversarialLearner, contrasted, drawn_prior
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair


@register("as_vae")
class ASVAE(AdversarialLearner):
    """The symmetric divergence of q(x, z) = data(x) q(z|x) and p(x, z) = p(z) p(x|z).

        p, q maximise   E_{q(x,z)} [ log p(x|z) - f1(x, z) ] + E_{p(x,z)} [ log q(z|x) - f2(x, z) ]
        f1 maximises    E_{q(x,z)} log s(f1) + E_{data(x) p(z)} log s(-f1)
        f2 maximises    E_{p(x,z)} log s(f2) + E_{data(x) p(z)} log s(-f2)

    with s(t) = 1 / (1 + exp(-t)), and the critics fixed while p and q move. The best critics are
    f1* = log q(z|x) - log p(z) and f2* = log p(x|z) - log data(x); with them the first line is
    -KL(q || p) - KL(p || q) up to constants, the sum of two lower bounds: of log p(x) on data and
    of log q(z) on codes. Its gradient is that of the divergences, fixed critics or not: what they
    hide from p in E_p f2, and from q in E_q f1, has mean zero.

    Costs: "decoder/v" and "encoder/v" are reconstruction costs of data and codes, "encoder/kl" is
    f1 on data, an estimate of KL(q(z|x) || p(z)), "decoder/kl" is f2 on dreams, one of
    KL(p(x|z) || data), "critic_codes/loss" and "critic_data/loss" are the logistic losses.

    Args:
        pair: the `Pair`, whose prior has no weights; all draws need gradients, a player whose
            variables are reconstructed a density.
        critic_codes, critic_data: the `Critic`s f1 and f2 of all variables. None: two hidden
            layers.
        reconstruction: weight of log p(x|z) and log q(z|x), or {variable: weight}. More than 1
            leans to reconstruction, less to generation; with 0 nothing holds codes and data
            together.
        others: see `AdversarialLearner`.

    Reference: Pu, Wang, Henao, Chen, Gan, Li, Carin, Adversarial Symmetric Variational
    Autoencoder, NIPS 2017; the weights are our own, after the two variants of the paper.
    """

    requirements = joints.requirements(1.0)
    kept: ClassVar = {
        "critic_codes": lambda learner: learner.critics["critic_codes"],
        "critic_data": lambda learner: learner.critics["critic_data"],
    }

    def __init__(
        self,
        pair: Pair,
        *,
        critic_codes: Critic | None = None,
        critic_data: Critic | None = None,
        reconstruction: joints.Weights = 1.0,
        **kwargs: Any,
    ) -> None:
        self.reconstruction = reconstruction
        self.requirements = joints.requirements(reconstruction)

        def critics() -> dict[str, Critic]:
            names = (*pair.observed, *pair.latent)
            return {
                "critic_codes": Critic(names) if critic_codes is None else critic_codes,
                "critic_data": Critic(names) if critic_data is None else critic_data,
            }

        super().__init__(pair, critics=critics, **kwargs)
        self.rebuilt = joints.weights(pair, reconstruction)

    @property
    def cost_names(self) -> Sequence[str]:
        return [*self.rebuilt, "encoder/kl", "decoder/kl", "critic_codes/loss", "critic_data/loss"]

    def moves(self) -> Sequence[Move]:
        return [Move(("decoder", "encoder"), self.utility), *self.critic_moves()]

    def utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """Both lower bounds; gradients flow through codes and images."""
        q, p = joints.drawn(self.pair, batch, seed=seed)
        f1, f2 = (self.critics[name] for name in ("critic_codes", "critic_data"))
        costs = {"encoder/kl": f1.score(q), "decoder/kl": f2.score(p)}
        rebuilt = joints.reconstruction_costs(self.pair, q, p, names=self.rebuilt)
        gain = -total(costs.values())
        gain -= total(weight * rebuilt[name] for name, weight in self.rebuilt.items())
        return Outcome(gain, rebuilt | costs)

    def critic_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """Both logistic regressions, against data and codes drawn apart."""
        q, p = joints.drawn(self.pair, batch, seed=seeds.fold(seed, 3))
        apart = {**batch, **drawn_prior(self.pair, batch, seed=seeds.fold(seed, 4))}
        true = {"critic_codes": q, "critic_data": p}
        costs = {
            f"{name}/loss": contrasted(critic.score(true[name]), critic.score(apart))
            for name, critic in self.critics.items()
        }
        return Outcome(-total(costs.values()), costs)
