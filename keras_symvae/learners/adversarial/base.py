"""An adversarial learner: a game in which critics play beside the pair."""

import keras
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.intake import named
from keras_symvae.learners.learner import Learner


class AdversarialLearner(Learner):
    """A learner whose critics are players too, with tapes, costs and optimizers of their own.

    A subclass declares the game in `moves`, with `critic_moves` among them, and what its critics
    ascend in `critic_utility`; of one step's `critic_steps` the last is made at the same point as
    the moves of the pair.

    Args:
        pair: the `Pair`.
        critics: {name: Critic}; "critic" where there is one, "critic_..." where there are more.
        critic_steps: updates of the critics per step.
        others: see `Learner`.
    """

    def __init__(self, pair, *, critics, critic_steps=1, **kwargs):
        if not isinstance(critic_steps, int) or critic_steps < 1:
            raise ValueError(f"critic_steps is a positive integer; received {critic_steps!r}.")
        for name, critic in critics.items():
            with keras.name_scope(name):
                critic.bind(pair.families)
        self.critics, self.critic_steps = critics, critic_steps
        super().__init__(pair, **kwargs)

    def critic_utility(self, values, seed, training=True):
        """Returns the `Outcome` that all critics ascend."""
        raise NotImplementedError

    @property
    def critic(self):
        """The one `Critic`, of games that have one."""
        return self.critics["critic"]

    def critic_moves(self):
        """Returns the move of the critics, if there are any, as in `moves`."""
        return [(tuple(self.critics), self.critic_utility)] if self.critics else []

    def rehearsals(self):
        return [self.critic_moves()] * (self.critic_steps - 1) if self.critics else []

    @property
    def players(self):
        return {**self.pair.players, **self.critics}

    @property
    def parts(self):
        return [*self.pair.parts, *self.critics.items()]

    def compile(self, optimizer="adam", **kwargs):
        """As `Learner.compile`; every player gets an optimizer of its own, also of one for all."""
        if not isinstance(optimizer, (dict, keras.optimizers.MultiOptimizer)):
            optimizer = keras.optimizers.get(optimizer)
            if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                learning = [name for name, each in self.players.items() if each.trainable_variables]
                optimizer = {name: _copy(optimizer) for name in learning}
        super().compile(optimizer, **kwargs)  # pyright: ignore[reportArgumentType]

    def train_step(self, data):
        self._refuse_codes(named(self.pair, data))
        return super().train_step(data)

    def _check(self, data, *, whole=True):
        values = super()._check(data, whole=whole)
        self._refuse_codes(values)
        return values

    def _refuse_codes(self, values):
        held = [name for name in self.pair.latent if name in values]
        if held:
            raise ValueError(
                f"{type(self).__name__} compares codes that the players draw, but the data hold "
                f"{held}. Leave these out, or use SymmetricEquilibrium."
            )

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        critics = {name: serialize(critic) for name, critic in self.critics.items()}
        return {**super().get_config(), **critics, "critic_steps": self.critic_steps}

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))


def require_gradients(pair, names, asker):
    """Refuses, in the name of who asks, variables whose draws have no gradient."""
    for player in pair.players.values():
        for factor in player.factors:
            if factor.name not in names or not factor.has_density:
                continue
            family = pair.families[factor.name]
            if family.discrete or not family.reparametrised:
                raise ValueError(
                    f"{asker} needs a gradient through draws of '{factor.name}', which {family!r} "
                    "has not; use SymmetricEquilibrium, or a Normal variable."
                )


def require_fixed_prior(pair, asker):
    """Refuses, in the name of who asks, a prior with weights that nothing would teach."""
    for factor in pair.decoder.factors:
        if factor.name in pair.latent and factor.trainable_variables:
            raise ValueError(
                f"{asker} draws codes of the prior as they are, but p({factor.name} | ...) has "
                "weights; take a prior without weights."
            )


def require_no_context(pair, asker):
    """Refuses, in the name of who asks, a pair with variables that neither player draws."""
    if pair.context:
        raise ValueError(
            f"{asker} compares what is drawn; {pair.context} is context. Give the decoder factors "
            "for it, or leave it out."
        )


def contrasted(for_true, for_false):
    """Returns the logistic loss [B], nats, of logits of two classes [B]."""
    return tf.nn.softplus(-for_true) + tf.nn.softplus(for_false)


def drawn_prior(pair, values, *, seed):
    """Returns codes of the prior {name: [B, ...]}, constants, one for each example of `values`.

    Where the pair has context, the codes are those of the context in `values`.
    """
    size = tf.shape(next(iter(values.values())))[0]
    given = {name: values[name] for name in pair.context}
    if pair.prior is not None:
        given |= pair.prior.sample(size, seed=seeds.fold(seed, 0))
    codes = pair.decoder.complete(given, seed=seeds.fold(seed, 1), size=size, only=pair.latent)
    return {name: codes[name] for name in pair.latent}


def _copy(optimizer):
    return keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
