"""The symmetric VAE and ALI: both joints meet, seen by one critic."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch
from keras_symvae.learners.adversarial import joints
from keras_symvae.learners.adversarial.base import AdversarialLearner, contrasted
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair

GAMES = ("symmetric_kl", "ali")


@register("svae")
class SVAE(AdversarialLearner):
    """The divergence of data(x) q(z|x) and p(z) p(x|z), by one critic f of both variables.

        f maximises     E_{p(x,z)} log s(f) + E_{q(x,z)} log s(-f),    f* = log p(x,z) - log q(x,z)
        p, q maximise   E_q f - E_p f                      game "symmetric_kl": -KL(q||p) - KL(p||q)
                        E_q log s(f) + E_p log s(-f)       game "ali"
                        + reconstruction (E_q log p(x|z) + E_p log q(z|x))

    with s(t) = 1 / (1 + exp(-t)). Because f is frozen while p and q move, p gets no gradient
    through E_q f, and q none through E_p f: p descends KL(p||q) alone and q KL(q||p), where `ASVAE`
    descends both with both. With pairs that are sampled alone (`ImplicitFactor`) and "ali"
    this is ALI, and BiGAN where both are without noise.

    Costs: "encoder/divergence" is f on dreams minus f on data, an estimate of KL(q||p) + KL(p||q),
    "critic/loss" the logistic loss of f, 2 log 2 where the joints are equal, "decoder/v" and
    "encoder/v" the reconstruction costs.

    Args:
        pair: the `Pair`, whose prior has no weights; all draws need gradients, a player whose
            variables are reconstructed a density.
        critic: the `Critic` of all variables. None: one with two hidden layers.
        game: "symmetric_kl" or "ali".
        reconstruction: weight of the reconstructions, or {variable: weight}.
        others: see `AdversarialLearner`.

    Reference: Chen et al., Symmetric Variational Autoencoder, AISTATS 2018; Dumoulin et al.,
    Adversarially Learned Inference, ICLR 2017; Donahue et al., ICLR 2017.
    """

    requirements = joints.requirements(0.0)

    def __init__(
        self,
        pair: Pair,
        *,
        critic: Critic | None = None,
        game: str = "symmetric_kl",
        reconstruction: joints.Weights = 0.0,
        **kwargs: Any,
    ) -> None:
        self.game = arguments.one_of("game", game, GAMES)
        self.reconstruction = reconstruction
        self.requirements = joints.requirements(reconstruction)

        def critics() -> dict[str, Critic]:
            return {"critic": Critic((*pair.observed, *pair.latent)) if critic is None else critic}

        super().__init__(pair, critics=critics, **kwargs)
        self.rebuilt = joints.weights(pair, reconstruction)

    @property
    def cost_names(self) -> Sequence[str]:
        return [*self.rebuilt, "encoder/divergence", "critic/loss"]

    def moves(self) -> Sequence[Move]:
        return [Move(("decoder", "encoder"), self.utility), *self.critic_moves()]

    def utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """How little the critic can tell the joints apart."""
        q, p = joints.drawn(self.pair, batch, seed=seed)
        of_q, of_p = self.critic.score(q), self.critic.score(p)
        gain = of_q - of_p if self.game == "symmetric_kl" else -contrasted(of_q, of_p)
        rebuilt = joints.reconstruction_costs(self.pair, q, p, names=self.rebuilt)
        gain -= total(weight * rebuilt[name] for name, weight in self.rebuilt.items())
        return Outcome(gain, rebuilt | {"encoder/divergence": of_p - of_q})

    def critic_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The logistic regression between the joints."""
        q, p = joints.drawn(self.pair, batch, seed=seeds.fold(seed, 3))
        loss = contrasted(self.critic.score(p), self.critic.score(q))
        return Outcome(-loss, {"critic/loss": loss})
