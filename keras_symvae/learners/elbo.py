"""The ELBO: both players ascend one lower bound of the log-likelihood."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_symvae.data.batch import Batch, kinds, of_values, share
from keras_symvae.families import estimators
from keras_symvae.learners import utilities
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, total
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair
from keras_symvae.model.requirements import Densities, Gradients, IsPair, PriorDensity
from keras_symvae.weights import is_weight


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

    Args:
        estimator: gradient through discrete latents: "zgr", "straight_through" or
            "gumbel_softmax:T"; see `estimators.get`.
        kl_weight: weight of the KL terms in the utility.
        warmup_steps: number of steps over which that weight rises linearly from 0.
        free_bits: nats of KL per latent variable element (mean over the batch) that cost nothing.
        label_weight: weight of log q(v | ...) on latents that data hold.
        others: see `Learner`.

    Reference: Kingma & Welling 2014; free bits: Kingma et al. 2016; warm-up: Sonderby et al. 2016.
    """

    requirements = (IsPair(), PriorDensity(), Densities(), Gradients(estimated=True))

    def __init__(
        self,
        pair: Pair,
        *,
        estimator: str = "zgr",
        kl_weight: float = 1.0,
        warmup_steps: int = 0,
        free_bits: float = 0.0,
        label_weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        estimators.get(estimator)
        numbers = {
            "kl_weight": kl_weight,
            "warmup_steps": warmup_steps,
            "free_bits": free_bits,
            "label_weight": label_weight,
        }
        for name, number in numbers.items():
            if not is_weight(number):
                raise ValueError(f"{name} is a number of at least 0; received {number!r}.")
        super().__init__(pair, **kwargs)
        self.estimator, self.kl_weight = estimator, kl_weight
        self.warmup_steps, self.free_bits = warmup_steps, free_bits
        self.label_weight = label_weight
        self.optional_cost_names = tuple(f"encoder/{name}/paired" for name in pair.encoder.names)
        self.may_lack = pair.latent

    @property
    def cost_names(self) -> Sequence[str]:
        observed = [f"decoder/{name}" for name in self.pair.observed]
        return [*observed, *(f"encoder/{name}" for name in self.pair.latent)]

    def moves(self) -> Sequence[Move]:
        return [Move(("decoder", "encoder"), self.utility)]

    def utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """The weighted bound; its gradient flows through the encoder's draws."""
        # A relaxed draw is no value of the latent: held-out bounds are those of hard draws.
        estimator = self.estimator if training else "zgr"
        batch = of_values(batch)
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
        found = kinds(self.pair.schema, batch)
        if found["paired"] is False:
            return Outcome(gain, costs)
        gain *= share(found["paired"]) + share(found["observed"])
        weights = {"encoder/paired": self.label_weight}
        return Outcome(gain, costs).plus(utilities.labels(self.pair, batch, weights=weights))

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
