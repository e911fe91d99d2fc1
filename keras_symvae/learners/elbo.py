"""The ELBO: both players ascend one lower bound of the log-likelihood."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.data.batch import Batch, kinds, of_values, share
from keras_symvae.families import estimators
from keras_symvae.learners import importance, utilities
from keras_symvae.learners.completion import effective
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair
from keras_symvae.model.requirements import Densities, Gradients, IsPair, PriorDensity


@register("elbo")
class ELBO(Learner):
    """The evidence lower bound as a game in which both players have the same utility.

        ELBO = E_{q(z|x)} [ log p(x | z) - sum_t KL(q(z_t | ...) || p(z_t | ...)) ] <= log p(x)

    A KL term is analytic where p's parents of z_t are drawn before z_t by q (the ladder order)
    and the family has a closed form, else the single-sample log q - log p. Costs: "decoder/v" is
    -log p(v | z), "encoder/v" is the KL term of latent v; "loss" is the negative ELBO, whatever
    weight and free bits training uses.

    Data may hold latents too, in some examples or all: for those that an example holds, -log p(v)
    takes the place of the KL term, and "encoder/v/paired", -log q(v | ...) on data, is a cost of
    its own (M2 of Kingma et al. 2014). The bounds of examples with and without them are averaged
    apart and added.

    With several draws the utility is the importance-weighted bound,

        ELBO <= L_K = E log 1/K sum_k w_k <= log p(x),     w_k = p(x, z_k) / q(z_k | x)

    of K draws z_k ~ q(z | x). No KL term is analytic then. Gradients flow through the draws of
    real latents; discrete ones, Poisson counts among them, learn by their score, with the bound of
    the other draws as baseline (VIMCO), which is unbiased, also where both kinds are mixed: see
    `importance.with_score`. Costs sum to "loss", the negative bound, as before: every term is its
    mean over the draws by their weights, and "encoder/choice" is what this choice costs, see
    `importance.shared_out`. Measures are "iw_bound", the bound in nats, and "ess", the effective
    sample size (sum w)^2 / sum w^2, from 1 to K. A latent that an example holds has a p in the
    weights and no q.

    The gradient of real latents is the plain one, the derivative of what is computed. The doubly
    reparametrised one of Tucker et al. has less noise, but needs a second walk of the encoder and
    has no counterpart where bits are drawn after real codes. On 8 x 8 digits with eight Gaussian
    codes, K = 5, it had an eighth of the variance and led to 0.1 nats more, where K = 5 in place of
    K = 1 gained 1.0.

    Args:
        draws: K; 1 is the ELBO.
        estimator: gradient through discrete latents: "zgr", "straight_through" or
            "gumbel_softmax:T"; see `estimators.get`. None: "zgr" of one draw, the unbiased score
            of several.
        kl_weight: weight of the KL terms in the utility; of several draws, the power to which
            p(z) / q(z | x) is a factor of w. Costs and measures have the weight 1.
        warmup_steps: number of steps over which that weight rises linearly from 0.
        free_bits: nats of KL per latent variable element (mean over the batch) that cost nothing.
            The bound of several draws has no such terms.
        label_weight: weight of log q(v | ...) on latents that data hold.
        others: see `Learner`.

    Raises:
        ValueError: also, where free bits are asked of several draws.

    Reference: Kingma & Welling 2014; free bits: Kingma et al. 2016; warm-up: Sonderby et al. 2016;
    several draws: Burda et al. 2016, of discrete latents Mnih & Rezende 2016; less noise for real
    ones: Roeder et al. 2017, Tucker et al. 2019.
    """

    requirements = (IsPair(), PriorDensity(), Densities(), Gradients(estimated=True))

    def __init__(
        self,
        pair: Pair,
        *,
        draws: int = 1,
        estimator: str | None = None,
        kl_weight: float = 1.0,
        warmup_steps: int = 0,
        free_bits: float = 0.0,
        label_weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        draws = arguments.integer("draws", draws, least=1)
        estimators.get(estimator)
        kl_weight = arguments.number("kl_weight", kl_weight, least=0)
        warmup_steps = arguments.number("warmup_steps", warmup_steps, least=0)
        free_bits = arguments.number("free_bits", free_bits, least=0)
        label_weight = arguments.number("label_weight", label_weight, least=0)
        if free_bits and draws > 1:
            raise ValueError(
                f"free_bits are nats of KL terms, which the bound of draws={draws} does not have; "
                f"received free_bits={free_bits}. Give free_bits=0, or draws=1."
            )
        if draws > 1 and estimator is None:  # a score needs no gradient through the draw
            self.requirements = (IsPair(), PriorDensity(), Densities())
        super().__init__(pair, **kwargs)
        self.draws, self.estimator, self.kl_weight = draws, estimator, kl_weight
        self.warmup_steps, self.free_bits = warmup_steps, free_bits
        self.label_weight = label_weight
        self.optional_cost_names = tuple(f"encoder/{name}/paired" for name in pair.encoder.names)
        self.measure_names = ("iw_bound", "ess") if draws > 1 else ()
        self.may_lack = pair.latent

    @property
    def cost_names(self) -> Sequence[str]:
        observed = [f"decoder/{name}" for name in self.pair.observed]
        choice = ["encoder/choice"] if self.draws > 1 else []
        return [*observed, *(f"encoder/{name}" for name in self.pair.latent), *choice]

    def moves(self) -> Sequence[Move]:
        return [Move(("decoder", "encoder"), self.utility)]

    def utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The weighted bound; its gradient flows through the encoder's draws."""
        # A relaxed draw is no value of the latent: held-out bounds are those of hard draws.
        relaxed = self.estimator is not None and not training
        estimator, batch = "zgr" if relaxed else self.estimator, of_values(batch)
        bound = self._of_one if self.draws == 1 else self._of_several
        outcome = bound(batch, seed, estimator)
        found = kinds(self.pair.schema, batch)
        if found["paired"] is False:
            return outcome
        gain = outcome.gain * (share(found["paired"]) + share(found["observed"]))
        weights = {"encoder/paired": self.label_weight}
        labels = utilities.labels(self.pair, batch, weights=weights)
        return outcome._replace(gain=gain).plus(labels)

    def _of_several(self, batch: Batch, seed: tf.Tensor, estimator: str | None) -> Outcome:
        """The bound log 1/K sum_k w_k of K draws."""
        weighing = importance.weighed(
            self.pair, batch, draws=self.draws, seed=seed, estimator=estimator
        )
        log_weights = weighing.log_weights()
        measures = {
            "iw_bound": importance.bound(log_weights),
            "ess": effective(log_weights),
        }
        weighted = weighing.log_weights(kl_weight=self._weight())
        gain = importance.with_score(weighted, weighing.score)
        return Outcome(gain, importance.shared_out(weighing), measures=measures)

    def _of_one(self, batch: Batch, seed: tf.Tensor, estimator: str | None) -> Outcome:
        """The terms of the bound of one draw, analytic where they can be."""
        completed, q = self.pair.encoder.rcomplete(batch, seed=seed, estimator=estimator)
        _, p = self.pair.decoder.walk(completed)
        costs = {f"decoder/{name}": self._cost(name, p, completed) for name in self.pair.observed}
        gain = -total(costs.values())
        for name in self.pair.latent:
            kl, known = self._kl(name, completed, q[name], p[name]), batch.known(name)
            if known is not False:
                cost = self._cost(name, p, completed)
                kl = cost if known is True else tf.where(known, cost, kl)
            costs[f"encoder/{name}"] = kl
            free = self.free_bits * self.pair.families[name].size
            charged = tf.maximum(tf.reduce_mean(kl), free) if free else kl
            gain -= self._weight() * charged
        return Outcome(gain, costs)

    def _cost(self, name: str, p: Mapping[str, Any], values: Batch) -> tf.Tensor:
        return -self.pair.families[name].log_prob(p[name], values[name])

    def _kl(self, name: str, values: Batch, q: Any, p: Any) -> tf.Tensor:
        order = self.pair.encoder.names
        family = self.pair.families[name]
        later = order[order.index(name) :]
        if set(self.pair.decoder.factor(name).given).isdisjoint(later):
            with contextlib.suppress(NotImplementedError):  # no closed form of this family
                return family.kl(q, p)
        return family.log_prob(q, values[name]) - family.log_prob(p, values[name])

    def _weight(self) -> Any:
        if not self.warmup_steps:
            return self.kl_weight
        progress = tf.cast(self.steps, tf.float32) / self.warmup_steps
        return self.kl_weight * tf.minimum(progress, 1.0)
