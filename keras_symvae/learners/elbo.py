"""The ELBO: both players ascend one lower bound of the log-likelihood."""

import contextlib

import tensorflow as tf

from keras_symvae.families import estimators
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.registry import register
from keras_symvae.learners.step.cost import Outcome, Terms, share, total
from keras_symvae.learners.symmetric import recognised


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

    def __init__(
        self,
        pair,
        *,
        estimator="zgr",
        kl_weight=1.0,
        warmup_steps=0,
        free_bits=0.0,
        label_weight=1.0,
        **kwargs,
    ):
        estimators.get(estimator)
        numbers = {
            "kl_weight": kl_weight,
            "warmup_steps": warmup_steps,
            "free_bits": free_bits,
            "label_weight": label_weight,
        }
        for name, number in numbers.items():
            if not isinstance(number, (int, float)) or not 0 <= number < float("inf"):
                raise ValueError(f"{name} is a number of at least 0; received {number!r}.")
        if pair.prior is not None:
            raise ValueError(
                "ELBO needs log p(z), but the prior of this pair is known only by samples; use "
                "SymmetricEquilibrium."
            )
        for player in (pair.decoder, pair.encoder):
            player.require_density("ELBO")
        for name in pair.latent:
            if not pair.families[name].reparametrised:
                raise ValueError(
                    f"ELBO needs a gradient through draws of '{name}', which {pair.families[name]} "
                    "has not; use SymmetricEquilibrium."
                )
        self.estimator, self.kl_weight = estimator, kl_weight
        self.warmup_steps, self.free_bits = warmup_steps, free_bits
        self.label_weight = label_weight
        super().__init__(pair, **kwargs)

    @property
    def cost_names(self):
        observed = [f"decoder/{name}" for name in self.pair.observed]
        return [*observed, *(f"encoder/{name}" for name in self.pair.latent)]

    @property
    def optional_cost_names(self):
        return [f"encoder/{name}/paired" for name in self.pair.encoder.names]

    @property
    def may_lack(self):
        return self.pair.latent

    def moves(self):
        return [(("decoder", "encoder"), self.utility)]

    def utility(self, values, seed, training=True):
        """The weighted bound; its gradient flows through the encoder's draws."""
        # A relaxed draw is no value of the latent: held-out bounds are those of hard draws.
        estimator = self.estimator if training else "zgr"
        terms = None if set(values).isdisjoint(self.pair.latent) else Terms(self.pair, values)
        known = terms.known if terms else {}
        completed, q = self.pair.encoder.rcomplete(
            terms.values if terms else values, seed=seed, estimator=estimator, known=known
        )
        _, p = self.pair.decoder.walk(completed)
        costs = {f"decoder/{name}": self._cost(name, p, completed) for name in self.pair.observed}
        gain = -total(costs.values())
        for name in self.pair.latent:
            kl = self._kl(name, completed, q[name], p[name])
            if name in values:
                kl = tf.where(known[name], self._cost(name, p, completed), kl)
            costs[f"encoder/{name}"] = kl
            free = self.free_bits * self.pair.families[name].size
            charged = tf.maximum(tf.reduce_mean(kl), free) if free else kl
            gain -= self._weight() * charged
        if terms is None:
            return Outcome(gain, costs)
        gain *= share(terms.rows["paired"]) + share(terms.rows["observed"])
        weights = {"encoder/paired": self.label_weight}
        return Outcome(gain, costs).plus(recognised(self.pair, values, weights=weights))

    def _cost(self, name, p, values):
        return -self.pair.families[name].log_prob(p[name], values[name])

    def _kl(self, name, values, q, p):
        order = self.pair.encoder.names
        family = self.pair.families[name]
        later = order[order.index(name) :]
        if set(self.pair.decoder.factor(name).given).isdisjoint(later):
            with contextlib.suppress(NotImplementedError):  # no closed form of this family
                return family.kl(q, p)
        return family.log_prob(q, values[name]) - family.log_prob(p, values[name])

    def _weight(self):
        if not self.warmup_steps:
            return self.kl_weight
        progress = tf.cast(self.steps, tf.float32) / self.warmup_steps
        return self.kl_weight * tf.minimum(progress, 1.0)

    def get_config(self):
        return {
            **super().get_config(),
            "estimator": self.estimator,
            "kl_weight": self.kl_weight,
            "warmup_steps": self.warmup_steps,
            "free_bits": self.free_bits,
            "label_weight": self.label_weight,
        }
