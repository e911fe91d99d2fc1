"""Wasserstein autoencoders: reconstruct data, and let their codes be distributed as the prior."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.batch import Batch
from keras_symvae.learners.adversarial import divergences
from keras_symvae.learners.adversarial.base import AdversarialLearner, contrasted, drawn_prior
from keras_symvae.learners.adversarial.critic import Critic, check_reads
from keras_symvae.learners.adversarial.slope import slope_penalty
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair
from keras_symvae.model.requirements import FixedPrior, Gradients, IsPair, Means, NoContext

COSTS = {
    "l1": lambda x: tf.reduce_sum(tf.abs(x), axis=1),
    "l2": lambda x: tf.sqrt(tf.reduce_sum(x**2, axis=1) + 1e-8),  # a finite slope at 0
    "squared_l2": lambda x: tf.reduce_sum(x**2, axis=1),
}
PENALTIES = ("mmd", "gan", *divergences.DIVERGENCES)


@register("wae")
class WAE(AdversarialLearner):
    """Optimal transport from data to dreams, through codes of the prior's distribution.

        p, q minimise   E_{data(x) q(z|x)} c(x, G(z)) + penalty_weight D(q(z), p(z))

    with G(z) the decoder's mean, or what it draws where it has none, q(z) the codes of all data,
    and D
        "mmd"   the squared kernel distance, without a critic
        "gan"   E_q(z) log(1 + exp T): a critic T ascends E_q(z) log s(T) + E_p(z) log s(-T)
        a name of `divergences.DIVERGENCES`: that f-divergence, by its variational bound (f-WAE)

    Costs: "decoder/v" is c of observed variable v, "encoder/penalty" is D, "critic/loss" what the
    critic descends.

    Args:
        pair: the `Pair`; draws of its latents need a gradient, no density of any kind is needed.
            Codes of the prior are taken as they are: it has no weights.
        penalty: D, see above.
        cost: c, sums over pixels: "l1", "l2" or "squared_l2".
        penalty_weight: its weight, in units of c.
        critic: the `Critic` of the latents, unless the penalty is "mmd". None: two hidden layers.
        kernel, scales: see `divergences.mmd`.
        pretraining_steps: number of steps that first bring mean and covariance of the codes to
            those of the prior; the decoder rests, a critic learns.
        gradient_penalty: weight of the mean of max(0, slope - 1)^2 of the critic between codes and
            prior. With it the critic ascends penalty_weight times its bound, less the penalty. A
            steep critic that has levelled out at the codes no longer tells them where to go.
        steepness: the slope that costs nothing, that of c along the codes.
        others: see `AdversarialLearner`.

    Reference: Tolstikhin, Bousquet, Gelly, Schoelkopf, Wasserstein Auto-Encoders, ICLR 2018; f-WAE:
    Husain, Nock, Williamson, NeurIPS 2019.
    """

    requirements = (IsPair(), Gradients(), NoContext(), FixedPrior(), Means())

    def __init__(
        self,
        pair: Pair,
        *,
        penalty: str = "mmd",
        cost: str = "squared_l2",
        penalty_weight: float = 10.0,
        critic: Critic | None = None,
        kernel: str = "imq",
        scales: Sequence[float] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
        pretraining_steps: int = 0,
        gradient_penalty: float = 0.0,
        steepness: float = 1.0,
        **kwargs: Any,
    ) -> None:
        arguments.one_of("penalty", penalty, PENALTIES)
        arguments.one_of("cost", cost, tuple(COSTS))
        if critic is not None and penalty == "mmd":
            raise ValueError("The penalty 'mmd' has no critic; take 'gan' or an f-divergence.")
        self.penalty_weight = arguments.number("penalty_weight", penalty_weight, least=0)
        self.pretraining_steps = arguments.integer("pretraining_steps", pretraining_steps, least=0)
        self.gradient_penalty = arguments.number("gradient_penalty", gradient_penalty, least=0)
        self.steepness = arguments.number("steepness", steepness, above=0)
        if gradient_penalty and penalty == "mmd":
            raise ValueError("The penalty 'mmd' has no critic that gradient_penalty could hold.")
        divergences.mmd(tf.zeros([2, 1]), tf.zeros([2, 1]), kernel=kernel, scales=scales)
        self.penalty, self.cost = penalty, cost
        self.kernel, self.scales = kernel, arguments.positives("scales", scales)

        def critics() -> dict[str, Critic]:
            check_reads(critic, pair.latent, asker="WAE", why="it may read latents")
            return {} if penalty == "mmd" else {"critic": critic or Critic(pair.latent)}

        super().__init__(pair, critics=critics, **kwargs)

    @property
    def cost_names(self) -> Sequence[str]:
        names = [*(f"decoder/{name}" for name in self.pair.observed), "encoder/penalty"]
        return [*names, "critic/loss"] if self.critics else names

    def moves(self) -> Sequence[Move]:
        return [Move(("decoder", "encoder"), self.utility), *self.critic_moves()]

    def utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The transport cost and the penalty; gradients flow through codes."""
        completed, _ = self.pair.encoder.rcomplete(batch, seed=seeds.fold(seed, 0))
        codes = {name: completed[name] for name in self.pair.latent}
        images = self.pair.chain.decode(codes, seed=seeds.fold(seed, 1), output="mean")
        observed = self.pair.observed
        costs = {f"decoder/{name}": self._transport(batch, images, name) for name in observed}
        prior = drawn_prior(self.pair, batch, seed=seeds.fold(seed, 2))
        penalty = self._penalty(codes, prior)
        gain = -total(costs.values()) - self.penalty_weight * penalty
        if training and self.pretraining_steps:
            first = self.steps < self.pretraining_steps
            gain = tf.where(first, -_mismatch(self._flat(codes), self._flat(prior)), gain)
        return Outcome(gain, {**costs, "encoder/penalty": penalty})

    def critic_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """How well the critic tells codes of data from codes of the prior."""
        codes = self.pair.encoder.complete(batch, seed=seeds.fold(seed, 3))
        prior = drawn_prior(self.pair, batch, seed=seeds.fold(seed, 4))
        of_codes, of_prior = (self.critic.score(each) for each in (codes, prior))
        if self.penalty == "gan":
            loss = contrasted(of_codes, of_prior)
        else:
            loss = -divergences.get(self.penalty).bound(of_codes, of_prior)
        if self.gradient_penalty:
            between = [{name: each[name] for name in self.critic.given} for each in (prior, codes)]
            slope = slope_penalty(self._height, *between, seed=seeds.fold(seed, 5))
            loss = self.penalty_weight * loss + self.gradient_penalty * slope
        return Outcome(-loss, {"critic/loss": loss})

    def _height(self, codes):
        """Returns what may rise by 1 per unit of codes, [B]: w g(T), in units of the steepness."""
        raw = self.critic.score(codes)
        height = raw if self.penalty == "gan" else divergences.get(self.penalty).activation(raw)
        return self.penalty_weight / self.steepness * height

    def _transport(self, batch, images, name):
        difference = tf.cast(batch[name], tf.float32) - tf.cast(images[name], tf.float32)
        return COSTS[self.cost](tf.reshape(difference, [tf.shape(difference)[0], -1]))

    def _penalty(self, codes, prior):
        if self.penalty == "mmd":
            options = {"kernel": self.kernel, "scales": self.scales}
            return divergences.mmd(self._flat(codes), self._flat(prior), **options)
        of_codes = self.critic.score(codes)
        if self.penalty == "gan":
            return tf.reduce_mean(tf.nn.softplus(of_codes))
        return divergences.get(self.penalty).bound(of_codes, self.critic.score(prior))

    def _flat(self, codes):
        """Returns the features of all latents side by side, [B, D]."""
        families = [(name, self.pair.families[name]) for name in self.pair.latent]
        # The width is said outright: `divergences.mmd` needs it, also of batches of any size.
        parts = [
            tf.reshape(family.features(codes[name]), [-1, math.prod(family.feature_shape)])
            for name, family in families
        ]
        return tf.concat(parts, axis=1)


def _mismatch(codes, prior):
    """Returns the squared distance of mean and covariance of two samples [B, D], a scalar."""
    means, covariances = [], []
    for sample in (codes, prior):
        mean = tf.reduce_mean(sample, axis=0)
        count = tf.cast(tf.shape(sample)[0] - 1, tf.float32)
        means.append(mean)
        covariances.append(tf.matmul(sample - mean, sample - mean, transpose_a=True) / count)
    return sum(tf.reduce_mean((a - b) ** 2) for a, b in (means, covariances))
